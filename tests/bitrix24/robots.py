"""A product installed in the simulated portal, scenarios that begin with a robot, and the worker's desks at hand."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from connectors.channel import ChannelEvent
from hub.bitrix24.client import Bitrix24
from hub.clock import now_us
from hub.core import Hub
from hub.delivery import claiming, lines, receipts
from hub.delivery.lines import LineSettings
from hub.runtime import Runtime, make_runtime
from hub.sandbox.bitrix24.server import DEMO_CLIENT_ID
from hub.scenarios import store, versions
from hub.scenarios.document import parse_document
from tests.bitrix24.conftest import Visitor, control, token_in

GIVE = {
    "id": "give",
    "type": "return_result",
    "config": {"values": {"discount": "{{sum}}", "текст": "Скидка {{sum}}"}, "types": {"discount": "number"}},
}


WHATSAPP = {"token": "EAA", "phone_number_id": "1122"}


@dataclass
class Portal:
    """The installed portal and one worker's parts, whose work a test does piece by piece."""

    visitor: Visitor
    hub: Hub
    runtime: Runtime = field(init=False)
    portal_id: int = 0

    def __post_init__(self) -> None:
        self.runtime = make_runtime(self.hub)
        first = self.visitor.install()
        self.visitor.take_all(token_in(self.visitor.open(first)))
        self.visitor.finish(first)
        with self.hub.db.sql() as sql:
            row = sql.one("SELECT portal_id FROM bitrix24_connection")
        assert row is not None
        self.portal_id = int(row[0])

    @property
    def cloud(self) -> Any:
        """The simulator's memory."""
        return self.visitor.simulator.cloud

    @property
    def installation(self) -> Any:
        """What the portal has of ours."""
        return self.visitor.simulator.portal.installations[DEMO_CLIENT_ID]

    @property
    def bitrix24(self) -> Bitrix24:
        """What calls need."""
        return self.runtime.bitrix24

    def scenario(
        self,
        *nodes: dict[str, Any],
        name: str = "Discount",
        enabled: bool = True,
        scenario_id: int | None = None,
        **start: Any,
    ) -> int:
        """A scenario that begins with a robot (or a new version of one), its blocks one after the other; its id."""
        robot = {"title": "Count the discount", "inputs": [{"name": "sum", "title": "Sum", "type": "double"}], **start}
        every = [{"id": "start", "type": "bitrix24_robot", "config": robot}, *nodes]
        chain = [{"from": one["id"], "to": two["id"]} for one, two in pairwise(every)]
        document = parse_document({"format": 1, "name": name, "blocks": every, "links": chain})
        with self.hub.db.write() as session:
            saved = versions.save(session, self.hub, self.portal_id, document, scenario_id=scenario_id)
            assert saved.scenario.id is not None
            assert not [one for one in saved.problems if one["severity"] == "error"], saved.problems
            if enabled:
                versions.set_enabled(session, self.hub, saved.scenario, True)
            return saved.scenario.id

    def work(self, *, only: Iterable[str] = ()) -> int:
        """Do all that is due at the worker's desks and of its runs; gives the number of pieces."""
        done, wanted = 0, tuple(only)
        while True:
            found = 0
            for desk in self.runtime.desks:
                if wanted and desk.name not in wanted:
                    continue
                if hasattr(desk, "_looked_at"):
                    desk._looked_at = 0
                for piece in desk.hand_out(desk.hands):
                    piece()
                    found += 1
            found += 0 if wanted else self.carry_on()
            if not found:
                return done
            done += found

    def carry_on(self, at: int | None = None) -> int:
        """Execute every run that is due."""
        owner = self.hub.owner
        claimed = self.hub.db.writer.run(
            lambda sql: store.claim_due(sql, owner=owner, limit=10, now=at or now_us()),
        )
        for run in claimed:
            self.runtime.runner.execute(run)
        return len(claimed)

    def line(self, sandbox: Any, name: str = "Phones", channel: str = "whatsapp", **settings: Any) -> str:
        """A line of the simulated messengers; gives its id."""
        config: dict[str, Any] = {"token": "1:A", "api_url": f"{sandbox.url}/{channel}"}
        if channel == "whatsapp":
            config = WHATSAPP | {"api_url": f"{sandbox.url}/graph"}
        with self.hub.db.write() as session:
            return lines.create(
                session,
                self.hub,
                self.portal_id,
                name=name,
                channel=channel,
                config=config,
                settings=LineSettings(rate_per_s=0, rate_per_chat_per_s=0, **settings),
            ).id

    def send(self) -> int:
        """Send every message that is due, as a worker does; their number."""
        hub, postman = self.hub, self.runtime.postman
        every = self.column("SELECT id FROM line")
        claimed = hub.db.writer.run(
            lambda sql: claiming.claim(sql, every, owner=hub.owner, limit=50, now=now_us()), lines=every
        )
        postman.hold(claimed)
        for message in claimed:
            postman.deliver(message)
        postman.drop(claimed)
        return len(claimed)

    def report(self, message_id: str, state: str) -> None:
        """The messenger reports about a message."""
        row = self.one("SELECT line_id FROM message WHERE id = ?", message_id)
        event = ChannelEvent(kind="status", event_id="", message_id=message_id, state=state)
        self.hub.db.writer.run(lambda sql: receipts.record(sql, row, [event], now=now_us()), lines=[row])

    def process(self, *steps: dict[str, Any], deal: int = 0) -> Any:
        """Start a process over a deal, and post to us what it posts to its first robot."""
        after = max((row.number for row in self.cloud.queue.deliveries()), default=0)
        started = control(self.visitor.simulator, "process", entityTypeId=2, id=deal or self.deal(), steps=list(steps))
        assert self.cloud.queue.wait_idle(10)
        for posted in self.cloud.queue.deliveries(after):
            assert self.post(posted).status_code == 200
        return next(one for one in self.cloud.automation.processes if one.id == started["id"])

    def post(self, delivery: Any, **changes: Any) -> Any:
        """Post to the product what the portal's queue posted to an address where nobody listens."""
        path = delivery.url.partition("hub.test")[2]
        return self.visitor.client.post(path, data={**delivery.fields, **changes})

    def deal(self, **fields: Any) -> int:
        """A new deal."""
        made = control(self.visitor.simulator, "card", do="add", entityTypeId=2, fields={"TITLE": "Order", **fields})
        return int(made["id"])

    def one(self, query: str, *values: Any) -> Any:
        """The first column of the first row."""
        with self.hub.db.sql() as sql:
            row = sql.one(query, values)
        return None if row is None else row[0]

    def column(self, query: str, *values: Any) -> list[Any]:
        """The first column of every row."""
        with self.hub.db.sql() as sql:
            return [row[0] for row in sql.all(query, values)]
