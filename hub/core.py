"""What every process of the product holds: settings, database, secrets, the way out."""

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from connectors.egress import Egress
from connectors.http import Http
from hub.bell import Bell
from hub.db import Database
from hub.ids import new_id
from hub.secrets import SecretBox
from hub.settings import Settings
from hub.writer import CHANNEL


@dataclass
class Hub:
    """One per process, made after any fork. `owner` is this process's name on claims and leases."""

    settings: Settings
    db: Database
    box: SecretBox
    http: Http
    bell: Bell
    owner: str = field(default_factory=lambda: f"{socket.gethostname()[:20]}:{os.getpid()}:{new_id()[20:]}")
    on_close: list[Callable[[], None]] = field(default_factory=list)

    def ring(self) -> None:
        """Wake whoever waits for work: on this host by the bell, on others by PostgreSQL's notification."""
        self.bell.ring()
        if self.db.dialect == "postgresql":
            self.db.writer.post(lambda sql: sql.run(f"NOTIFY {CHANNEL}"))

    def close(self) -> None:
        """Give everything back."""
        for function in self.on_close:
            function()
        self.on_close.clear()
        self.db.close()
        self.bell.close()  # after the writer, which may ring to the last


def make_hub(settings: Settings) -> Hub:
    """Build a process's Hub from its settings."""
    own = settings.base_url.partition("://")[2].partition("/")[0]
    egress = Egress(allow=frozenset(settings.egress_allow), own=frozenset({own, f"127.0.0.1:{settings.port}"}))
    bell = Bell(settings.instance_dir / "bells")
    return Hub(
        settings=settings,
        db=Database(settings, bell.ring),
        box=SecretBox(settings.encryption_keys),
        http=Http(egress, more_ca=settings.max_ca),
        bell=bell,
    )
