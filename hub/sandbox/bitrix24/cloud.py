"""Everything the simulated Bitrix24 remembers: applications, portals, tokens, and a record of the calls."""

import itertools
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hub.sandbox.bitrix24.automation import Automation
from hub.sandbox.bitrix24.crm.seed import sample_crm
from hub.sandbox.bitrix24.crm.store import Crm
from hub.sandbox.bitrix24.frames import Frames
from hub.sandbox.bitrix24.limits import Limits
from hub.sandbox.bitrix24.messages import Outbox
from hub.sandbox.bitrix24.model import App, Portal, User
from hub.sandbox.bitrix24.openlines import OpenLines
from hub.sandbox.bitrix24.queue import Queue
from hub.sandbox.bitrix24.tokens import Tokens
from hub.sandbox.faults import Board

CALLS_KEPT = 5000


@dataclass
class CallRecord:
    """One REST call, or one command of a batch. `params` hold no token; `error` is empty when it went well."""

    number: int
    at: float
    portal: str
    method: str
    params: dict[str, Any]
    caller: str
    user_id: int
    status: int
    error: str
    said: str
    ms: int
    in_batch: bool = False


class Cloud:
    """Portals and their OAuth server. Whoever reads or changes them holds `lock`; times are Unix seconds."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.lock = threading.RLock()
        self.oauth_url = ""
        self.apps: dict[str, App] = {}
        self.portals: dict[str, Portal] = {}
        self.tokens = Tokens()
        self.limits = Limits()
        self.queue = Queue(board)
        self.frames = Frames()
        self.outbox = Outbox()
        self.automation = Automation(self)
        self.open_lines = OpenLines(self)
        self.notifications: list[dict[str, Any]] = []
        # Set by the server, which gives portals their addresses.
        self.make_portal: Callable[..., Portal] = self.add_portal
        self.move_portal: Callable[[Portal], str] | None = None
        self.calls: deque[CallRecord] = deque(maxlen=CALLS_KEPT)
        self._numbers = itertools.count(1)
        self._ahead_s = 0.0

    @property
    def server_endpoint(self) -> str:
        """The root of the OAuth server's REST methods."""
        return f"{self.oauth_url}/rest/"

    def now(self) -> float:
        """The time of the cloud, which a test may set forward."""
        return time.time() + self._ahead_s

    def advance(self, seconds: float) -> None:
        """Set the cloud's time forward."""
        with self.lock:
            self._ahead_s += seconds
        self.automation.wake()

    def add_app(self, app: App) -> App:
        """Register an application, or replace the one of that client_id."""
        with self.lock:
            self.apps[app.client_id] = app
            for portal in self.portals.values():
                if app.client_id in portal.installations:
                    portal.installations[app.client_id].app = app
        return app

    def add_portal(self, domain: str, member_id: str = "", **more: Any) -> Portal:
        """A new portal with two people (1 is an administrator, 2 is not), two funnels and sample cards."""
        portal = Portal(domain=domain, member_id=member_id or secrets.token_hex(16), crm=Crm(), **more)
        portal.features = set(portal.features)
        self.furnish(portal)
        with self.lock:
            self.portals[portal.member_id] = portal
        return portal

    def furnish(self, portal: Portal) -> None:
        """Give a portal its cards and its first people."""
        portal.crm = sample_crm(lambda: self.stamp(portal))
        portal.users = {
            1: User(1, "Анна", "Ли", admin=True, email="ann@example.com", position="Руководитель"),
            2: User(2, "Борис", "Иванов", email="boris@example.com", position="Менеджер"),
        }

    def portal_of(self, domain: str) -> Portal | None:
        """The portal that answers at a domain."""
        with self.lock:
            return next((portal for portal in self.portals.values() if portal.domain == domain), None)

    def stamp(self, portal: Portal, at: float | None = None) -> str:
        """A moment (now) as the portal writes it: ISO 8601 with its offset, whole seconds."""
        zone = timezone(timedelta(hours=portal.offset_h))
        return datetime.fromtimestamp(int(self.now() if at is None else at), UTC).astimezone(zone).isoformat()

    def note(self, **fields: Any) -> None:
        """Write a call down."""
        with self.lock:
            self.calls.append(CallRecord(number=next(self._numbers), at=time.time(), **fields))

    def stop(self) -> None:
        """End the threads."""
        self.automation.stop()
        self.queue.stop()
