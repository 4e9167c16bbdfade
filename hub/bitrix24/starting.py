"""Runs that a change of a card starts: the variables, the request that is kept of it, and the run's first advance."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from connectors.bitrix24.errors import Denied, Missing
from connectors.errors import ConnectorError
from hub.bitrix24 import about, connections, mappings, watching
from hub.bitrix24.about import About
from hub.bitrix24.change_rows import Change
from hub.bitrix24.client import Bitrix24
from hub.bitrix24.fields import Catalogue, catalogue
from hub.bitrix24.mapping import LINKED, Mapped, Words, map_card
from hub.bitrix24.reading import Card, Reading, complete
from hub.bitrix24.watching import Look, Watcher
from hub.bitrix24.writes import Chain
from hub.clock import now_us, utc_now
from hub.endpoints import card_event, records
from hub.endpoints.admission import Arrived
from hub.endpoints.beginning import Begun, begin, request_variables
from hub.endpoints.card_event import CardEvent
from hub.endpoints.parse import Note
from hub.ids import new_id
from hub.language import Scope, TemplateFailure, system_values
from hub.scenarios import new_runs
from hub.scenarios.advance import Advance
from hub.scenarios.library import PortalView
from hub.scenarios.mapping_row import MappingRow
from hub.scenarios.new_runs import NewRun, beginning
from hub.scenarios.runner import Runner
from hub.scenarios.state import fresh, initial_variables
from hub.sql import Sql
from hub.values import Value, as_text

RECOVERED = Note("recovered", "No event came for this change; it was found by the regular search.")


@dataclass(frozen=True)
class Reason:
    """Why a change starts nothing."""

    outcome: str
    note: Note


UNCHANGED = Reason("unchanged", Note("unchanged", "None of the watched fields has changed."))
FIRST_LOOK = Reason(
    "unchanged", Note("first_look", "This card is seen for the first time; from now on its changes are noticed.")
)
FILTERED = Reason("unchanged", Note("filtered", "The scenario's filter does not let this card pass."))
ALREADY = Reason("unchanged", Note("already_started", "The scenario has run for this card's creation already."))
OWN_CHANGE = Reason("unchanged", Note("own_change", "The scenario made this change itself."))
LOOP = Reason("ignored", Note("loop", "Scenarios have changed this card five times in a row; here that ends."))
GONE = Reason("ignored", Note("gone", "The card was deleted in the meantime."))
DENIED = Reason("ignored", Note("denied", "The portal does not show this card to the user of the integration."))


@dataclass(frozen=True)
class Portal:
    """A portal's settings of now, and what executes its runs."""

    bitrix24: Bitrix24
    runner: Runner
    view: PortalView

    @classmethod
    def of(cls, bitrix24: Bitrix24, runner: Runner, view: PortalView) -> "Portal":
        """For one look."""
        return cls(bitrix24, runner, view)


@dataclass(frozen=True)
class Start:
    """A run about to be stored. `once`: the key that makes a creation start it once only."""

    watcher: Watcher
    event: CardEvent
    request_id: str
    run: NewRun
    begun: Begun
    mapped: Mapped
    once: str | None


def reason_of(error: ConnectorError) -> Reason:
    """Why a card could not be read."""
    if isinstance(error, Missing):
        return GONE
    if isinstance(error, Denied):
        return DENIED
    return Reason("ignored", Note("not_read", f"The card could not be read: {error.message}"[:500]))


def prepare(portal: Portal, change: Change, read: Reading, seen: Look, watcher: Watcher, led: Chain) -> Start | Reason:
    """The run that a scenario starts for a change, or why its filter says no. Raises ConnectorError where the words
    for values are not known yet and the portal does not tell them."""
    complete(portal.bitrix24.client(portal.view.id), read, [change.entity_id])
    card, rows = read.card(change.entity_id), _rows(portal, watcher, change.entity)
    mapped = map_card(rows, card, words_of(portal, card, rows, read))
    old, new = watching.old_and_new(watcher.config, seen)
    bitrix = card.bitrix | {"old": old, "new": new}
    inputs = card_event.inputs(mapped.variables, mapped.empty, bitrix)
    if watcher.config.filter is not None:
        scope = _scope(portal.view, inputs.locals, inputs.system, bitrix)
        try:
            if not watcher.config.filter.passes(scope):
                return FILTERED
        except TemplateFailure as failure:
            return Reason("unchanged", replace(FILTERED.note, message=f"The filter failed: {failure.message}"))
    scenario = watcher.scenario
    assert scenario.version_id is not None
    assert scenario.version is not None
    event = CardEvent(
        event=change.event,
        entity=change.entity,
        id=change.entity_id,
        user_id=change.user_id,
        recovered=change.recovered,
        variables=mapped.variables,
        empty=mapped.empty,
        bitrix=bitrix,
        chain=tuple(sorted(led.scenarios)),
        depth=led.depth,
    )
    now, request_id = now_us(), new_id()
    run = NewRun(new_id(), portal.view.id, scenario.id, scenario.version_id, scenario.version, request_id, now)
    begun = begin(
        portal.runner,
        portal.view,
        watcher.program,
        inputs,
        request_variables(request_id, now, card_event.SOURCE, card_event.CONTENT_TYPE),
        run_id=run.id,
        scenario_id=scenario.id,
        version_id=scenario.version_id,
        created_at=now,
    )
    once = f"created:{change.entity}:{change.entity_id}" if watcher.config.on == "created" else None
    return Start(watcher, event, request_id, run, begun, mapped, once)


