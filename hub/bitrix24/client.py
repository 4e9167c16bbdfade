"""Calling a portal: with a token that works, no faster than it likes, from all processes together."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import structlog

from connectors.bitrix24.errors import (
    Busy,
    Disconnected,
    MethodBlocked,
    PaymentRequired,
    PortalMoved,
    TokenExpired,
)
from connectors.bitrix24.oauth import OAuthServer
from connectors.bitrix24.rest import BATCH_MOST, Answer, BatchAnswer, Command, Rest
from hub.bitrix24 import connections
from hub.bitrix24.tokens import Access, Tokens, domain_of
from hub.clock import SECOND, now_us
from hub.core import Hub
from hub.delivery import pacing
from hub.sql import Sql, marks

log = structlog.get_logger(__name__)
RATE_PER_S = 2.0
BURST = 40
"""A portal takes 50 at once and 2 a second; some of that is left for what else calls it from this address."""
WAIT_S = 20.0
BUSY_TRIES = 3
BLOCKED_S = 60.0
T = TypeVar("T")


class Bitrix24:
    """One per process: what every call to any portal needs."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.oauth = OAuthServer(hub.http, hub.settings.bitrix24_oauth_urls)
        self.rest = Rest(hub.http)
        self.tokens = Tokens(hub, self.oauth)
        self.resets: dict[tuple[int, str], float] = {}

    def client(self, portal_id: int, *, user_id: int | None = None, probe: bool = False) -> "PortalClient":
        """Calls to one portal, as this user or as the one the integration works with. `probe`: although it is
        suspended."""
        return PortalClient(self, portal_id, user_id, probe)


