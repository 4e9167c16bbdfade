"""Serves the sandbox: the simulated messengers, their control addresses, and a page that shows the chats filling."""

import logging
import os
import socket
import struct
import threading
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Flask, Response, send_from_directory
from werkzeug.serving import WSGIRequestHandler, make_server

from hub.sandbox.faults import Board, control
from hub.sandbox.messengers import blueprints


class _Handler(WSGIRequestHandler):
    """Keeps connections, answers without delay, and can cut a connection off with a reset."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def make_environ(self) -> Any:
        environ = super().make_environ()
        environ["sandbox.hang_up"] = self.hang_up
        return environ

    def hang_up(self) -> None:
        """Reset the connection at once."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: the paths hold tokens, and the record tells all."""


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
        logging.getLogger("werkzeug").setLevel(logging.WARNING)
        self.board = Board()
        self._socket = socket.create_server((host, port), backlog=1024)
        self.host, self.port = host, int(self._socket.getsockname()[1])
        app = make_app(self.board, extra)
        self._server = make_server(
            host, self.port, app, threaded=True, request_handler=_Handler, fd=self._socket.fileno()
        )
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The sandbox's base address; a messenger's API is at `url + "/telegram"`."""
        return f"http://{self.host}:{self.port}"

    def start(self) -> "Sandbox":
        """Serve in a thread."""
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="sandbox", daemon=True
        )
        self._thread.start()
        return self

    def serve(self) -> None:
        """Serve here until interrupted."""
        self._server.serve_forever()
        self._socket.close()

    def stop(self) -> None:
        """Stop serving and let hanging requests go."""
        self.board.stopping.set()
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join(5)
        self._server.server_close()
        self._socket.close()