def insert(sql: Sql, portal: Portal, change: Change, start: Start, *, now: int) -> bool:
    """Inside a job: store a run with its request. False when this creation has started the scenario already."""
    if start.once is not None:
        scenario_id, portal_id = start.run.scenario_id, portal.view.id
        taken = records.take_key(sql, scenario_id, start.once, portal_id, start.request_id, start.run.id, "", now)
        if taken is not None:
            return False
    notes = (RECOVERED,) if change.recovered else ()
    arrived = _arrived(start.event, start.request_id, start.run.created_at)
    records.insert(
        sql, records.Record.of(arrived, portal.view.id, start.run.scenario_id, "run", run_id=start.run.id, notes=notes)
    )
    ttl_s = portal.bitrix24.hub.settings.message_ttl_s
    made = start.begun.made
    new_runs.insert(sql, beginning(start.run, start.begun.state, made, portal.view, now=now, ttl_s=ttl_s))
    event = start.event
    of = About(change.entity, change.entity_id, event.chain, event.depth)
    about.keep(sql, portal.view.id, start.run.id, of)
    return True


def insert_reason(
    sql: Sql, portal: Portal, change: Change, read: Reading | None, scenario_id: int, reason: Reason, *, now: int
) -> None:
    """Inside a job: keep a request that says why a change started nothing."""
    event = CardEvent(change.event, change.entity, change.entity_id, change.user_id, change.recovered)
    notes = (reason.note, RECOVERED) if change.recovered else (reason.note,)
    arrived = _arrived(event, new_id(), now)
    records.insert(sql, records.Record.of(arrived, portal.view.id, scenario_id, reason.outcome, notes=notes))


def in_turn(starts: list[Start]) -> list[Start]:
    """The same runs, where only the first of those that use global variables has begun: the others were computed with
    what the first may have changed, so a worker begins them afterwards."""
    found, taken = [], False
    for start in starts:
        touched = start.begun.env.globals.touched
        if touched and taken:
            program, run = start.watcher.program, start.run
            local = card_event.inputs(start.mapped.variables, start.mapped.empty, start.event.bitrix)
            state = fresh(run.version_id, program.start, initial_variables(program) | local.locals)
            state.known.update(local.system)
            start = replace(start, begun=replace(start.begun, state=state, made=Advance(wake_at=run.created_at)))
        taken = taken or touched
        found.append(start)
    return found


def words_of(portal: Portal, card: Card, rows: list[MappingRow], read: Reading) -> Words:
    """What the values of a card are written with; the catalogues that the rows need are read where they are not known.
    Raises ConnectorError."""
    bitrix24, portal_id = portal.bitrix24, portal.view.id
    linked = {row.field.partition(".")[0] for row in rows if "." in row.field}.intersection(LINKED) - {"ASSIGNED_BY"}
    wanted = {card.kind.entity, *(name.lower() for name in linked)}
    known: dict[str, Catalogue] = {entity: catalogue(bitrix24, portal_id, entity) for entity in sorted(wanted)}
    with bitrix24.hub.db.sql() as sql:
        connection = connections.of_portal(sql, portal_id)
    origin = "" if connection is None else connection.client_endpoint.partition("/rest")[0]
    users = {of: full_name(person) for (what, of), person in read.linked.items() if what == "user" and person}
    return Words(known.get, portal.view.zone, portal.view.language, "RU", origin, users)


def full_name(person: Mapping[str, Value]) -> str:
    """The name of a person of the portal."""
    return " ".join(filter(None, (as_text(person.get(part)) for part in ("NAME", "LAST_NAME"))))


def _rows(portal: Portal, watcher: Watcher, entity: str) -> list[MappingRow]:
    if watcher.config.mapping is not None:
        return list(watcher.config.mapping)
    with portal.bitrix24.hub.db.sql() as sql:
        return mappings.rows_of(sql, portal.view.id, entity)


def _scope(
    view: PortalView, local: Mapping[str, Value], system: Mapping[str, Value], bitrix: Mapping[str, Value]
) -> Scope:
    now = utc_now()
    return Scope(
        system={**system_values(now, view.zone, view.language), **system},
        local=local,
        globals=view.globals,
        constants=view.constants,
        bitrix=bitrix,
        zone=view.zone,
        language=view.language,
        now=now,
    )


def _arrived(event: CardEvent, request_id: str, at: int) -> Arrived:
    return Arrived(
        method=card_event.METHOD,
        query=event.query,
        body=event.raw,
        content_type=card_event.CONTENT_TYPE,
        headers={},
        source=card_event.SOURCE,
        received_at=at,
        id=request_id,
    )
