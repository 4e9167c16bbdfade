"""The demo's place for a Bitrix24 portal. There is no simulated portal yet, so its page says what will stand here."""

import logging
import socket
import threading

from flask import Flask, Response, render_template_string
from werkzeug.serving import WSGIRequestHandler, make_server

PAGE = """<!doctype html>
<html lang="ru">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>Битрикс24 · песочница Hubline</title>
  <link rel="icon" href="data:,">
  <style>
    :root { --page: #eef1f5; --card: #fff; --ink: #1b2430; --soft: #5c6877; --line: #d7dde5; --accent: #1668c7; }
    @media (prefers-color-scheme: dark) {
      :root { --page: #10151c; --card: #1a212b; --ink: #e8edf3; --soft: #9aa7b6; --line: #2c3643; --accent: #7db7ff; }
    }
    body { margin: 0 auto; max-width: 640px; padding: 24px 16px; background: var(--page); color: var(--ink);
      font: 16px/1.5 system-ui, sans-serif; }
    main { background: var(--card); border: 1px solid var(--line); border-radius: 16px; padding: 8px 24px 16px; }
    h1 { font-size: 22px; }
    [lang=en] { color: var(--soft); font-size: 14px; }
    a { color: var(--accent); }
  </style>
</head>
<body>
  <main>
    <h1>Битрикс24 появится в следующей версии</h1>
    <p>Здесь будет учебный портал: в него можно будет установить Hubline, сменить стадию сделки и увидеть, как из неё
      уходит сообщение. Сейчас этого ещё нет.</p>
    <p>Уже работают ссылки, сценарии и отправка: сообщения видны на <a href="{{ phone_url }}">телефоне клиента</a>.</p>
    <p lang="en">A practice Bitrix24 portal is not part of this version. Links, scenarios and sending work; see
      <a href="{{ phone_url }}">the phone</a>.</p>
  </main>
</body>
</html>
"""


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""


def make_app(phone_url: str) -> Flask:
    """The page as a Flask application; `phone_url` is the address of the page with the messages."""
    app = Flask("hub.sandbox.portal", static_folder=None)

    @app.get("/")
    def page() -> str:
        return render_template_string(PAGE, phone_url=phone_url)

    @app.after_request
    def headers(answer: Response) -> Response:
        answer.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer

    return app


class Portal:
    """The page on `localhost` (another site than the product's 127.0.0.1); port 0 takes a free one.

    Raises OSError when the port is busy.
    """

    def __init__(self, port: int, phone_url: str) -> None:
        logging.getLogger("werkzeug").setLevel(logging.WARNING)
        # werkzeug would end the whole program over a busy port, so the socket is made here.
        self._socket = socket.create_server(("127.0.0.1", port))
        self.port = int(self._socket.getsockname()[1])
        self._server = make_server(
            "127.0.0.1",
            self.port,
            make_app(phone_url),
            threaded=True,
            request_handler=_Quiet,
            fd=self._socket.fileno(),
        )
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://localhost:{self.port}"

    def start(self) -> "Portal":
        """Serve in a thread."""
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="portal", daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join(5)
        self._server.server_close()
        self._socket.close()