class PortalClient:
    """Calls to one portal. All of them raise ConnectorError, by what happens next (`connectors.bitrix24.errors`).

    A call waits its turn for up to 20 s and is then `Busy`. Nothing is repeated but what the portal did not take: an
    expired token, too many requests, a moved portal.
    """

    def __init__(self, bitrix24: Bitrix24, portal_id: int, user_id: int | None = None, probe: bool = False) -> None:
        self.portal_id = portal_id
        self._bitrix24 = bitrix24
        self._hub = bitrix24.hub
        self._user_id = user_id
        self._probe = probe

    def call(self, method: str, params: Mapping[str, Any] | None = None) -> Answer:
        """One method."""
        rest = self._bitrix24.rest
        answer = self._with_token([method], lambda access: rest.call(access.endpoint, access.token, method, params))
        if answer.reset_at is not None:
            self._bitrix24.resets[self.portal_id, method] = answer.reset_at
        return answer

    def batch(self, commands: Mapping[str, Command], *, halt: bool = False) -> BatchAnswer:
        """Up to 50 methods as one hit; `connectors.bitrix24.rest.Rest.batch` tells how they refer to each other."""
        rest, methods = self._bitrix24.rest, [method for method, _ in commands.values()]
        answer = self._with_token(
            methods, lambda access: rest.batch(access.endpoint, access.token, commands, halt=halt)
        )
        for key, error in answer.errors.items():
            if isinstance(error, MethodBlocked):
                self._note_blocked(commands[key][0], error)
        return answer

    def many(self, commands: Mapping[str, Command]) -> BatchAnswer:
        """Any number of methods that do not refer to each other, 50 to a hit."""
        whole = BatchAnswer({}, {}, {}, {})
        keys = list(commands)
        for at in range(0, len(keys), BATCH_MOST):
            part = self.batch({key: commands[key] for key in keys[at : at + BATCH_MOST]})
            whole = BatchAnswer(
                {**whole.results, **part.results},
                {**whole.errors, **part.errors},
                {**whole.next, **part.next},
                {**whole.total, **part.total},
            )
        return whole

    def pages(self, method: str, params: Mapping[str, Any] | None = None, *, most: int = 10_000) -> Iterator[Any]:
        """Every item of a list method that pages by `start`, at most `most` of them. Where the result is a map with a
        single list in it (`items`, `categories`, …), its items."""
        start, given = 0, 0
        while True:
            answer = self.call(method, {**(params or {}), "start": start})
            for item in items_of(answer.result):
                yield item
                given += 1
                if given >= most:
                    return
            if answer.next is None or answer.next <= start:
                return
            start = answer.next

    # ---------------------------------------------------------------- one hit

    def _with_token(self, methods: list[str], make: Callable[[Access], T]) -> T:
        tokens, portal_id = self._bitrix24.tokens, self.portal_id
        refused, tries, moved = "", 0, False
        while True:
            access = tokens.access(portal_id, user_id=self._user_id, refused=refused, probe=self._probe)
            self._take_turn(methods)
            try:
                answer = make(access)
            except TokenExpired as error:
                if refused:
                    # A brand new token is not taken either: the portal does not know the application any more.
                    dead = Disconnected(error.message, code=error.code, status=error.status)
                    tokens.fail(portal_id, access.user_id, dead, token=access.token)
                    raise dead from None
                refused = access.token
            except Busy as error:
                tries += 1
                self._slow_down(error.retry_after_s * 2**tries)
                if tries >= BUSY_TRIES or error.retry_after_s > WAIT_S:
                    raise
            except MethodBlocked as error:
                for method in methods:
                    self._note_blocked(method, error)
                raise
            except PortalMoved as error:
                if moved or not self._follow(access, error):
                    raise
                moved = True
            except (Disconnected, PaymentRequired) as error:
                tokens.fail(portal_id, access.user_id, error, token=access.token)
                raise
            else:
                if self._probe:
                    self._hub.db.writer.run(lambda sql: _no_longer_suspended(sql, portal_id))
                return answer

    def _take_turn(self, methods: list[str]) -> None:
        """Wait until the portal may be called. Raises Busy when that is too long, MethodBlocked, Disconnected."""
        portal_id, now = self.portal_id, now_us()

        def job(sql: Sql) -> tuple[int, int | None]:
            blocked = sql.one(
                "SELECT max(until) FROM bitrix24_blocked WHERE portal_id = ? AND until > ?"  # noqa: S608
                f" AND method IN ({marks(len(methods))})",
                (portal_id, now, *methods),
            )
            if blocked is not None and blocked[0] is not None:
                return now, int(blocked[0])
            lock = " FOR UPDATE" if sql.dialect == "postgresql" else ""
            row = sql.one(
                f"SELECT pace_at, uninstalled_at FROM bitrix24_connection WHERE portal_id = ?{lock}",  # noqa: S608
                (portal_id,),
            )
            if row is None or row[1] is not None:
                return -1, None
            at = pacing.free_at(row[0], now=now, rate_per_s=RATE_PER_S, burst=BURST)
            if at - now <= WAIT_S * SECOND:
                tat = pacing.spend(row[0], now=now, rate_per_s=RATE_PER_S, count=1)
                sql.run("UPDATE bitrix24_connection SET pace_at = ? WHERE portal_id = ?", (tat, portal_id))
            return at, None

        at, blocked_until = self._hub.db.writer.run(job)
        if at < 0:
            raise Disconnected("The application is not installed on this portal.", code="uninstalled")
        if blocked_until is not None:
            raise _blocked_until(blocked_until, now)
        if at - now > WAIT_S * SECOND:
            message = "Too many calls to this portal wait already."
            raise Busy(message, retry_after_s=(at - now) / SECOND, code="QUERY_LIMIT_EXCEEDED")
        if at > now:
            time.sleep((at - now) / SECOND)

    def _slow_down(self, pause_s: float) -> None:
        """Let nobody call this portal for a while: it says that it is too much."""
        full = now_us() + int((BURST - 1) / RATE_PER_S * SECOND) + int(min(pause_s, WAIT_S) * SECOND)
        self._hub.db.writer.run(
            lambda sql: sql.run(
                "UPDATE bitrix24_connection SET pace_at = ? WHERE portal_id = ? AND (pace_at IS NULL OR pace_at < ?)",
                (full, self.portal_id, full),
            )
        )

    def _note_blocked(self, method: str, error: MethodBlocked) -> None:
        now_s = now_us() / SECOND
        until = error.until or self._bitrix24.resets.get((self.portal_id, method), 0.0)
        if until <= now_s:
            until = now_s + BLOCKED_S
        error.until = until
        error.retry_after_s = max(1.0, until - now_s)
        at = int(until * SECOND)
        self._hub.db.writer.run(
            lambda sql: sql.run(
                "INSERT INTO bitrix24_blocked (portal_id, method, until) VALUES (?, ?, ?)"
                " ON CONFLICT (portal_id, method) DO UPDATE SET until = excluded.until",
                (self.portal_id, method, at),
            )
        )
        log.warning("method_blocked", portal_id=self.portal_id, method=method, seconds=round(until - now_s))

    def _follow(self, access: Access, moved: PortalMoved) -> bool:
        """Ask the OAuth server where the portal is. Whether it is elsewhere; a redirect alone is never believed."""
        with self._hub.db.sql() as sql:
            connection = connections.of_portal(sql, self.portal_id)
        if connection is None:
            return False
        info = self._bitrix24.oauth.app_info(access.token, connection.oauth_url)
        if info.member_id != connection.member_id or info.client_endpoint == access.endpoint:
            log.warning("redirect_not_followed", portal_id=self.portal_id, host=moved.host)
            return False
        endpoint, portal_id = info.client_endpoint, self.portal_id
        self._hub.db.writer.run(lambda sql: connections.keep_endpoint(sql, portal_id, endpoint, domain_of(endpoint)))
        log.info("portal_moved", portal_id=portal_id, domain=domain_of(endpoint))
        return True


def items_of(result: Any) -> list[Any]:
    """The list in the result of a list method, whether it is the result itself or stands under a name in it."""
    if isinstance(result, Mapping):
        return next((value for value in result.values() if isinstance(value, list)), [])
    return list(result) if isinstance(result, list) else []


def _blocked_until(until: int, now: int) -> MethodBlocked:
    message = "The portal does not let this method be called for a while."
    error = MethodBlocked(message, retry_after_s=(until - now) / SECOND, code="OPERATION_TIME_LIMIT")
    error.until = until / SECOND
    return error


def _no_longer_suspended(sql: Sql, portal_id: int) -> None:
    row = sql.one("SELECT state FROM portal WHERE id = ?", (portal_id,))
    if row is not None and row[0] == "suspended":
        connections.set_state(sql, portal_id, "active")
