"""A body that drips in is ended, under gevent as in production."""

import socket
import subprocess
import sys
import time

SERVER = """
from gevent import monkey
monkey.patch_all()
from flask import Flask
from flask_login import LoginManager
from gevent.pywsgi import WSGIServer
from hub.web import body, problems
body.WHOLE_BODY_S = 0.5
app = Flask("drip")
problems.register(app)
LoginManager(app).request_loader(lambda request: None)
app.add_url_rule("/", view_func=lambda: str(len(body.read_body(100))), methods=["POST"])
server = WSGIServer(("127.0.0.1", 0), app, log=None)
server.start()
print(server.server_port, flush=True)
server.serve_forever()
"""


def test_a_body_that_drips_in_is_answered_408_at_its_deadline() -> None:
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            with socket.create_connection(("127.0.0.1", port), timeout=10) as caller:
                caller.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nab")
                began = time.monotonic()
                answer = caller.recv(4096)
                assert answer.startswith(b"HTTP/1.1 408")
                assert time.monotonic() - began < 5
            with socket.create_connection(("127.0.0.1", port), timeout=10) as caller:
                caller.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab")
                assert caller.recv(4096).startswith(b"HTTP/1.1 200")
        finally:
            server.kill()
