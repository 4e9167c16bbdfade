"""What a block's test needs: a `RunContext` over given variables, a portal's resources, and small documents."""

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from hub.language import Found, Scope, compile_template, parse_path, resolve
from hub.quiet import QuietHours
from hub.scenarios.block import Block, CrmInfo, LineInfo, Outcome, PortalNames
from hub.scenarios.document import Document, parse_document
from hub.scenarios.mapping_row import MappingRow
from hub.scenarios.portal_mapping import rows_from
from hub.scenarios.registry import blocks
from hub.values import Value

TELEGRAM = LineInfo("l1", "Sales", "telegram", "active")
WHATSAPP = LineInfo("l2", "Phones", "whatsapp", "active", recipients="phone", receipts=True, templates=True)
NOW = datetime(2026, 11, 24, 11, 5, tzinfo=UTC)


class FakePortal:
    """Resources for a check: two lines and the scenario 7."""

    lines = {line.name: line for line in (TELEGRAM, WHATSAPP)}

    def line(self, name: str) -> LineInfo | None:
        return self.lines.get(name)

    def __init__(self, names: PortalNames | None = None, crm: Mapping[str, CrmInfo] | None = None) -> None:
        self._names = names or PortalNames()
        self._crm = crm or {}

    def scenario_exists(self, scenario: int) -> bool:
        return scenario == 7

    def crm(self, entity: str) -> CrmInfo | None:
        return self._crm.get(entity)

    def mapping(self, entity: str) -> list[MappingRow]:
        return rows_from(None, entity)

    def names(self) -> PortalNames:
        return self._names


class FakeContext(FakePortal):
    """A RunContext whose variables are what the test says."""

    def __init__(self, variables: Mapping[str, Value] | None = None, **more: Any) -> None:
        super().__init__()
        self.now: datetime = more.pop("now", NOW)
        self.zone = ZoneInfo("Europe/Moscow")
        self.quiet: QuietHours | None = more.pop("quiet", None)
        self.dry = False
        self.iteration = 0
        self.resumed: Mapping[str, Value] | None = more.pop("resumed", None)
        self.types: Mapping[str, str] = more.pop("types", {})
        self.warnings: list[tuple[str, str]] = []
        self.scope = Scope(local=dict(variables or {}), zone=self.zone, now=self.now, **more)

    def text(self, template: str) -> str:
        return compile_template(template).render(self.scope).text

    def value(self, template: Value) -> Value:
        if isinstance(template, str):
            return compile_template(template).evaluate(self.scope).value
        if isinstance(template, dict):
            return {key: self.value(item) for key, item in template.items()}
        return [self.value(item) for item in template] if isinstance(template, list) else template

    def lookup(self, path: str) -> Value | None:
        found = resolve(parse_path(path), self.scope)
        return found.value if isinstance(found, Found) else None

    def variable_type(self, name: str) -> str | None:
        return self.types.get(name)

    def warn(self, code: str, message: str, path: str = "") -> None:
        self.warnings.append((code, path))


def block(kind: str) -> Block:
    """The block of a type."""
    return blocks()[kind]


def run(kind: str, config: dict[str, Any], context: FakeContext | None = None) -> Outcome:
    """What a block answers for this config."""
    found = block(kind)
    return found.run(found.Config.model_validate(config), context or FakeContext())


def document(*nodes: dict[str, Any], links: list[tuple[str, str, str]] | None = None, **more: Any) -> Document:
    """A document; without `links` the blocks hang one after another on `next`, behind a webhook called `start`."""
    every = [{"id": "start", "type": "incoming_webhook", "config": more.pop("start", {})}, *nodes]
    chain = [(one["id"], "next", two["id"]) for one, two in pairwise(every)]
    ends = [{"from": a, "port": port, "to": b} for a, port, b in (chain if links is None else links)]
    return parse_document({"format": 1, "name": "Test", "blocks": every, "links": ends, **more})
