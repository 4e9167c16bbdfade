"""What a portal tells about the application itself: installed, updated, removed, paid, and the test event."""

from collections.abc import Mapping

import structlog

from hub.bitrix24 import connections, install, uninstall
from hub.bitrix24.client import Bitrix24
from hub.bitrix24.connections import Connection
from hub.bitrix24.verify import Claim, Forged, claim_of_auth, prove
from hub.clock import now_us
from hub.core import Hub
from hub.ids import same
from hub.sql import Sql
from hub.values import Value

log = structlog.get_logger(__name__)
EVENTS = frozenset({"ONAPPINSTALL", "ONAPPUNINSTALL", "ONAPPUPDATE", "ONAPPPAYMENT", "ONAPPTEST"})
_NOBODY = "no portal has this token" + "." * 8


def is_genuine(hub: Hub, connection: Connection | None, fields: Mapping[str, Value]) -> bool:
    """Whether a POST to a handler's address proves by its application token that it comes from that portal.

    Takes the same time for a portal that is not known, and for one whose token was given up.
    """
    auth = fields.get("auth")
    claimed, member = (_plain(auth, "application_token"), _plain(auth, "member_id")) if auth is not None else ("", "")
    known = connection.application_token(hub) if connection is not None else ""
    matches = same(claimed, known or _NOBODY)
    belongs = same(member, connection.member_id if connection is not None else _NOBODY)
    return matches and belongs and bool(known) and connection is not None and connection.uninstalled_at is None


def installed_without_page(bitrix24: Bitrix24, fields: Mapping[str, Value]) -> None:
    """ONAPPINSTALL at the installation address: an application without a page gets its tokens only here.

    The worker takes the steps. Raises Forged, Unproven, Forbidden, Conflict.
    """
    claim = _claim(fields)
    connection = install.install(bitrix24, claim, prove(bitrix24, claim), language=_language(fields))
    install.note_finished(bitrix24.hub, connection.portal_id)
    check_soon(bitrix24.hub, connection.portal_id)


def handle(bitrix24: Bitrix24, connection: Connection, name: str, fields: Mapping[str, Value], *, proven: bool) -> None:
    """Take one of EVENTS at a portal's own address. `proven`: its application token was right.

    Some come legitimately without a known one: the first of all brings it, an update may change it, and news of a
    payment has none. Those prove themselves by an access token, or only make us ask. Raises Forged, Unproven.
    """
    hub, portal_id = bitrix24.hub, connection.portal_id
    if name == "ONAPPPAYMENT":
        if not proven and not _of(connection, fields):
            raise Forged
        check_soon(hub, portal_id)
        return
    if name in ("ONAPPINSTALL", "ONAPPUPDATE"):
        if not proven:
            _learn(bitrix24, connection, fields)
        if name == "ONAPPINSTALL":
            install.note_finished(hub, portal_id)
        else:
            _updated(hub, portal_id)
        check_soon(hub, portal_id)
        return
    if not proven:
        raise Forged
    data = fields.get("data")
    if name == "ONAPPUNINSTALL":
        clean = isinstance(data, dict) and data.get("CLEAN") == "1"
        uninstall.uninstall(hub, portal_id, clean=clean)
    elif name == "ONAPPTEST":
        query = data.get("QUERY") if isinstance(data, dict) else None
        asked = _plain(query, "asked_at")
        install.note_test_event(hub, portal_id, int(asked) if asked.isdecimal() and len(asked) < 18 else None)


def check_soon(hub: Hub, portal_id: int) -> None:
    """Let the worker look after what is registered in this portal now."""
    hub.db.writer.run(
        lambda sql: sql.run(
            "UPDATE bitrix24_connection SET check_at = ? WHERE portal_id = ? AND uninstalled_at IS NULL",
            (now_us(), portal_id),
        )
    )
    hub.ring()


def _learn(bitrix24: Bitrix24, connection: Connection, fields: Mapping[str, Value]) -> None:
    """Take over an application token that came together with an access token of the same portal."""
    claim = _claim(fields)
    proof = prove(bitrix24, claim)
    if not claim.application_token or not same(proof.info.member_id, connection.member_id) or not proof.admin:
        raise Forged
    if proof.info.client_id != connection.client_id:
        raise Forged
    token, portal_id = claim.application_token, connection.portal_id
    bitrix24.hub.db.writer.run(lambda sql: connections.keep_application_token(sql, bitrix24.hub, portal_id, token))


def _updated(hub: Hub, portal_id: int) -> None:
    """An update has wiped everything of ours in the portal."""

    def job(sql: Sql) -> None:
        sql.run("UPDATE bitrix24_connection SET registered_at = NULL WHERE portal_id = ?", (portal_id,))
        sql.run("DELETE FROM bitrix24_registration WHERE portal_id = ?", (portal_id,))

    hub.db.writer.run(job)


def _claim(fields: Mapping[str, Value]) -> Claim:
    auth = fields.get("auth")
    if not isinstance(auth, dict):
        raise Forged
    return claim_of_auth(auth)


def _of(connection: Connection, fields: Mapping[str, Value]) -> bool:
    auth = fields.get("auth")
    return isinstance(auth, dict) and same(_plain(auth, "member_id"), connection.member_id)


def _language(fields: Mapping[str, Value]) -> str:
    return _plain(fields.get("data"), "LANGUAGE_ID")


def _plain(values: Value, name: str) -> str:
    """A text, or an empty one for anything that is none."""
    value = values.get(name) if isinstance(values, dict) else None
    return value if isinstance(value, str) else ""
