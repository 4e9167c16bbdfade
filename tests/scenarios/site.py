"""A portal as one process has it, with scenarios, a line and requests: what tests of intake and runs stand on."""

from typing import Any

from hub.clock import now_us
from hub.core import Hub
from hub.delivery import lines
from hub.endpoints.admission import Arrived
from hub.endpoints.intake import Outcome
from hub.runtime import make_runtime
from hub.scenarios import links, store, versions
from hub.values import dumps, loads
from tests.scenarios.fakes import document


class Site:
    """Two of these on one database are two processes, as far as their caches and names go."""

    def __init__(self, hub: Hub, portal_id: int) -> None:
        self.hub, self.portal_id = hub, portal_id
        self.runtime = make_runtime(hub)

    def line(self, name: str = "Sales") -> str:
        """Add a Telegram line; gives its id."""
        with self.hub.db.write() as session:
            config = {"token": "1:A"}
            return lines.create(session, self.hub, self.portal_id, name=name, channel="telegram", config=config).id

    def scenario(self, *nodes: dict[str, Any], scenario_id: int | None = None, **more: Any) -> int:
        """Publish a scenario of these blocks behind a webhook `start`; gives its id."""
        doc = document(*nodes, **more)
        with self.hub.db.write() as session:
            saved = versions.save(session, self.hub, self.portal_id, doc, scenario_id=scenario_id)
            assert saved.published, saved
            assert saved.scenario.id is not None
            return saved.scenario.id

    def token(self, scenario_id: int) -> str:
        """The token of its link."""
        with self.hub.db.read() as session:
            scenario = versions.get(session, self.portal_id, scenario_id)
            shown = links.links_of(
                session, self.hub, scenario, versions.document_of(versions.version(session, scenario))
            )
        assert shown is not None
        return shown.token_only.partition("token=")[2].partition("&")[0]

    def post(self, token: str, body: Any = None, *, wait: bool = False, query: str = "") -> Outcome:
        """A request with a JSON body at a link."""
        arrived = Arrived(
            method="POST",
            query=f"token={token}{query}".encode(),
            body=dumps({} if body is None else body).encode(),
            content_type="application/json",
            headers={},
            source="203.0.113.5",
            received_at=now_us(),
        )
        intake = self.runtime.intake
        return intake.accept(arrived, intake.target(arrived), wait=wait)

    def carry_on(self, at: int | None = None) -> int:
        """Execute every run that is due, as a worker does; gives their number."""
        count = 0
        while claimed := self.hub.db.writer.run(
            lambda sql: store.claim_due(sql, owner=self.hub.owner, limit=10, now=at or now_us())
        ):
            for run in claimed:
                self.runtime.runner.execute(run)
                count += 1
        return count

    def run(self, run_id: str | None) -> dict[str, Any]:
        """A run's row."""
        names = ("status", "state", "warnings", "result", "error", "wake_at", "awaits", "owner", "version")
        with self.hub.db.sql() as sql:
            row = sql.one(f"SELECT {', '.join(names)} FROM run WHERE id = ?", (run_id,))
        assert row is not None
        found = dict(zip(names, row, strict=True))
        return {key: loads(value) if key in ("result", "error") and value else value for key, value in found.items()}

    def column(self, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
        """The first column of a query."""
        with self.hub.db.sql() as sql:
            return [row[0] for row in sql.all(query, values)]


def give(**values: Any) -> dict[str, Any]:
    """A block that returns these values."""
    return {"id": "give", "type": "return_result", "config": {"values": values}}


def put(block_id: str = "put", scope: str = "global", **values: Any) -> dict[str, Any]:
    """A block that sets variables."""
    every = [{"name": name, "scope": scope, "value": value} for name, value in values.items()]
    return {"id": block_id, "type": "set_variable", "config": {"variables": every}}


def greet(**config: Any) -> dict[str, Any]:
    """A block that sends a message to the chat 7."""
    return {"id": "greet", "type": "send_message", "config": {"line": "Sales", "chat_id": "7", "text": "Hi", **config}}
