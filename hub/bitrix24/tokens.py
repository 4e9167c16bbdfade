"""Access tokens that work: refreshed by one process at a time, and only when they have to be.

A refresh token dies when it is used, so two refreshes at once would lose one of the pairs. Whoever refreshes holds a
lease on the row; the others wait until the new token stands there. A process that dies between the answer and its
commit leaves a dead refresh token behind: the next refresh is refused, the portal is `needs_reauth`, and the next
time that an administrator opens the application the page brings new tokens.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import structlog

from connectors.bitrix24.errors import AWAY, Disconnected, PaymentRequired, UserRefused
from connectors.bitrix24.oauth import Grant, OAuthServer
from connectors.errors import ConnectorError, Temporary
from hub import failpoints
from hub.bitrix24 import apps, connections
from hub.clock import SECOND, now_us
from hub.core import Hub
from hub.secrets import SecretError
from hub.sql import Sql

log = structlog.get_logger(__name__)
EARLY_S = 60
"""A token is refreshed when it has so little time left that it could end on the way."""
LEASE_S = 40
"""Longer than a refresh can take, its commit included."""
WAIT_S = 10.0
LOOK_EVERY_S = 0.05


@dataclass(frozen=True)
class Access:
    """What a call needs. `token` is a secret."""

    token: str = field(repr=False)
    endpoint: str
    user_id: int


@dataclass(frozen=True)
class _Row:
    access_sealed: str
    refresh_sealed: str
    expires_at: int
    broken: str
    refreshing_until: int | None
    fence: int


class Tokens:
    """The tokens of all portals, as one process works with them."""

    def __init__(self, hub: Hub, oauth: OAuthServer) -> None:
        self._hub = hub
        self._oauth = oauth
        self._unsaved: dict[tuple[int, int], Callable[[Sql], None]] = {}

    def access(self, portal_id: int, *, user_id: int | None = None, refused: str = "", probe: bool = False) -> Access:
        """A token of this user, or of the one the integration works with. `refused`: a token that the portal did not
        take; then there is another one. `probe`: also for a portal that is suspended, to see whether it still is.

        Raises Disconnected, PaymentRequired, or Temporary when it cannot be refreshed now.
        """
        until = time.monotonic() + WAIT_S
        while True:
            with self._hub.db.sql() as sql:
                connection = connections.of_portal(sql, portal_id)
                if connection is None or connection.uninstalled_at is not None:
                    raise Disconnected("The application is not installed on this portal.", code="uninstalled")
                if connection.state == "suspended" and not probe:
                    raise PaymentRequired("The subscription of the application has ended.", code="suspended")
                user = connection.user_id if user_id is None else user_id
                row = _row(sql, portal_id, user)
            if row is None or row.broken:
                raise Disconnected("Somebody has to open the application on the portal again.", code="needs_reauth")
            if row.expires_at > now_us() + EARLY_S * SECOND:
                token = self._open(row.access_sealed, "access", portal_id, user)
                if token != refused:
                    return Access(token, connection.client_endpoint, user)
            if self._save_unsaved(portal_id, user):
                continue
            fence = self._lease(portal_id, user, row.fence)
            if fence is not None:
                self._refresh(connection, user, row, fence)
            elif time.monotonic() > until:
                raise Temporary("The token is being refreshed for long; try again later.", code="refreshing")
            else:
                time.sleep(LOOK_EVERY_S)

    def store(
        self,
        sql: Sql,
        portal_id: int,
        user_id: int,
        *,
        access: str,
        refresh: str,
        expires_in: int,
        admin: bool,
        name: str,
    ) -> None:
        """Inside a job: keep tokens that were verified. A refresh that is under way for older ones comes to nothing."""
        now = now_us()
        sql.run(
            "INSERT INTO bitrix24_token (portal_id, user_id, access_sealed, refresh_sealed, expires_at, is_admin, name,"
            " broken, fence, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, '', 0, ?)"
            " ON CONFLICT (portal_id, user_id) DO UPDATE SET access_sealed = excluded.access_sealed,"
            " refresh_sealed = excluded.refresh_sealed, expires_at = excluded.expires_at, is_admin = excluded.is_admin,"
            " name = excluded.name, broken = '', refreshing_by = NULL, refreshing_until = NULL,"
            " fence = bitrix24_token.fence + 1, updated_at = excluded.updated_at",
            (
                portal_id,
                user_id,
                self._seal(access, "access", portal_id, user_id),
                self._seal(refresh, "refresh", portal_id, user_id),
                now + expires_in * SECOND,
                admin,
                name[:255],
                now,
            ),
        )

    def fail(self, portal_id: int, user_id: int, error: ConnectorError, *, token: str = "") -> None:
        """Note that a portal or the OAuth server does not want these tokens any more.

        `token`: the access token that was refused; when another one stands there by now, nothing is noted.
        """
        if isinstance(error, PaymentRequired):
            self._hub.db.writer.run(lambda sql: connections.set_state(sql, portal_id, "suspended"))
            return
        with self._hub.db.sql() as sql:
            row = _row(sql, portal_id, user_id)
        if row is None or (token and self._open(row.access_sealed, "access", portal_id, user_id) != token):
            return
        self._hub.db.writer.run(lambda sql: self._note_broken(sql, portal_id, user_id, row.fence, error))

    # ---------------------------------------------------------------- refreshing

    def _lease(self, portal_id: int, user_id: int, fence: int) -> int | None:
        """Become the one who refreshes; None when somebody else is, or has just done it."""
        now = now_us()

        def job(sql: Sql) -> int | None:
            taken = sql.one(
                "UPDATE bitrix24_token SET refreshing_by = ?, refreshing_until = ?, fence = fence + 1"
                " WHERE portal_id = ? AND user_id = ? AND fence = ? AND broken = ''"
                " AND (refreshing_until IS NULL OR refreshing_until < ?) RETURNING fence",
                (self._hub.owner, now + LEASE_S * SECOND, portal_id, user_id, fence, now),
            )
            return None if taken is None else int(taken[0])

        return self._hub.db.writer.run(job)

    def _refresh(self, connection: connections.Connection, user_id: int, row: _Row, fence: int) -> None:
        hub, portal_id = self._hub, connection.portal_id
        try:
            with hub.db.sql() as sql:
                pair = apps.pair(hub, sql, connection.client_id)
            if pair is None:
                raise Disconnected("The secret of this portal's application is not known here.", code="no_secret")
            old = self._open(row.refresh_sealed, "refresh", portal_id, user_id)
            grant = self._oauth.refresh(pair, old, connection.oauth_url)
            failpoints.reach(hub.settings, "after_token_refresh")
            if grant.member_id != connection.member_id or grant.user_id not in (None, user_id):
                raise Disconnected("The tokens belong to somebody else.", code="foreign_token")
        except AWAY:
            hub.db.writer.run(lambda sql: _release(sql, portal_id, user_id, fence))
            raise
        except ConnectorError as error:
            failed = error
            hub.db.writer.run(lambda sql: self._note_broken(sql, portal_id, user_id, fence, failed))
            raise
        self._unsaved[portal_id, user_id] = partial(
            self._keep_grant, at=connection, user_id=user_id, fence=fence, grant=grant
        )
        self._save_unsaved(portal_id, user_id)
        log.info("token_refreshed", portal_id=portal_id, user_id=user_id)

    def _save_unsaved(self, portal_id: int, user_id: int) -> bool:
        """Store new tokens that are only in our memory, as long as the database would not take them."""
        job = self._unsaved.get((portal_id, user_id))
        if job is None:
            return False
        self._hub.db.writer.run(job)
        self._unsaved.pop((portal_id, user_id), None)
        return True

    def _keep_grant(self, sql: Sql, at: connections.Connection, user_id: int, fence: int, grant: Grant) -> None:
        now, portal_id = now_us(), at.portal_id
        kept = sql.run(
            "UPDATE bitrix24_token SET access_sealed = ?, refresh_sealed = ?, expires_at = ?, refreshing_by = NULL,"
            # The fence once more: who read the old tokens while these were on their way must not get the lease.
            " refreshing_until = NULL, fence = fence + 1, updated_at = ?"
            " WHERE portal_id = ? AND user_id = ? AND fence = ?",
            (
                self._seal(grant.access, "access", portal_id, user_id),
                self._seal(grant.refresh, "refresh", portal_id, user_id),
                now + grant.expires_in * SECOND,
                now,
                portal_id,
                user_id,
                fence,
            ),
        )
        if not kept:
            return
        if grant.client_endpoint != at.client_endpoint:
            connections.keep_endpoint(sql, portal_id, grant.client_endpoint, domain_of(grant.client_endpoint))
        if user_id == at.user_id:
            connections.set_state(sql, portal_id, "active")

    def _note_broken(self, sql: Sql, portal_id: int, user_id: int, fence: int, error: ConnectorError) -> None:
        if isinstance(error, PaymentRequired):
            _release(sql, portal_id, user_id, fence)
            connections.set_state(sql, portal_id, "suspended")
            return
        broken = sql.run(
            "UPDATE bitrix24_token SET broken = ?, refreshing_by = NULL, refreshing_until = NULL, updated_at = ?"
            " WHERE portal_id = ? AND user_id = ? AND fence = ?",
            ((error.code or error.outcome)[:100], now_us(), portal_id, user_id, fence),
        )
        connection = connections.of_portal(sql, portal_id)
        if not broken or connection is None or connection.user_id != user_id:
            return
        heir = _heir(sql, portal_id) if isinstance(error, UserRefused) else None
        if heir is not None:
            sql.run("UPDATE bitrix24_connection SET user_id = ? WHERE portal_id = ?", (heir, portal_id))
            return
        if connections.set_state(sql, portal_id, "needs_reauth"):
            log.warning("portal_needs_reauth", portal_id=portal_id, code=error.code)

    def _seal(self, plain: str, column: str, portal_id: int, user_id: int) -> str:
        return self._hub.box.seal(plain, table="bitrix24_token", column=column, row=f"{portal_id}:{user_id}")

    def _open(self, sealed: str, column: str, portal_id: int, user_id: int) -> str:
        try:
            return self._hub.box.open(sealed, table="bitrix24_token", column=column, row=f"{portal_id}:{user_id}")
        except SecretError as error:
            raise Disconnected("The tokens of this portal cannot be opened with the keys at hand.") from error


def domain_of(endpoint: str) -> str:
    """`acme.bitrix24.com` from the root of its REST methods."""
    return endpoint.partition("://")[2].partition("/")[0]


def _row(sql: Sql, portal_id: int, user_id: int) -> _Row | None:
    row = sql.one(
        "SELECT access_sealed, refresh_sealed, expires_at, broken, refreshing_until, fence FROM bitrix24_token"
        " WHERE portal_id = ? AND user_id = ?",
        (portal_id, user_id),
    )
    return None if row is None else _Row(*row)


def _release(sql: Sql, portal_id: int, user_id: int, fence: int) -> None:
    sql.run(
        "UPDATE bitrix24_token SET refreshing_by = NULL, refreshing_until = NULL"
        " WHERE portal_id = ? AND user_id = ? AND fence = ?",
        (portal_id, user_id, fence),
    )


def _heir(sql: Sql, portal_id: int) -> int | None:
    """Another administrator whose tokens work."""
    row = sql.one(
        "SELECT user_id FROM bitrix24_token WHERE portal_id = ? AND is_admin AND broken = ''"
        " ORDER BY updated_at DESC LIMIT 1",
        (portal_id,),
    )
    return None if row is None else int(row[0])
