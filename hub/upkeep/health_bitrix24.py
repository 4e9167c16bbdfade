"""The checks about a portal: whether it lets us in, calls us with its events, and shows what we registered in it."""

from hub.bitrix24 import connections, unshown
from hub.clock import SECOND, now_us, rfc3339
from hub.core import Hub
from hub.sql import Sql
from hub.upkeep.checks import Check
from hub.values import Value

NAMES = ("bitrix24_token", "bitrix24_events", "bitrix24_handlers")
SLOW_SWEEPS = 5
"""A search that is later than this many of its intervals is late."""


def checks_of(sql: Sql, hub: Hub, portal_id: int) -> list[Check]:
    """The three, from what is stored: the portal itself is not called."""
    connection = connections.of_portal(sql, portal_id)
    if connection is None or connection.uninstalled_at is not None:
        detail = "Bitrix24 is not installed here."
        action = "Install the application in a Bitrix24 portal, if its events are wanted."
        return [Check(name, "not_installed", detail, action) for name in NAMES]
    events = _events(sql, hub, portal_id)
    if events.state == "ok" and not connection.finished:
        detail = "The installation was not finished, so the portal sends us no events yet."
        action = "Open Hubline inside Bitrix24 and press “Next”."
        events = Check(NAMES[1], "warning", detail, action, {"in_portal": True})
    return [_token(sql, portal_id, connection.state), events, _handlers(sql, portal_id)]


def _token(sql: Sql, portal_id: int, state: str) -> Check:
    row = sql.one("SELECT max(updated_at) FROM bitrix24_token WHERE portal_id = ? AND broken = ''", (portal_id,))
    at = None if row is None else row[0]
    if state == "needs_reauth":
        detail = "The portal no longer grants us access; events wait until it does."
        action = "Let an administrator of the portal open Hubline inside Bitrix24 once."
        return Check(NAMES[0], "failed", detail, action, good_at=at)
    if state == "suspended":
        detail = "The portal has no access to applications: its plan or trial is over."
        return Check(NAMES[0], "failed", detail, "Renew the plan of the portal; nothing else is needed.", good_at=at)
    if at is None:
        detail = "There is no access token for the portal."
        action = "Let an administrator of the portal open Hubline inside Bitrix24 once."
        return Check(NAMES[0], "failed", detail, action)
    return Check(NAMES[0], "ok", "The portal grants us access.", good_at=at)


def _events(sql: Sql, hub: Hub, portal_id: int) -> Check:
    rows = sql.all(
        "SELECT code, handler, registered_at, error FROM bitrix24_registration WHERE portal_id = ? AND kind = 'event'"
        " ORDER BY code",
        (portal_id,),
    )
    at = max((row[2] for row in rows if row[2] is not None), default=None)
    refused: list[Value] = [{"code": code, "error": error} for code, _, _, error in rows if error]
    more: dict[str, Value] = {"refused": refused}
    action = "Register the events again."
    if at is None:
        return Check(NAMES[1], "failed", "The portal does not send us any events yet.", action, more)
    elsewhere = [row for row in rows if row[2] is not None and not row[1].startswith(f"{hub.settings.base_url}/")]
    if elsewhere:
        detail = "The portal calls an address that was ours before; the present one is another."
        return Check(NAMES[1], "failed", detail, action, more, good_at=at)
    if refused:
        detail = f"The portal refused {len(refused)} of {len(rows)} events."
        return Check(NAMES[1], "warning", detail, action, more, good_at=at)
    return Check(NAMES[1], "ok", f"The portal tells us of {len(rows)} kinds of events.", more=more, good_at=at)


def _handlers(sql: Sql, portal_id: int) -> Check:
    rows = sql.all(
        "SELECT kind, code, registered_at, error FROM bitrix24_registration WHERE portal_id = ? AND kind <> 'event'"
        " ORDER BY kind, code",
        (portal_id,),
    )
    at = max((row[2] for row in rows if row[2] is not None), default=None)
    refused: list[Value] = [{"kind": kind, "code": code, "error": error} for kind, code, _, error in rows if error]
    given_up = [one for one in unshown.find(sql, now=now_us()) if one.portal_id == portal_id]
    missed: list[Value] = [{"line": one.line_id, "count": one.count, "reason": one.reason} for one in given_up]
    more: dict[str, Value] = {"refused": refused, "unshown": missed}
    if given_up:
        count = sum(one.count for one in given_up)
        detail = f"Messages of customers that open lines did not take within the last day: {count}."
        action = "See that the open line is there and on in Bitrix24, then have them shown again."
        return Check(NAMES[2], "failed", detail, action, more, good_at=at)
    if refused:
        detail = f"The portal refused {len(refused)} of {len(rows)} robots, placements and senders."
        action = "Register them again. A plan without robots or CRM has no room for them."
        return Check(NAMES[2], "warning", detail, action, more, good_at=at)
    detail = f"Robots, placements and senders in the portal: {len(rows)}."
    return Check(NAMES[2], "ok", detail, more=more, good_at=at)


def late_search(sql: Sql, hub: Hub, portal_id: int, now: int) -> Check | None:
    """A search for lost events that has not got on for long, if there is one."""
    rows = sql.all("SELECT swept_to, error, next_at FROM bitrix24_watch WHERE portal_id = ?", (portal_id,))
    oldest = min((row[0] for row in rows if row[0] is not None), default=None)
    allowed_s = max(600.0, SLOW_SWEEPS * hub.settings.sweep_interval_s)
    if oldest is None or oldest > now - allowed_s * SECOND:
        return None
    reason = next((error for _, error, _ in rows if error), "")
    detail = f"Lost events of the portal were last searched for {(now - oldest) // SECOND} s ago."
    action = "See the check of the portal's token; the search goes on by itself when the portal answers."
    more: dict[str, Value] = {"at": rfc3339(oldest), "reason": reason}
    return Check("last_sweep", "failed", detail, action, more, good_at=oldest)
