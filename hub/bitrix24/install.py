"""Installing: what is stored of a proven portal, and the six steps that make it work, each of which may be repeated.

The install page takes the steps one after the other and shows how each went; where there is no page, the worker takes
them. A step that fails does not stop the others: a portal without robots still has events.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import structlog

from connectors.errors import ConnectorError
from hub.bitrix24 import connections, registrations
from hub.bitrix24.client import Bitrix24
from hub.bitrix24.connections import Connection
from hub.bitrix24.verify import Claim, Forged, Proof
from hub.clock import SECOND, now_us, rfc3339
from hub.core import Hub
from hub.errors import Conflict, Forbidden
from hub.portals.service import LANGUAGES
from hub.sql import Sql
from hub.values import Value, dumps, loads

log = structlog.get_logger(__name__)
Step = Literal["access", "events", "robots", "fields", "senders", "test_event"]
STEPS: tuple[Step, ...] = ("access", "events", "robots", "fields", "senders", "test_event")
NEEDED: tuple[Step, ...] = ("access", "events")
"""Without these the application would be dead, so an installation is not finished."""
TEST_EVENT_S = 20
CHECK_EVERY_S = 86_400
UNFINISHED_S = 600


def install(
    bitrix24: Bitrix24, claim: Claim, proof: Proof, *, language: str = "", from_start: bool = False
) -> Connection:
    """Store a proven portal and its tokens, all in one transaction; what is there already is brought up to date.

    `from_start`: the portal says that the application is not installed, so the steps of an earlier installation that
    was finished count no more. (A removal is told once; whoever was away then does not know of it.)

    Raises Forbidden when the user is no administrator, Conflict while an earlier installation is being erased.
    """
    hub = bitrix24.hub
    if not proof.admin:
        raise Forbidden("An administrator of the portal has to install the application.", code="not_admin")
    if not claim.refresh:
        raise Forged
    now = now_us()

    def job(sql: Sql) -> Connection:
        portal_id = _portal(sql, hub, proof, language, now)
        kept = connections.keep(
            sql, hub, proof.info, portal_id=portal_id, oauth_url=proof.oauth_url, user_id=proof.user_id, now=now
        )
        if from_start:
            connections.begin_again(sql, portal_id)
        bitrix24.tokens.store(
            sql,
            portal_id,
            proof.user_id,
            access=claim.access,
            refresh=claim.refresh,
            expires_in=claim.expires_in,
            admin=True,
            name=proof.name,
        )
        if claim.application_token:
            connections.keep_application_token(sql, hub, portal_id, claim.application_token)
        _set_step(sql, portal_id, "access", "ok", {"user": proof.name}, now)
        # Should the page be closed before its steps are taken, the worker takes them.
        sql.run(
            "UPDATE bitrix24_connection SET check_at = COALESCE(check_at, ?) WHERE portal_id = ?",
            (now + UNFINISHED_S * SECOND, portal_id),
        )
        found = connections.of_portal(sql, portal_id)
        assert found is not None, kept
        return found

    connection = hub.db.writer.run(job)
    log.info("portal_installed", portal_id=connection.portal_id, member_id=connection.member_id)
    return connection


def heal(bitrix24: Bitrix24, claim: Claim, proof: Proof) -> None:
    """An administrator opened the application on a connected portal: keep the new tokens, and go on where there were
    none that work."""
    if proof.admin and claim.refresh:
        install(bitrix24, claim, proof)


def find(hub: Hub, proof: Proof) -> Connection | None:
    """The connection of a proven portal, None when it has none or removed it."""
    with hub.db.sql() as sql:
        found = connections.by_member(sql, proof.info.member_id)
    return None if found is None or found.uninstalled_at is not None else found


# ---------------------------------------------------------------- steps


def steps(hub: Hub, portal_id: int) -> dict[str, Value]:
    """How every step stands: `{step: {state: ok|failed|waiting, detail, at}}`; a step that was not taken is waiting."""
    with hub.db.sql() as sql:
        row = sql.one("SELECT steps FROM bitrix24_connection WHERE portal_id = ?", (portal_id,))
    stored = loads(row[0]) if row is not None else {}
    assert isinstance(stored, dict)
    return {step: stored.get(step) or {"state": "waiting", "detail": {}, "at": None} for step in STEPS}


def next_step(shown: Mapping[str, Any]) -> Step | None:
    """The first step that was not taken yet."""
    return next((step for step in STEPS if shown[step]["state"] == "waiting" and shown[step]["at"] is None), None)


def may_finish(shown: Mapping[str, Any]) -> bool:
    """Whether the portal may be told that the installation is over."""
    return all(shown[step]["state"] == "ok" for step in NEEDED) and next_step(shown) is None


def take(bitrix24: Bitrix24, portal_id: int, step: Step) -> None:
    """Take one step, now or again, and note how it went. Never raises what a portal may refuse."""
    hub = bitrix24.hub
    try:
        detail = TAKERS[step](bitrix24, portal_id)
        state = "waiting" if step == "test_event" else "ok"
    except ConnectorError as error:
        state, detail = "failed", {"code": error.code or error.outcome, "message": error.message}
        log.warning("install_step_failed", portal_id=portal_id, step=step, code=error.code)
    now = now_us()
    # What a test event found out may be there before its step has been noted.
    keep_ok = step == "test_event" and state == "waiting"
    hub.db.writer.run(lambda sql: _set_step(sql, portal_id, step, state, detail, now, keep_ok=keep_ok))
    if step == "events" and state == "ok":
        _note_registered(hub, portal_id)


def take_all(bitrix24: Bitrix24, portal_id: int) -> None:
    """Take every step, as the worker does where there is no page."""
    for step in STEPS:
        take(bitrix24, portal_id, step)


def note_test_event(hub: Hub, portal_id: int, sent_at: int | None) -> None:
    """The test event has come. `sent_at`: when it was asked for, µs."""
    now = now_us()
    seconds = None if sent_at is None else round(max(0, now - sent_at) / SECOND, 1)
    detail: dict[str, Any] = {} if seconds is None else {"seconds": seconds}
    hub.db.writer.run(lambda sql: _set_step(sql, portal_id, "test_event", "ok", detail, now))


def note_finished(hub: Hub, portal_id: int) -> None:
    """The portal counts the application as installed."""
    hub.db.writer.run(
        lambda sql: sql.run("UPDATE bitrix24_connection SET finished = TRUE WHERE portal_id = ?", (portal_id,))
    )


def note_overdue_test(hub: Hub, portal_id: int) -> None:
    """A test event that does not come is a failed step: the portal cannot reach this address."""
    shown = steps(hub, portal_id)["test_event"]
    assert isinstance(shown, dict)
    asked = shown["detail"].get("asked_at") if shown["state"] == "waiting" else None
    if isinstance(asked, str) and now_us() - int(asked) > TEST_EVENT_S * SECOND:
        now, message = now_us(), "The test event did not come: the portal cannot reach this address."
        detail = {"code": "no_test_event", "message": message, "address": hub.settings.base_url}
        hub.db.writer.run(lambda sql: _set_step(sql, portal_id, "test_event", "failed", detail, now))


def _access(bitrix24: Bitrix24, portal_id: int) -> dict[str, Any]:
    profile = bitrix24.client(portal_id).call("profile").result
    return {"user": " ".join(str(profile.get(part) or "") for part in ("NAME", "LAST_NAME")).strip()}


def _events(bitrix24: Bitrix24, portal_id: int) -> dict[str, Any]:
    synced = registrations.sync(bitrix24, portal_id, ("event", "placement"))
    return {"there": synced.there, "refused": synced.refused}


def _robots(bitrix24: Bitrix24, portal_id: int) -> dict[str, Any]:
    synced = registrations.sync(bitrix24, portal_id, ("robot", "activity"))
    return {"there": synced.there, "refused": synced.refused}


def _senders(bitrix24: Bitrix24, portal_id: int) -> dict[str, Any]:
    synced = registrations.sync(bitrix24, portal_id, ("sender", "connector"))
    return {"there": synced.there, "refused": synced.refused}


def _fields(bitrix24: Bitrix24, portal_id: int) -> dict[str, Any]:
    entities = ("deal", "contact")
    answer = bitrix24.client(portal_id).batch({name: (f"crm.{name}.fields", {}) for name in entities})
    return {name: len(answer[name]) for name in entities}


def _test_event(bitrix24: Bitrix24, portal_id: int) -> dict[str, Any]:
    asked = str(now_us())
    bitrix24.client(portal_id).call("event.test", {"asked_at": asked})
    return {"asked_at": asked}


Taker = Callable[[Bitrix24, int], dict[str, Any]]
TAKERS: dict[Step, Taker] = {
    "access": _access,
    "events": _events,
    "robots": _robots,
    "fields": _fields,
    "senders": _senders,
    "test_event": _test_event,
}


# ---------------------------------------------------------------- rows


def _portal(sql: Sql, hub: Hub, proof: Proof, language: str, now: int) -> int:
    """The number of the portal's row, made or brought up to date."""
    info, scopes = proof.info, dumps(list(proof.info.scopes))
    row = sql.one("SELECT id, state FROM portal WHERE member_id = ?", (info.member_id,))
    if row is None:
        made = sql.one(
            "INSERT INTO portal (member_id, domain, state, installed_at, scopes, time_zone, language)"
            " VALUES (?, ?, 'active', ?, ?, ?, ?) RETURNING id",
            (
                info.member_id,
                info.domain,
                now,
                scopes,
                hub.settings.time_zone,
                language if language in LANGUAGES else "ru",
            ),
        )
        assert made is not None
        sql.run("INSERT INTO stamp (portal_id, config, globals) VALUES (?, 0, 0)", (made[0],))
        return int(made[0])
    portal_id, state = int(row[0]), row[1]
    if state == "uninstalled":
        _reopen(sql, portal_id, now)
    sql.run("UPDATE portal SET domain = ?, scopes = ?, state = 'active' WHERE id = ?", (info.domain, scopes, portal_id))
    connections.bump(sql, portal_id)
    return portal_id


