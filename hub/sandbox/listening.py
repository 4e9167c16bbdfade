"""A WSGI application on a port of 127.0.0.1, in threads of this process."""

import logging
import os
import socket
import struct
import threading
from typing import Any

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server


class _Handler(WSGIRequestHandler):
    """Keeps connections, answers without delay, and can cut a connection off with a reset."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    _hangs_up = False

    def make_environ(self) -> Any:
        environ = super().make_environ()
        environ["sandbox.hang_up"] = self.hang_up
        return environ

    def hang_up(self) -> None:
        """Read no more, and reset the connection as soon as the server has let go of the request."""
        self._hangs_up = True
        self.connection.shutdown(socket.SHUT_RD)

    def connection_dropped(self, error: BaseException, environ: Any = None) -> None:
        """Cut the connection where that was wanted. Before this the server still asks the socket for what it held."""
        if self._hangs_up:
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: the paths hold tokens, and the record tells all."""


class Listener:
    """A port that is taken at once and served from `serve` on; port 0 takes a free one.

    Raises OSError when the port is busy.
    """

    def __init__(self, port: int = 0, host: str = "127.0.0.1") -> None:
        logging.getLogger("werkzeug").setLevel(logging.WARNING)
        # werkzeug would end the whole program over a busy port, so the socket is made here.
        try:
            self._socket = socket.create_server((host, port), backlog=1024)
        except OSError as error:
            raise OSError(error.errno, f"{error.strerror}: {host}:{port}") from None
        self.host, self.port = host, int(self._socket.getsockname()[1])
        self._server: Any = None
        self._thread: threading.Thread | None = None

    def open(self, app: Flask) -> None:
        """Say what is served here."""
        self._server = make_server(
            self.host, self.port, app, threaded=True, request_handler=_Handler, fd=self._socket.fileno()
        )

    def start(self, name: str) -> None:
        """Serve in a thread."""
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name=name, daemon=True
        )
        self._thread.start()

    def serve(self) -> None:
        """Serve here until interrupted."""
        self._server.serve_forever()
        self._socket.close()

    def stop(self) -> None:
        """Stop serving."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join(5)
        if self._server is not None:
            self._server.server_close()
        self._socket.close()
