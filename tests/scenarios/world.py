"""A run without database or network: programs, what it sees, and blocks to build scenarios of."""

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from hub.scenarios.advance import Advance, Environment, Globals
from hub.scenarios.check import Program, compile_document
from hub.scenarios.document import Document
from hub.scenarios.engine import advance
from hub.scenarios.state import State, fresh, initial_variables
from tests.scenarios.fakes import TELEGRAM, document

NOW = datetime(2026, 11, 24, 11, 5, tzinfo=UTC)


class World:
    """Programs by version (a scenario's published version has its own number), and what a run sees."""

    def __init__(self, *documents: Document, body: Any = None, **more: Any) -> None:
        self.programs: dict[int, Program] = {n: compile_document(doc) for n, doc in enumerate(documents, 1)}
        self.globals: Mapping[str, Any] = more.pop("globals", {})
        self.body, self.more = body, more
        self.state = fresh(1, self.programs[1].start, initial_variables(self.programs[1]))

    def environment(self, now: datetime) -> Environment:
        return Environment(
            now=now,
            zone=ZoneInfo("Europe/Moscow"),
            language="ru",
            program=self.programs.__getitem__,
            published=lambda scenario: scenario if scenario in self.programs else None,
            line=lambda name: TELEGRAM if name == "Sales" else None,
            constants={},
            globals=Globals(self.globals),
            body=self.body,
            query={},
            request={},
            run={},
            message_ttl_s=3600,
            **self.more,
        )

    def advance(self, resumed: dict[str, Any] | None = None, now: datetime = NOW) -> Advance:
        """Go on, as another process would: with the state out of its JSON."""
        self.state = State.from_json(self.state.to_json())
        if resumed is not None:
            self.state.resumed = resumed
        return advance(self.state, self.environment(now))

    def finish(self) -> tuple[Advance, list[Any]]:
        """Advance to the end through every slice; gives the last advance and all steps."""
        steps: list[Any] = []
        while True:
            made = self.advance()
            steps += made.steps
            if made.status != "running":
                return made, steps


def put(block_id: str, scope: str = "local", **values: Any) -> dict[str, Any]:
    every = [{"name": name, "value": value, "scope": scope} for name, value in values.items()]
    return {"id": block_id, "type": "set_variable", "config": {"variables": every}}


def give(block_id: str = "give", **values: Any) -> dict[str, Any]:
    return {"id": block_id, "type": "return_result", "config": {"values": values}}


def each(block_id: str, items: Any, name: str = "item", **more: Any) -> dict[str, Any]:
    return {"id": block_id, "type": "for_each", "config": {"list": items, "as": name, **more}}


def call(block_id: str, scenario: int, **values: Any) -> dict[str, Any]:
    return {"id": block_id, "type": "call_scenario", "config": {"scenario": scenario, "values": values}}


def send(block_id: str = "greet", **more: Any) -> dict[str, Any]:
    return {"id": block_id, "type": "send_message", "config": {"line": "Sales", "chat_id": "7", "text": "Hi", **more}}


STOP = {"id": "end", "type": "stop", "config": {}}


def looping(*, items: Any, body: list[dict[str, Any]], after: dict[str, Any]) -> Document:
    chain = [("loop", "each", body[0]["id"])]
    chain += [(one["id"], "next", two["id"]) for one, two in pairwise(body)]
    return document(
        each("loop", items), *body, after, links=[("start", "next", "loop"), *chain, ("loop", "next", after["id"])]
    )