def _reopen(sql: Sql, portal_id: int, now: int) -> None:
    """Let a portal come back: what was to be erased later stays, what is being erased now has to be gone first."""
    sql.run(
        "DELETE FROM bitrix24_erasure WHERE portal_id = ? AND done_at IS NULL AND owner IS NULL AND due_at > ?",
        (portal_id, now),
    )
    if sql.one("SELECT 1 FROM bitrix24_erasure WHERE portal_id = ? AND done_at IS NULL LIMIT 1", (portal_id,)):
        raise Conflict("The earlier installation is still being erased; try again in a minute.", code="being_erased")
    sql.run("UPDATE portal SET installed_at = ? WHERE id = ?", (now, portal_id))


def _set_step(
    sql: Sql, portal_id: int, step: Step, state: str, detail: Mapping[str, Any], now: int, *, keep_ok: bool = False
) -> None:
    lock = " FOR UPDATE" if sql.dialect == "postgresql" else ""
    row = sql.one(f"SELECT steps FROM bitrix24_connection WHERE portal_id = ?{lock}", (portal_id,))  # noqa: S608
    if row is None:
        return
    shown = loads(row[0])
    assert isinstance(shown, dict)
    asked = detail.get("asked_at")
    if keep_ok and (shown.get(step) or {}).get("state") == "ok" and int(shown[step].get("us") or 0) > int(asked or 0):
        return
    shown[step] = {"state": state, "detail": dict(detail), "at": rfc3339(now), "us": str(now)}
    sql.run("UPDATE bitrix24_connection SET steps = ? WHERE portal_id = ?", (dumps(shown), portal_id))


def _note_registered(hub: Hub, portal_id: int) -> None:
    now = now_us()
    hub.db.writer.run(
        lambda sql: sql.run(
            "UPDATE bitrix24_connection SET registered_at = ?, check_at = ? WHERE portal_id = ?",
            (now, now + CHECK_EVERY_S * SECOND, portal_id),
        )
    )
