"""Serves the sandbox: the simulated messengers, their control addresses, and a page that shows the chats filling."""

from collections.abc import Sequence

from flask import Blueprint, Flask, Response, send_from_directory

from hub.sandbox.faults import Board, control
from hub.sandbox.listening import Listener
from hub.sandbox.messengers import blueprints


def make_app(board: Board, extra: Sequence[Blueprint] = ()) -> Flask:
    """The sandbox as a Flask application over a board, with more blueprints if given."""
    app = Flask("hub.sandbox", static_folder="static", static_url_path="/static")
    app.register_blueprint(control(board))
    for kind, pages in blueprints(board).items():
        app.register_blueprint(pages, url_prefix=f"/{kind}")
    for pages in extra:
        app.register_blueprint(pages)

    @app.get("/")
    def phone() -> Response:
        return send_from_directory(str(app.static_folder), "phone.html")

    @app.after_request
    def headers(answer: Response) -> Response:
        answer.headers.setdefault(
            "Content-Security-Policy", "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'"
        )
        answer.headers.setdefault("X-Content-Type-Options", "nosniff")
        return answer

    return app


class Sandbox:
    """A running sandbox on 127.0.0.1; port 0 takes a free one. `board` holds its record and faults.

    Raises OSError when the port is busy.
    """

    def __init__(self, port: int = 0, host: str = "127.0.0.1", extra: Sequence[Blueprint] = ()) -> None:
        self.board = Board()
        self._listener = Listener(port, host)
        self.host, self.port = self._listener.host, self._listener.port
        self._listener.open(make_app(self.board, extra))

    @property
    def url(self) -> str:
        """The sandbox's base address; a messenger's API is at `url + "/telegram"`."""
        return f"http://{self.host}:{self.port}"

    def start(self) -> "Sandbox":
        """Serve in a thread."""
        self._listener.start("sandbox")
        return self

    def serve(self) -> None:
        """Serve here until interrupted."""
        self._listener.serve()

    def stop(self) -> None:
        """Stop serving and let hanging requests go."""
        self.board.stopping.set()
        self._listener.stop()
