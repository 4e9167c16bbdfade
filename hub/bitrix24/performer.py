"""Making the calls of the blocks `bitrix24_read` and `bitrix24_write`, with errors in their own words (`b24.…`)."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import structlog
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_chain, wait_fixed

from connectors.bitrix24.errors import Busy, Denied, Missing, NoSuchMethod, Refused, TokenExpired
from connectors.errors import ConnectorError, LineDown, RateLimited, Rejected, Temporary, Unconfirmed
from hub.bitrix24 import about, calls, cards, connections, entities, own_writes
from hub.bitrix24.about import About
from hub.bitrix24.calls import NewCall
from hub.bitrix24.client import Bitrix24, PortalClient
from hub.bitrix24.own_writes import OwnWrite
from hub.clock import now_us
from hub.errors import StorageUnavailable
from hub.scenarios.runner import Caller, Performer, PutOff
from hub.values import Value, as_text, dumps

log = structlog.get_logger(__name__)
PAUSES_S = (1.0, 3.0)
"""Before a call that the portal did not take is made again; whoever waits for the run waits for these, too."""
HELD_S = 300.0
"""A run that waits for a person looks again after so long."""
_CODES: tuple[tuple[type[ConnectorError], str], ...] = (
    (TokenExpired, "b24.auth"),
    (LineDown, "b24.auth"),
    (RateLimited, "b24.limit"),
    (Missing, "b24.gone"),
    (Denied, "b24.denied"),
    (NoSuchMethod, "b24.no_method"),
    (Unconfirmed, "b24.unconfirmed"),
    (Temporary, "b24.unavailable"),
    (Rejected, "b24.refused"),
)


def bitrix24_performer(bitrix24: Bitrix24) -> Performer:
    """Makes the calls of one process."""

    def perform(spec: Mapping[str, Value], caller: Caller) -> Mapping[str, Value]:
        try:
            return _Performing(bitrix24, spec, caller).do()
        except ConnectorError as error:
            wait_s = _wait_s(error)
            error.code = next((code for kind, code in _CODES if isinstance(error, kind)), error.code)
            if wait_s is not None:
                raise PutOff(error, wait_s) from error
            raise
        except StorageUnavailable as error:
            raise Temporary(error.message, code="b24.unavailable") from error

    return perform


def _was_not_taken(error: BaseException) -> bool:
    """Whether the portal did nothing and may do it in a moment."""
    return isinstance(error, Temporary | Busy)


def _wait_s(error: ConnectorError) -> float | None:
    """How long to wait where the portal has taken nothing and will again: its limit was reached, or a person has to
    let the application in or to pay. None for what is an answer to the scenario."""
    if isinstance(error, RateLimited):
        return error.retry_after_s
    if isinstance(error, LineDown) and error.code not in ("not_connected", "uninstalled"):
        return HELD_S
    return None


class _Performing:
    """One call of one run."""

    def __init__(self, bitrix24: Bitrix24, spec: Mapping[str, Value], caller: Caller) -> None:
        self._hub = bitrix24.hub
        self._bitrix24 = bitrix24
        # Plain numbers: the portal's client writes JSON and forms.
        self._spec: dict[str, Any] = json.loads(dumps(dict(spec)))
        self._caller = caller

    def do(self) -> Mapping[str, Value]:
        with self._hub.db.sql(patient=True) as sql:
            connection = connections.of_portal(sql, self._caller.portal_id)
            own = about.of_run(sql, self._caller.run_id)
        if connection is None or connection.uninstalled_at is not None:
            raise LineDown("This portal is not connected with Bitrix24.", code="not_connected")
        match self._spec["action"]:
            case "read":
                return {"fields": cards.read(self._client, self._spec["entity"], int(self._spec["id"]))}
            case "create":
                return self._create(self._spec["entity"], own)
            case "notify":
                return self._notify()
        entity, number = self._card(own)
        match self._spec["action"]:
            case "update":
                return self._update(entity, number, own)
            case "comment":
                return self._comment(entity, number)
            case _:
                return self._activity(entity, number)

    @property
    def _client(self) -> PortalClient:
        return self._bitrix24.client(self._caller.portal_id)

    def _card(self, own: About | None) -> tuple[str, int]:
        if self._spec.get("id") is not None:
            return self._spec["entity"], int(self._spec["id"])
        if own is None:
            raise Refused("The run is about no card, so the block has to name one.", code="no_card")
        if self._spec.get("entity") not in (None, own.entity):
            raise Refused("The run is about a card of another kind, so the block needs an id.", code="no_card")
        return own.entity, own.entity_id

    # ---------------------------------------------------------------- cards

    def _update(self, entity: str, number: int, own: About | None) -> Mapping[str, Value]:
        fields = self._spec["fields"]
        before = self._fields_of(entity, number) if self._spec.get("again") else None
        if before is not None and not cards.differ(before, fields):
            return {"id": str(number), "changed": True}
        self._mark(entity, number, own)
        commands = {"before": cards.get_command(entity, number), "write": cards.update_command(entity, number, fields)}
        try:
            answer = self._patiently(lambda: self._client.batch(commands, halt=True))
        except Unconfirmed:
            # It may have been carried out; whether it was can be seen.
            if not cards.differ(self._fields_of(entity, number), fields):
                return {"id": str(number), "changed": True}
            answer = self._client.batch(commands, halt=True)
        was = cards.fields_of(entity, answer["before"])
        _ = answer["write"]
        return {"id": str(number), "changed": cards.differ(was, fields)}

    def _create(self, entity: str, own: About | None) -> Mapping[str, Value]:
        method, params = cards.create_command(entity, self._spec["fields"])
        result = self._patiently(lambda: self._client.call(method, params)).result
        number = int(result["item"]["id"] if isinstance(result, Mapping) else result)
        try:
            self._mark(entity, number, own)
        except StorageUnavailable as error:
            # The card is there all the same; at worst it starts a scenario once more.
            log.warning("own_write_not_marked", portal_id=self._caller.portal_id, reason=error.message)
        return {"id": str(number), "changed": True}

    def _fields_of(self, entity: str, number: int) -> dict[str, Value]:
        return cards.read(self._client, entity, number)

    def _mark(self, entity: str, number: int, own: About | None) -> None:
        chain = [*(own.chain if own is not None else ()), self._caller.scenario_id]
        depth = 1 if own is None else own.depth + 1
        write = OwnWrite(self._spec["fields"], list(dict.fromkeys(chain)), depth)
        portal_id, now = self._caller.portal_id, now_us()
        self._hub.db.writer.run(lambda sql: own_writes.mark(sql, portal_id, entity, number, write, now=now))

    # ---------------------------------------------------------------- what may go later

    def _comment(self, entity: str, number: int) -> Mapping[str, Value]:
        fields = {
            "ENTITY_ID": number,
            "ENTITY_TYPE": cards.timeline_name(entity),
            "COMMENT": self._spec["text"],
        }
        order = f"timeline:{entity}:{number}"
        return self._now_or_later("crm.timeline.comment.add", {"fields": fields}, order=order)

    def _activity(self, entity: str, number: int) -> Mapping[str, Value]:
        fields = self._spec["fields"]
        params = {
            "ownerTypeId": entities.type_id(entity),
            "ownerId": number,
            "title": self._spec["text"][:255],
            "deadline": self._spec["deadline"],
            "description": as_text(fields.get("DESCRIPTION")),
        }
        if self._spec["user_id"]:
            params["responsibleId"] = self._user()
        return self._now_or_later("crm.activity.todo.add", params)

    def _notify(self) -> Mapping[str, Value]:
        # The tag makes a repeat replace what it repeats.
        tag = f"hub|{self._caller.run_id}|{self._spec['step']}"
        params = {"USER_ID": self._user(), "MESSAGE": self._spec["text"], "TAG": tag}
        made = self._now_or_later("im.notify.system.add", params, repeatable=True)
        if made["id"] == "false":
            raise Missing("There is no such user, or nobody tells them anything any more.", code="no_user")
        return made

    def _user(self) -> int:
        number = str(self._spec["user_id"])
        if not (number.isascii() and number.isdecimal() and len(number) < 16):
            raise Refused("The id of the user is not a number.", code="bad_user")
        return int(number)

    def _now_or_later(
        self, method: str, params: Mapping[str, Any], *, order: str = "", repeatable: bool = False
    ) -> Mapping[str, Value]:
        """Call at once; where the portal is away, the outbox of calls does it as soon as it is back."""
        try:
            result = self._client.call(method, params).result
        except (Temporary, RateLimited, LineDown, Unconfirmed) as error:
            if isinstance(error, Unconfirmed) and not repeatable:
                raise
            key = f"step:{self._caller.run_id}:{self._spec['step']}"
            call = NewCall(key, method, params, order, repeatable)
            job = partial(calls.enqueue, portal_id=self._caller.portal_id, call=call, now=now_us())
            self._hub.db.writer.run(job, rings=True)
            return {"id": None, "changed": True}
        number = result.get("id") if isinstance(result, Mapping) else result
        return {"id": as_text(number), "changed": True}

    def _patiently(self, make: Callable[[], Any]) -> Any:
        """Call, and again after a moment where the portal did not take the call."""
        return Retrying(
            retry=retry_if_exception(_was_not_taken),
            wait=wait_chain(*map(wait_fixed, PAUSES_S)),
            stop=stop_after_attempt(1 + len(PAUSES_S)),
            reraise=True,
        )(make)
