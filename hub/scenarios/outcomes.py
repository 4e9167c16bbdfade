"""What a block answers: what should happen next. The engine and `store` do it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from hub.quiet import QuietHours
from hub.values import Value


@dataclass(frozen=True)
class Go:
    """Leave by `port`. `output` becomes `blocks.<id>`; `variables` and `globals` are set; `result` is a piece of the
    answer of the results link (only `return_result` gives it)."""

    port: str = "next"
    output: Mapping[str, Value] = field(default_factory=dict)
    variables: Mapping[str, Value] = field(default_factory=dict)
    globals: Mapping[str, Value] = field(default_factory=dict)
    result: Mapping[str, Value] | None = None


@dataclass(frozen=True)
class Fail:
    """Leave by the port `error`; where nothing is connected there, the run fails with this code and message.

    `blame` says whose fault a waiting caller is told: `data` answers 422, `messenger` 502.
    """

    code: str
    message: str
    output: Mapping[str, Value] = field(default_factory=dict)
    blame: Literal["data", "messenger"] = "data"


@dataclass(frozen=True)
class Finish:
    """End the run here."""

    ok: bool = True
    reason: str = ""


@dataclass(frozen=True)
class NewMessage:
    """A message as the scenario wants it sent; `chat_id` is already in the form that the channel wants. `template`:
    `{"name", "language", "parameters": [[place, text], …]}`, sent in place of `text`, which then only describes it.
    `quiet`: the hours in which it does not go."""

    line: str
    chat_id: str
    chat_id_raw: str
    messenger: str
    text: str = ""
    file_url: str | None = None
    buttons: tuple[Mapping[str, Value], ...] = ()
    template: Mapping[str, Value] | None = None
    best_before_s: int | None = None
    quiet: QuietHours | None = None


@dataclass(frozen=True)
class Send:
    """Put a message into the outbox, then wait until it is `queued`, `sent` or `delivered`.

    Asked again with `resumed = {"kind": "message", "message": {id, state, provider_id, chat_id, messenger, sent_at,
    error: {code, message} | null}, "timed_out": bool}`. On the results link a wait for `queued` lasts until `sent`,
    as long as the caller waits.
    """

    message: NewMessage
    wait_for: Literal["queued", "sent", "delivered"] = "queued"


@dataclass(frozen=True)
class Perform:
    """Make an outgoing call. Asked again with `resumed = {"kind": "performed", "response": {…}}`,
    `{"kind": "performed", "error": {code, message}}`, or, when a crash left it open and `repeatable` is false,
    `{"kind": "interrupted"}`."""

    kind: str
    spec: Mapping[str, Value]
    repeatable: bool = False


@dataclass(frozen=True)
class Sleep:
    """Pause until then. Asked again with `resumed = {"kind": "time"}`."""

    until: datetime


@dataclass(frozen=True)
class AwaitMessage:
    """Wait until a message reaches one of `states` or can no longer do so. Asked again as after `Send`."""

    message_id: str
    states: tuple[str, ...]
    until: datetime | None = None


@dataclass(frozen=True)
class Loop:
    """Run what hangs on port `each` once for every item, as local variable `name`.
    Asked again with `resumed = {"kind": "looped", "count": n}`."""

    items: tuple[Value, ...]
    name: str


@dataclass(frozen=True)
class Call:
    """Run another scenario with these values as its local variables. Asked again with
    `resumed = {"kind": "returned", "status": "completed"|"failed", "result": {…}, "error": {code, message} | null}`."""

    scenario: int
    values: Mapping[str, Value]


Outcome = Go | Fail | Finish | Send | Perform | Sleep | AwaitMessage | Loop | Call
