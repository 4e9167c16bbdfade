"""A connected portal with scenarios that its cards start, and a worker's desk for them: no process, no waiting."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from hub.bitrix24 import connections, events
from hub.bitrix24.change_desk import ChangeDesk
from hub.bitrix24.changes import Executing
from hub.clock import now_us
from hub.delivery import lines
from hub.runtime import Runtime, make_runtime
from hub.scenarios import versions
from hub.scenarios.document import parse_document
from hub.values import loads
from tests.bitrix24.conftest import Connected, control

DEAL, CONTACT, SMART = 2, 3, 147
EVENTS = {1: "LEAD", 2: "DEAL", 3: "CONTACT", 4: "COMPANY"}
RETURN = {"text": "{{client_name}}, {{order_title}}: {{sum}}"}


@dataclass
class Scene:
    """What a test does and sees. Events are handed in as the web hands them on, once they are proven."""

    connected: Connected
    runtime: Runtime

    def __post_init__(self) -> None:
        self.hub, self.portal_id = self.connected.hub, self.connected.portal_id
        self.desk = ChangeDesk(Executing(self.runtime.bitrix24, self.runtime.library, self.runtime.runner))
        with self.hub.db.write() as session:
            config = {"token": "1:A"}
            lines.create(session, self.hub, self.portal_id, name="Sales", channel="telegram", config=config)

    def scenario(self, *nodes: dict[str, Any], name: str = "On a card", values: Any = None, **start: Any) -> int:
        """Switch on a scenario that cards start; by default it returns a text. Gives its number."""
        start = {"entity": "deal", "merge_s": 0, **start}
        blocks = [{"id": "start", "type": "bitrix24_event", "config": start}]
        blocks += nodes or ({"id": "give", "type": "return_result", "config": {"values": values or RETURN}},)
        links = [{"from": one["id"], "port": "next", "to": two["id"]} for one, two in pairwise(blocks)]
        doc = parse_document({"format": 1, "name": name, "blocks": blocks, "links": links})
        with self.hub.db.write() as session:
            saved = versions.save(session, self.hub, self.portal_id, doc)
            assert not saved.published
            versions.set_enabled(session, self.hub, saved.scenario, True)
            assert saved.scenario.id is not None
            return saved.scenario.id

    def switch(self, scenario_id: int, *, on: bool) -> None:
        """Switch a scenario on or off."""
        with self.hub.db.write() as session:
            scenario = versions.get(session, self.portal_id, scenario_id)
            versions.set_enabled(session, self.hub, scenario, on)

    def change(self, do: str = "update", kind: int = DEAL, number: int = 0, **fields: Any) -> int:
        """Change a card in the portal; nothing is told of it. Gives its number."""
        asked = {"do": do, "entityTypeId": kind, "id": number, "fields": fields}
        return int(control(self.connected.simulator, "card", **asked)["id"])

    def deal(self, **fields: Any) -> int:
        """A new deal; the portal has told nobody."""
        return self.change("add", **fields)

    def tell(self, number: int, what: str = "UPDATE", kind: int = DEAL, user: str = "1") -> str:
        """The portal's event about a card arrives."""
        inner = {"ID": str(number)}
        name = f"ONCRM{EVENTS[kind]}{what}" if kind in EVENTS else f"ONCRMDYNAMICITEM{what}"
        if kind not in EVENTS:
            inner["ENTITY_TYPE_ID"] = str(kind)
        fields: Any = {"event": name, "data": {"FIELDS": inner}, "ts": "1790000000", "auth": {"user_id": user}}
        with self.hub.db.sql() as sql:
            connection = connections.of_portal(sql, self.portal_id)
        assert connection is not None
        return events.accept(self.hub, self.runtime.library, connection, fields)

    def work(self, *, later: bool = False) -> int:
        """Let the desk look at what is due, or at everything that waits; gives how many claims that took."""
        if later:
            self.hub.db.writer.run(lambda sql: sql.run("UPDATE bitrix24_change SET due_at = ?", (now_us(),)))
        count = 0
        while work := self.desk.hand_out(8):
            for one in work:
                one()
                count += 1
        return count

    def rows(self, query: str, *values: Any) -> list[Any]:
        """Rows of a query."""
        with self.hub.db.sql() as sql:
            return list(sql.all(query, values))

    def requests(self) -> list[tuple[str, list[str]]]:
        """The journal's requests in their order: outcome and the codes of the warnings."""
        found = self.rows("SELECT outcome, warnings FROM request ORDER BY id")
        return [(outcome, [note["code"] for note in loads(notes)]) for outcome, notes in found]

    def results(self) -> list[Any]:
        """What the runs returned, in their order."""
        return [loads(result) for (result,) in self.rows("SELECT result FROM run ORDER BY id")]

    def waiting(self) -> int:
        """How many changes wait."""
        return int(self.rows("SELECT count(*) FROM bitrix24_change")[0][0])


def make_scene(connected: Connected) -> Scene:
    """A scene on a connected portal."""
    return Scene(connected, make_runtime(connected.hub))
