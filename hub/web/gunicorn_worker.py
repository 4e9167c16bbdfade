"""gunicorn's gevent worker, with two things more: told to stop, it tells the requests that wait, and lets idle
connections go; and it answers plain requests at the links without WSGI's environment, which costs half of a request."""

import time
from types import FrameType, TracebackType
from typing import Any

import gevent
from gunicorn.http import wsgi
from gunicorn.workers.ggevent import GeventWorker

from hub.web.plain_requests import PlainRequest, head, is_default
from hub.web.stopping import stopping

LAST_IDLE_S = 1.0
LOOK_EVERY_S = 0.5


class Worker(GeventWorker):  # type: ignore[misc]
    """Plain GeventWorker lets waiting greenlets sit until the graceful time-out is over, and idle connections until
    their keep-alive is."""

    _links: Any = None

    def load_wsgi(self) -> None:
        """The application; with it its links, if nothing is set that wants to see every request."""
        super().load_wsgi()
        if is_default(self.cfg):
            self._links = getattr(self.wsgi, "extensions", {}).get("hub.links")

    def run(self) -> None:
        """Until told to stop; nobody rings this process any more after that."""
        try:
            super().run()
        finally:
            self.wsgi.extensions["hub"].bell.close()

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """One request of a connection; raises StopIteration when the connection ends with it."""
        plain = None if self._links is None or req.path not in self._links.paths else PlainRequest.of(req, addr)
        if plain is None:
            super().handle_request(listener_name, req, sock, addr)
            return
        self.nr += 1
        if self.nr >= self.max_requests:
            self.alive = False
        closes = not self.alive or not self.cfg.keepalive or req.should_close()
        try:
            try:
                status, body = self._links.take(
                    req, sock, addr[0], plain.fields, announced=plain.announced, is_here=plain.is_here
                )
            except Exception as error:
                closes = self._refuse(error, req, sock, addr, listener_name, closes=closes)
            else:
                whole = head(req.version, status, closes=closes) + self._links.headers + str(len(body)) + "\r\n\r\n"
                answer = whole.encode("latin-1") + body
                sent = sock.send(answer)
                if sent < len(answer):
                    sock.sendall(answer[sent:])
        except (gevent.GreenletExit, SystemExit):
            return
        if closes:
            raise StopIteration

    def _refuse(self, error: Exception, req: Any, sock: Any, addr: Any, listener_name: Any, *, closes: bool) -> bool:
        response, environ = wsgi.create(req, sock, addr, listener_name, self.cfg)
        if closes:
            response.force_close()
        for piece in self._links.refuse(error, environ, response.start_response):
            response.write(piece)
        response.close()
        return bool(response.should_close())

    def timeout_ctx(self) -> "_Idle":
        """How long a connection may take to its next request; called where one begins to wait for that."""
        return _Idle(LAST_IDLE_S if stopping.is_set() else self.cfg.keepalive)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM: no new connections, waiting requests answer at once, idle connections end after a second."""
        stopping.set()
        gevent.spawn_later(LAST_IDLE_S, _Idle.end_all)
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """SIGQUIT and SIGINT: the same, and without patience."""
        stopping.set()
        super().handle_quit(sig, frame)


class _Idle(gevent.Timeout):  # type: ignore[misc]
    """The wait for a connection's next request; when its time is over, the connection is closed.

    A timer for each request costs as much as reading its headers, so one greenlet looks at all that wait."""

    waiting: "set[_Idle]" = set()
    watched = False

    def __init__(self, seconds: float) -> None:
        super().__init__(None, False)
        self._until = time.monotonic() + seconds
        self._greenlet = gevent.getcurrent()

    def __enter__(self) -> "_Idle":
        if not _Idle.watched:
            _Idle.watched = True
            gevent.spawn(_Idle._watch)
        self.waiting.add(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> bool:
        self.waiting.discard(self)
        return error is self

    @classmethod
    def end_all(cls) -> None:
        """Take their time for over."""
        for idle in list(cls.waiting):
            gevent.get_hub().loop.run_callback(idle._end)

    @classmethod
    def _watch(cls) -> None:
        while True:
            gevent.sleep(LOOK_EVERY_S)
            now = time.monotonic()
            for idle in [one for one in cls.waiting if one._until < now]:
                gevent.get_hub().loop.run_callback(idle._end)

    def _end(self) -> None:
        if self in self.waiting:
            self._greenlet.throw(self)
