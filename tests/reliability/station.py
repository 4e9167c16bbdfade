"""Lines and a full outbox, workers that are started and killed, and what the messengers' record says of it."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.clock import now_us
from hub.core import Hub
from hub.delivery import lines, outbox
from hub.delivery.lines import LineSettings
from hub.delivery.outbox import Entry
from hub.ids import new_id
from hub.portals.models import Portal, Stamp
from hub.sandbox.faults import Entry as Asked
from hub.sandbox.server import Sandbox
from tests.processes import Product, Running, wait_until

THREADS = 16
DAY = 86_400 * 1_000_000
CONFIGS: dict[str, dict[str, Any]] = {"telegram": {"token": "1:AAAA"}, "vk": {"token": "vk1.a.AAAA", "group_id": "1"}}


@dataclass
class Station:
    """One outbox. Workers have `THREADS` hands each, and `quick` pauses between tries unless told otherwise."""

    hub: Hub
    product: Product
    sandbox: Sandbox
    allowed: list[str]
    lines: dict[str, str] = field(default_factory=dict)
    queued: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def portal(self, name: str) -> int:
        """A new portal; gives its number."""
        with self.hub.db.write() as session:
            made = Portal(member_id=name, installed_at=now_us(), time_zone="Europe/Moscow")
            session.add(made)
            session.flush()
            assert made.id is not None
            session.add(Stamp(portal_id=made.id))
            return made.id

    def line(self, portal: int, name: str, channel: str = "telegram", url: str = "", **settings: Any) -> str:
        """A line that leads to the simulator, or to `url`; no rates unless they are given."""
        config = CONFIGS[channel] | {"api_url": url or f"{self.sandbox.url}/{channel}"}
        chosen = LineSettings(**{"rate_per_s": 0, "rate_per_chat_per_s": 0, **settings})
        with self.hub.db.write() as session:
            made = lines.create(session, self.hub, portal, name=name, channel=channel, config=config, settings=chosen)
            self.lines[made.id] = name
            return made.id

    def fill(self, portal: int, line: str, chats: Sequence[str], each: int, text: str = "") -> None:
        """Queue `each` messages for every chat, in turns; a message's text is its number in the chat."""
        now = now_us()
        entries = [
            self._entry(portal, line, chat, text or str(number), now) for number in range(each) for chat in chats
        ]
        self.hub.db.writer.run(lambda sql: [outbox.enqueue(sql, entry, now=now) for entry in entries], lines=[line])
        for entry in entries:
            self.queued[entry.chat_id].append(entry.text)

    def worker(self, **more: str) -> Running:
        """Start `hub worker`."""
        usual = {"HUB_WORKER_THREADS": str(THREADS), "HUB_EGRESS_ALLOW": ",".join(self.allowed)}
        return self.product.worker(**(usual | more))

    def states(self, line: str = "") -> Counter[str]:
        """How many messages there are of each state."""
        with self.hub.db.sql() as sql:
            where, values = ("WHERE line_id = ?", (line,)) if line else ("", ())
            return Counter(dict(sql.all(f"SELECT state, count(*) FROM message {where} GROUP BY state", values)))

    def wait_empty(self, line: str = "", *, within_s: float, workers: Sequence[Running] = ()) -> Counter[str]:
        """Wait until nothing is queued or being sent; gives the states."""

        def empty() -> bool:
            states = self.states(line)
            return not states["queued"] and not states["sending"]

        try:
            wait_until(empty, within_s=within_s, every_s=0.1, what="an empty queue")
        except AssertionError as error:
            logs = "\n".join(worker.output()[-2000:] for worker in workers)
            raise AssertionError(f"{error}: {self.states(line)} {self.line_rows()}\n{logs}") from None
        return self.states(line)

    def line_rows(self) -> list[tuple[Any, ...]]:
        """Name, state and failures in a row of every line."""
        with self.hub.db.sql() as sql:
            return [(self.lines[row[0]], *row[1:]) for row in sql.all("SELECT id, state, trouble, opened FROM line")]

    def attempts(self, line: str) -> list[tuple[Any, ...]]:
        """Message id, number, outcome, code and milliseconds of every attempt on a line."""
        with self.hub.db.sql() as sql:
            return sql.all(
                "SELECT a.message_id, a.n, a.outcome, a.code, a.ms FROM attempt a JOIN message m ON m.id = a.message_id"
                " WHERE m.line_id = ? ORDER BY a.message_id, a.n",
                (line,),
            )

    def asked(self, chats: Sequence[str] = ()) -> list[Asked]:
        """What the simulators were asked, in their order; of these chats if given."""
        wanted = set(chats)
        return [entry for entry in self.sandbox.board.entries() if not wanted or entry.chat in wanted]

    def taken(self) -> Mapping[str, list[str]]:
        """By chat, the texts that the messenger took, in its order."""
        found: dict[str, list[str]] = defaultdict(list)
        for entry in self.asked():
            if entry.accepted:
                found[entry.chat].append(entry.text)
        return found

    def _entry(self, portal: int, line: str, chat: str, text: str, now: int) -> Entry:
        return Entry(
            id=new_id(),
            portal_id=portal,
            line_id=line,
            run_id=None,
            block="greet",
            iteration=1,
            messenger="telegram",
            chat_id=chat,
            chat_id_raw=chat,
            text=text,
            extra={},
            due_at=now,
            expires_at=now + DAY,
        )


@contextmanager
def standing(hub: Hub, folder: Path, sandbox: Sandbox, schedule: str) -> Iterator[Station]:
    """A station whose workers retry by `schedule` (seconds, with commas)."""
    with Product(hub.settings, folder, {"HUB_RETRY_SCHEDULE_S": schedule}) as product:
        yield Station(hub, product, sandbox, list(hub.settings.egress_allow))


def most_within(times: Sequence[float], seconds: float) -> int:
    """The most of these (sorted) times that lie within any span of so many seconds."""
    most = first = 0
    for last, at in enumerate(times):
        while times[first] <= at - seconds:
            first += 1
        most = max(most, last - first + 1)
    return most
