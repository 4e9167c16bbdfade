"""Lines (configured accounts of a messenger), messages on their way, and the attempts to send them."""

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from hub.columns import BIG, counting_key, json_text, moment
from hub.columns import text as text_column

OPEN_STATES = ("queued", "sending")
_HEAD = text("head")
_OPEN_HEAD = text("head AND state = 'queued'")
_HAS_PROVIDER_ID = text("provider_id IS NOT NULL")
_HAS_OWNER = text("owner IS NOT NULL")
_OPEN = text("state IN ('queued', 'sending')")
_IN_TROUBLE = text("state IN ('failed', 'expired', 'undelivered', 'unconfirmed')")
_RENAMED = text("chat_id_raw <> chat_id")
_UNTOLD = text("told <> state AND state <> 'sending'")
_SUSPECT = text("interruptions >= 2 AND head AND state = 'queued'")


class Line(SQLModel, table=True):
    """A configured account on a channel. `config` is sealed whole, since it holds the secrets.
    States: active, paused, auth_failed, unreachable; `state_since` is when it came to the one it is in, None before
    the first change, `state_reason` what the messenger said and `state_code` that error's code. `held_until`: no call
    is made for the line before; for one out of order, the time of its probe."""

    __tablename__ = "line"
    __table_args__ = (UniqueConstraint("portal_id", "name_key", name="line_name"),)

    id: str = Field(primary_key=True, max_length=32)
    portal_id: int = Field(sa_type=BIG, foreign_key="portal.id", index=True)
    name: str = Field(max_length=100)
    name_key: str = Field(max_length=400)
    channel: str = Field(max_length=32)
    config_sealed: str = json_text()
    settings: str = json_text("{}")
    state: str = Field(default="active", max_length=16)
    state_reason: str = Field(default="", max_length=500)
    state_code: str = Field(default="", max_length=64)
    state_since: int | None = moment(nullable=True)
    held_until: int | None = moment(nullable=True)
    pace_at: int | None = moment(nullable=True)
    slowed_until: int | None = moment(nullable=True)
    trouble: int = 0
    opened: int = 0
    opened_at: int | None = moment(nullable=True)
    ramp_from: int | None = moment(nullable=True)
    token_hash: str = Field(unique=True, max_length=64)
    token_sealed: str = json_text()
    created_at: int = moment()
    deleted_at: int | None = moment(nullable=True)


class ChatPace(SQLModel, table=True):
    """How fast a chat was written to: the rate limiter's arrival time (`pacing`), µs."""

    __tablename__ = "chat_pace"

    line_id: str = Field(primary_key=True, max_length=32)
    chat_id: str = Field(primary_key=True, max_length=255)
    tat: int = moment(index=True)


class Message(SQLModel, table=True):
    """One message to one chat. `seq` is its place in the order of its chat; `head` is true for the oldest open one,
    which alone may be claimed. States: queued, sending, sent, delivered, read, unconfirmed, undelivered, failed,
    expired, cancelled. `attempts` numbers the tries, `failures` counts those that use up the schedule;
    `interruptions`: how many of the last attempts, one after the other, ended with the death of their process. `quiet`:
    the hours in which it does not go, as `hub.quiet` writes them. `told`: the state that is known where such changes
    are told, None where nobody wants to know."""

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("run_id", "block", "iteration", name="message_of_step"),
        Index("message_due", "line_id", "due_at", "seq", postgresql_where=_OPEN_HEAD, sqlite_where=_OPEN_HEAD),
        Index("message_untold", "seq", postgresql_where=_UNTOLD, sqlite_where=_UNTOLD),
        Index("message_suspect", "due_at", postgresql_where=_SUSPECT, sqlite_where=_SUSPECT),
        Index("message_chat", "line_id", "chat_id", "seq", postgresql_where=_OPEN, sqlite_where=_OPEN),
        Index("message_head", "line_id", "chat_id", postgresql_where=_HEAD, sqlite_where=_HEAD),
        Index("message_owned", "owner", postgresql_where=_HAS_OWNER, sqlite_where=_HAS_OWNER),
        Index("message_by_portal", "portal_id", "seq"),
        Index("message_by_state", "portal_id", "state", "seq"),
        Index("message_by_line", "line_id", "seq"),
        Index("message_by_scenario", "scenario_id", "seq"),
        Index("message_by_chat", "portal_id", "chat_id", "seq"),
        Index("message_by_raw_chat", "portal_id", "chat_id_raw", postgresql_where=_RENAMED, sqlite_where=_RENAMED),
        Index(
            "message_by_provider",
            "line_id",
            "provider_id",
            postgresql_where=_HAS_PROVIDER_ID,
            sqlite_where=_HAS_PROVIDER_ID,
        ),
        Index("message_expiry", "expires_at", postgresql_where=_OPEN, sqlite_where=_OPEN),
        Index("message_in_trouble", "ended_at", postgresql_where=_IN_TROUBLE, sqlite_where=_IN_TROUBLE),
    )

    seq: int | None = counting_key()
    id: str = Field(unique=True, max_length=32)
    portal_id: int = Field(sa_type=BIG)
    line_id: str = Field(max_length=32)
    run_id: str | None = Field(default=None, max_length=32)
    scenario_id: int | None = Field(default=None, sa_type=BIG)
    block: str = Field(max_length=64)
    iteration: int = 0
    messenger: str = Field(max_length=32)
    chat_id: str = Field(max_length=255)
    chat_id_raw: str = text_column()
    text: str = text_column()
    extra: str = json_text("{}")
    state: str = Field(max_length=16)
    told: str | None = Field(default=None, max_length=16)
    head: bool = False
    due_at: int = moment()
    quiet: str | None = Field(default=None, max_length=80)
    expires_at: int = moment()
    attempts: int = 0
    failures: int = 0
    interruptions: int = 0
    owner: str | None = Field(default=None, max_length=64)
    sent_parts: str = json_text("[]")
    provider_id: str | None = Field(default=None, max_length=255)
    error: str | None = json_text(nullable=True)
    created_at: int = moment()
    sent_at: int | None = moment(nullable=True)
    ended_at: int | None = moment(nullable=True)


class Attempt(SQLModel, table=True):
    """One try to send. Its row is committed before the call; a row without an outcome whose owner is gone means
    that nobody knows whether the message went out."""

    __tablename__ = "attempt"

    message_id: str = Field(primary_key=True, max_length=32)
    n: int = Field(primary_key=True)
    owner: str = Field(max_length=64)
    started_at: int = moment(index=True)
    outcome: str | None = Field(default=None, max_length=16)
    http_status: int | None = None
    code: str = Field(default="", max_length=64)
    message: str = text_column("")
    ms: int | None = None


class Process(SQLModel, table=True):
    """A process that owns claims. Its lease runs out `HUB_LEASE_S` after its last beat; then its claims are freed."""

    __tablename__ = "process"

    id: str = Field(primary_key=True, max_length=64)
    kind: str = Field(max_length=16)
    host: str = Field(max_length=255)
    pid: int
    started_at: int = moment()
    beat_at: int = moment(index=True)
