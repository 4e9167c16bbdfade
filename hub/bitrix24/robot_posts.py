"""What a portal's process posts when it comes to one of our robots: stored, and a run begun, before it is answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from hub.bitrix24 import about, entities, robot_values
from hub.bitrix24.about import About
from hub.bitrix24.connections import Connection
from hub.bitrix24.robots import CODE, START, answer, token_place
from hub.clock import SECOND, now_us
from hub.endpoints import records
from hub.endpoints.admission import Arrived
from hub.endpoints.beginning import Begun, Executing, begin, inputs_of, request_variables
from hub.errors import StorageUnavailable
from hub.ids import new_id, token_hash
from hub.scenarios import new_runs
from hub.scenarios.check import NotRunnable, Program
from hub.scenarios.library import STALE_TRIES, PortalView, PublishedScenario, is_current
from hub.scenarios.new_runs import NewRun, beginning
from hub.scenarios.runner import lines_of
from hub.sql import Sql
from hub.values import Value, dumps_bytes

_LONGEST = 1_000
_OFF = {"code": "scenario_off", "message": "The scenario is switched off."}


@dataclass(frozen=True)
class Posted:
    """What a process posts when it comes to a robot. `waits` is None where it does not say."""

    code: str
    scenario_id: int
    event_token: str = field(repr=False)
    document: Value
    workflow_id: str
    properties: Value
    waits: bool | None


def read(fields: Mapping[str, Value]) -> Posted | None:
    """A robot's post; None for what is none of ours."""
    code, token = fields.get("code"), fields.get("event_token")
    known = CODE.match(code) if isinstance(code, str) else None
    if known is None or not isinstance(token, str) or not 0 < len(token) <= _LONGEST:
        return None
    workflow, waits = fields.get("workflow_id"), fields.get("use_subscription")
    return Posted(
        code=known[0],
        scenario_id=int(known[1]),
        event_token=token,
        document=fields.get("document_id"),
        workflow_id=workflow[:128] if isinstance(workflow, str) else "",
        properties=fields.get("properties"),
        waits={"Y": True, "N": False}.get(waits.upper()) if isinstance(waits, str) else None,
    )


def accept(runtime: Executing, connection: Connection, fields: Mapping[str, Value]) -> str:
    """Start the run of a robot's post that is proven to come from this portal; what became of it: `run`, `duplicate`,
    `captured` or `ignored`. Raises StorageUnavailable."""
    posted = read(fields)
    if posted is None:
        return "ignored"
    for attempt in range(STALE_TRIES):
        view = runtime.library.portal(connection.portal_id, fresh=attempt > 0)
        became = _Taking(runtime, view, posted).take()
        if became is not None:
            return became
    raise StorageUnavailable("The portal's scenarios change all the time; try again.")


