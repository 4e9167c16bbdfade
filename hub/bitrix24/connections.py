"""Which portals are connected, how they are found, and what state their connection is in."""

from dataclasses import dataclass
from typing import Literal

from connectors.bitrix24.oauth import AppInfo
from hub.core import Hub
from hub.ids import new_token, token_hash
from hub.sql import Sql
from hub.values import dumps

State = Literal["active", "needs_reauth", "suspended", "uninstalled"]
HandlerKind = Literal["event", "robot", "sms", "openlines"]
NO_STEPS = dumps({})
_COLUMNS = (
    "c.portal_id, p.member_id, p.domain, p.state, c.client_id, c.client_endpoint, c.oauth_url, c.user_id,"
    " c.application_token_sealed, c.handler_sealed, c.finished, c.uninstalled_at"
)


@dataclass(frozen=True)
class Connection:
    """A portal's connection as it was read. `application_token_sealed` is empty while it is not known."""

    portal_id: int
    member_id: str
    domain: str
    state: str
    client_id: str
    client_endpoint: str
    oauth_url: str
    user_id: int
    application_token_sealed: str
    handler_sealed: str
    finished: bool
    uninstalled_at: int | None

    def application_token(self, hub: Hub) -> str:
        """What the portal proves its calls by; empty while it is not known."""
        sealed = self.application_token_sealed
        return hub.box.open(sealed, **_token_place(self.portal_id)) if sealed else ""

    def handler_token(self, hub: Hub) -> str:
        """The token in the addresses that the portal calls."""
        return hub.box.open(self.handler_sealed, **_handler_place(self.portal_id))

    def address(self, hub: Hub, kind: HandlerKind) -> str:
        """The address that the portal is to call with events, robots, messages or open lines."""
        return f"{hub.settings.base_url}/bitrix24/{kind}/{self.handler_token(hub)}"


def of_portal(sql: Sql, portal_id: int) -> Connection | None:
    """The connection of a portal by our number."""
    return _find(sql, "c.portal_id = ?", portal_id)


def by_member(sql: Sql, member_id: str) -> Connection | None:
    """The connection of a portal by Bitrix24's key."""
    return _find(sql, "p.member_id = ?", member_id)


def by_handler(sql: Sql, token: str) -> Connection | None:
    """The connection that the token of a handler's address belongs to."""
    return _find(sql, "c.handler_hash = ?", token_hash(token))


def keep(sql: Sql, hub: Hub, info: AppInfo, *, portal_id: int, oauth_url: str, user_id: int, now: int) -> Connection:
    """Inside a job: store what the OAuth server said of a portal; everything here is verified. A connection that is
    there keeps its handler's token, its finished mark and, unless it was uninstalled, its steps."""
    known = of_portal(sql, portal_id)
    if known is None:
        handler = new_token()
        sql.run(
            "INSERT INTO bitrix24_connection (portal_id, client_id, client_endpoint, oauth_url,"
            " application_token_sealed, status, version, user_id, handler_hash, handler_sealed, finished, steps,"
            " timeline) VALUES (?, ?, ?, ?, '', ?, ?, ?, ?, ?, FALSE, ?, TRUE)",
            (
                portal_id,
                info.client_id,
                info.client_endpoint,
                oauth_url,
                info.status,
                info.version,
                user_id,
                token_hash(handler),
                hub.box.seal(handler, **_handler_place(portal_id)),
                NO_STEPS,
            ),
        )
    else:
        sql.run(
            "UPDATE bitrix24_connection SET client_id = ?, client_endpoint = ?, oauth_url = ?, status = ?, version = ?,"
            " user_id = ?, uninstalled_at = NULL WHERE portal_id = ?",
            (info.client_id, info.client_endpoint, oauth_url, info.status, info.version, user_id, portal_id),
        )
        if known.uninstalled_at is not None:
            sql.run(
                "UPDATE bitrix24_connection SET finished = FALSE, registered_at = NULL, steps = ? WHERE portal_id = ?",
                (NO_STEPS, portal_id),
            )
    sql.run("UPDATE bitrix24_app SET portal_id = ? WHERE client_id = ?", (portal_id, info.client_id))
    kept = of_portal(sql, portal_id)
    assert kept is not None, now
    return kept


def begin_again(sql: Sql, portal_id: int) -> None:
    """Inside a job: the steps of an installation that was finished have to be taken once more."""
    sql.run(
        "UPDATE bitrix24_connection SET finished = FALSE, registered_at = NULL, steps = ? WHERE portal_id = ?"
        " AND finished",
        (NO_STEPS, portal_id),
    )


def keep_application_token(sql: Sql, hub: Hub, portal_id: int, token: str) -> None:
    """Inside a job: from now on the portal proves its calls by this token; it came with a verified access token."""
    sql.run(
        "UPDATE bitrix24_connection SET application_token_sealed = ? WHERE portal_id = ?",
        (hub.box.seal(token, **_token_place(portal_id)), portal_id),
    )


def keep_endpoint(sql: Sql, portal_id: int, endpoint: str, domain: str) -> None:
    """Inside a job: the OAuth server says that the portal answers here now."""
    sql.run("UPDATE bitrix24_connection SET client_endpoint = ? WHERE portal_id = ?", (endpoint, portal_id))
    sql.run("UPDATE portal SET domain = ? WHERE id = ?", (domain, portal_id))


def set_state(sql: Sql, portal_id: int, state: State) -> bool:
    """Inside a job: change a portal's state, unless it is uninstalled, which only a new installation ends. Whether
    it changed."""
    changed = sql.run(
        "UPDATE portal SET state = ? WHERE id = ? AND state <> ? AND state <> 'uninstalled'", (state, portal_id, state)
    )
    if changed:
        bump(sql, portal_id)
    return bool(changed)


def set_timeline(sql: Sql, portal_id: int, enabled: bool) -> bool:
    """Inside a job: whether what scenarios send for cards is written beside them. False when nothing is connected."""
    return bool(
        sql.run(
            "UPDATE bitrix24_connection SET timeline = ? WHERE portal_id = ? AND uninstalled_at IS NULL",
            (enabled, portal_id),
        )
    )


def bump(sql: Sql, portal_id: int) -> None:
    """Inside a job: let every process read the portal's settings anew."""
    sql.run("UPDATE stamp SET config = config + 1 WHERE portal_id = ?", (portal_id,))


def _find(sql: Sql, condition: str, value: object) -> Connection | None:
    row = sql.one(
        f"SELECT {_COLUMNS} FROM bitrix24_connection c JOIN portal p ON p.id = c.portal_id WHERE {condition}",  # noqa: S608
        (value,),
    )
    if row is None:
        return None
    values = list(row)
    values[2], values[10] = values[2] or "", bool(values[10])
    return Connection(*values)


def _token_place(portal_id: int) -> dict[str, str]:
    return {"table": "bitrix24_connection", "column": "application_token", "row": str(portal_id)}


def _handler_place(portal_id: int) -> dict[str, str]:
    return {"table": "bitrix24_connection", "column": "handler", "row": str(portal_id)}
