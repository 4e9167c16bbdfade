"""Robots as the portal knows them: each published scenario that begins with one stands among its robots and process
actions, and a process that waits is told how its run ended, once for each event token."""

import re
from collections.abc import Iterable, Mapping
from functools import partial

import structlog

from connectors.bitrix24.errors import Refused
from hub.bitrix24 import calls, registrations, robot_values
from hub.bitrix24.calls import NewCall
from hub.bitrix24.connections import Connection
from hub.bitrix24.registrations import Kind, Wanted
from hub.clock import now_us
from hub.core import Hub
from hub.scenarios.check import NotRunnable, Program, compile_document
from hub.scenarios.document import parse_document
from hub.scenarios.library import PortalView
from hub.sql import Sql
from hub.values import Value

log = structlog.get_logger(__name__)
START = "bitrix24_robot"
CODE = re.compile(r"hub_([1-9]\d{0,14})(?:_bp)?\Z")
_SAID = {
    "ru": {
        "completed": "Сценарий «{}» выполнен",
        "partial": "Сценарий «{}» выполнен, но один из блоков завершился ошибкой",
        "failed": "Сценарий «{}» не выполнен",
        "cancelled": "Сценарий «{}» остановлен",
        "expired": "Сценарий «{}» не выполнен вовремя",
        "timeout": "Сценарий «{}» не успел ответить; процесс идёт дальше",
    },
    "en": {
        "completed": "Scenario “{}” is done",
        "partial": "Scenario “{}” is done, but one of its blocks failed",
        "failed": "Scenario “{}” failed",
        "cancelled": "Scenario “{}” was stopped",
        "expired": "Scenario “{}” was not done in time",
        "timeout": "Scenario “{}” did not answer in time; the process goes on",
    },
}


# ---------------------------------------------------------------- what is registered


def wanted(hub: Hub, connection: Connection, kind: Kind) -> Iterable[Wanted]:
    """The robots, or the process actions, that a portal should have."""
    handler = connection.address(hub, "robot")
    for scenario_id, program in _published(hub, connection.portal_id):
        config = program.start_config
        params: dict[str, Value] = {
            "NAME": {"ru": config.title, "en": config.title},
            "DESCRIPTION": {"ru": f"Hubline: {program.name}", "en": f"Hubline: {program.name}"},
            "AUTH_USER_ID": connection.user_id,
            # Left out, it would be the choice of whoever draws the process, and a robot that waits by mistake hangs.
            "USE_SUBSCRIPTION": "Y" if config.wait else "N",
            "PROPERTIES": robot_values.declared_inputs(config.inputs),
            "RETURN_PROPERTIES": robot_values.declared_results(program),
        }
        if kind == "robot":
            params["FILTER"] = {"INCLUDE": [["crm"]]}
        yield Wanted(code_of(scenario_id, kind), handler, params)


def code_of(scenario_id: int, kind: Kind) -> str:
    """What a portal knows the robot or the process action of a scenario by."""
    return f"hub_{scenario_id}" + ("_bp" if kind == "activity" else "")


def _published(hub: Hub, portal_id: int) -> Iterable[tuple[int, Program]]:
    with hub.db.sql() as sql:
        rows = sql.all(
            "SELECT s.id, v.document FROM scenario s JOIN scenario_version v ON v.scenario_id = s.id"
            " AND v.n = s.published WHERE s.portal_id = ? AND s.enabled AND s.deleted_at IS NULL"
            " AND v.document LIKE ? ORDER BY s.id",
            (portal_id, f'%"{START}"%'),
        )
    for scenario_id, document in rows:
        try:
            program = compile_document(parse_document(document, "application/json"))
        except NotRunnable as error:
            log.error("robot_not_runnable", scenario_id=scenario_id, reason=str(error))
            continue
        if program.nodes[program.start].type == START:
            yield int(scenario_id), program


# ---------------------------------------------------------------- answering


def answer(
    sql: Sql, view: PortalView, hashed: str, name: str, status: str, values: Mapping[str, Value], *, now: int = 0
) -> bool:
    """Inside a job: have a waiting process told how its run ended; False when it was told before. `name`: of the
    scenario. There is one answer to an event token, whatever becomes of the run later."""
    now = now or now_us()
    first = sql.run(
        "UPDATE bitrix24_robot_run SET answered_at = ? WHERE portal_id = ? AND token_hash = ? AND answered_at IS NULL"
        " AND waits",
        (now, view.id, hashed),
    )
    if not first:
        return False
    said = _SAID.get(view.language, _SAID["en"])[status].format(name)
    error = values.get(robot_values.ERROR)
    params = {
        "event_token": {"$event_token": hashed},
        "return_values": dict(values),
        "log_message": f"{said}: {error}" if error else said,
    }
    return calls.enqueue(sql, view.id, NewCall(f"robot:{hashed}", "bizproc.event.send", params), now=now)


def _event_token(hub: Hub, sql: Sql, portal_id: int, hashed: str) -> Value:
    row = sql.one(
        "SELECT event_token_sealed FROM bitrix24_robot_run WHERE portal_id = ? AND token_hash = ?", (portal_id, hashed)
    )
    if row is None:
        raise Refused("The robot that asked is not known any more.", code="no_robot")
    return hub.box.open(row[0], **token_place(portal_id, hashed))


def token_place(portal_id: int, hashed: str) -> dict[str, str]:
    """Where a sealed event token stands."""
    return {"table": "bitrix24_robot_run", "column": "event_token", "row": f"{portal_id}:{hashed}"}


calls.REFERENCES["$event_token"] = _event_token
registrations.WANTED["robot"] = partial(wanted, kind="robot")
registrations.WANTED["activity"] = partial(wanted, kind="activity")