class _Taking:
    """One robot's post, with the portal's settings as they were read."""

    def __init__(self, runtime: Executing, view: PortalView, posted: Posted) -> None:
        self._runtime = runtime
        self._hub = runtime.hub
        self._view = view
        self._posted = posted
        self._now = now_us()
        self._hash = token_hash(posted.event_token)
        self._waits = posted.waits is not False

    def take(self) -> str | None:
        """Store it; None when the settings are out of date."""
        scenario = self._view.scenarios.get(self._posted.scenario_id)
        program = self._program(scenario)
        if scenario is None or program is None:
            return self._hub.db.writer.run(partial(self._keep_off, scenario=scenario), rings=True)
        if self._posted.waits is None:
            self._waits = bool(program.start_config.wait)
        return self._run(scenario, program)

    def _program(self, scenario: PublishedScenario | None) -> Program | None:
        if scenario is None or scenario.version_id is None:
            return None
        try:
            program = self._runtime.library.program(scenario.version_id)
        except NotRunnable:
            return None
        return program if program.nodes[program.start].type == START else None

    def _run(self, scenario: PublishedScenario, program: Program) -> str | None:
        assert scenario.version_id is not None
        assert scenario.version is not None
        arrived = self._arrived(robot_values.given(program.start_config.inputs, self._posted.properties))
        run = NewRun(
            new_id(), self._view.id, scenario.id, scenario.version_id, scenario.version, arrived.id, arrived.received_at
        )
        record = records.Record.of(arrived, self._view.id, scenario.id, "run", run_id=run.id)
        stored = records.Stored(
            id=arrived.id,
            portal_id=self._view.id,
            scenario_id=scenario.id,
            outcome="run",
            run_id=run.id,
            source=arrived.source,
            method=arrived.method,
            content_type=arrived.content_type,
            received_at=arrived.received_at,
            query="",
            raw=arrived.body,
        )
        begun = begin(
            self._runtime.runner,
            self._view,
            program,
            inputs_of(stored, program.start_config),
            request_variables(arrived.id, arrived.received_at, arrived.source, arrived.content_type),
            run_id=run.id,
            scenario_id=scenario.id,
            version_id=scenario.version_id,
            created_at=run.created_at,
        )
        timeout_s = program.start_config.timeout_s
        deadline = None if timeout_s is None or not self._waits else self._now + timeout_s * SECOND
        job = partial(self._keep, scenario_id=scenario.id, run=run, record=record, begun=begun, deadline=deadline)
        return self._hub.db.writer.run(job, lines=lines_of(begun.made, self._view), keys=[self._hash], rings=True)

    def _keep(
        self, sql: Sql, scenario_id: int, run: NewRun, record: records.Record, begun: Begun, deadline: int | None
    ) -> str | None:
        if not is_current(sql, self._view, begun.env.globals):
            return None
        if not self._take_token(sql, scenario_id, run.id, deadline):
            return "duplicate"
        records.insert(sql, record)
        ttl_s = self._hub.settings.message_ttl_s
        new_runs.insert(sql, beginning(run, begun.state, begun.made, self._view, now=self._now, ttl_s=ttl_s))
        card = entities.of_document(self._posted.document)
        if card is not None:
            about.keep(sql, self._view.id, run.id, About(*card))
        if self._waits:
            sql.run("UPDATE run SET watched = TRUE WHERE id = ?", (run.id,))
        return "run"

    def _keep_off(self, sql: Sql, scenario: PublishedScenario | None) -> str | None:
        """Nothing runs; a process that waits is told so at once."""
        if not is_current(sql, self._view):
            return None
        if not self._take_token(sql, self._posted.scenario_id, None, None):
            return "duplicate"
        if scenario is not None:
            arrived = self._arrived({})
            records.insert(sql, records.Record.of(arrived, self._view.id, scenario.id, "captured"))
        if self._waits:
            name = str(self._posted.scenario_id) if scenario is None else scenario.name
            answer(sql, self._view, self._hash, name, "failed", robot_values.returned(None, "failed", None, _OFF))
        return "captured"

    def _take_token(self, sql: Sql, scenario_id: int, run_id: str | None, deadline: int | None) -> bool:
        portal_id = self._view.id
        sealed = self._hub.box.seal(self._posted.event_token, **token_place(portal_id, self._hash))
        return bool(
            sql.run(
                "INSERT INTO bitrix24_robot_run (portal_id, token_hash, run_id, scenario_id, event_token_sealed, waits,"
                " created_at, deadline_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (portal_id, token_hash)"
                " DO NOTHING",
                (portal_id, self._hash, run_id, scenario_id, sealed, self._waits, self._now, deadline),
            )
        )

    def _arrived(self, inputs: Mapping[str, Value]) -> Arrived:
        """The post as a request that can be kept and replayed; the portal's tokens are not in it."""
        document = self._posted.document
        if isinstance(document, dict):
            document = [document.get(key, "") for key in ("0", "1", "2")]
        card = entities.of_document(document)
        last = document[2] if isinstance(document, list) and len(document) == 3 else ""
        body = {
            "document_id": last if isinstance(last, str) else "",
            "document": document,
            "entity": None if card is None else card[0],
            "entity_id": None if card is None else card[1],
            "workflow_id": self._posted.workflow_id,
            "robot": self._posted.code,
            **inputs,
        }
        return Arrived(
            method="ROBOT",
            query=b"",
            body=dumps_bytes(body),
            content_type="application/json",
            headers={},
            source="bitrix24",
            received_at=self._now,
        )
