"""What is kept of a Bitrix24 portal: its connection and tokens, what is registered there, and work that waits.

Every table is keyed by `portal_id`, our own number of the portal. `entity` is `deal`, `contact`, `lead`, `company` or
`dynamic:<entityTypeId>`.
"""

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from hub.columns import BIG, counting_key, json_text, moment
from hub.columns import text as text_column

_FREE = text("owner IS NULL")
_OWNED = text("owner IS NOT NULL")
_QUEUED = text("state = 'queued'")
_UNANSWERED = text("answered_at IS NULL")
_OPEN = text("done_at IS NULL")
_OVER = text("done_at IS NOT NULL")
_GIVEN_UP = text("state IN ('failed', 'expired')")


class App(SQLModel, table=True):
    """The client id and secret of an application that was entered here: each local application has its own pair.
    `portal_id` is None until a portal is connected with it."""

    __tablename__ = "bitrix24_app"

    client_id: str = Field(primary_key=True, max_length=100)
    client_secret_sealed: str = json_text()
    title: str = Field(default="", max_length=100)
    portal_id: int | None = Field(default=None, sa_type=BIG, foreign_key="portal.id", index=True)
    created_at: int = moment()


class Connection(SQLModel, table=True):
    """An installed application. `user_id`: whose token the integration works with, an administrator of the portal.
    `handler_hash`: of the token in the addresses that the portal calls. `finished`: the portal knows that the
    installation is over. `steps`: `{step: {state: ok|failed|waiting, detail, at}}`. `timeline`: what a scenario sends
    for a card is noted beside the card. `pace_at`: the rate limiter's arrival time (`hub.delivery.pacing`), shared by
    all processes. `synced`: the portal's stamp when robots and senders were last held equal to its scenarios and
    lines, `wanted` a hash of what they were then; `sync_at`: not before."""

    __tablename__ = "bitrix24_connection"

    portal_id: int = Field(primary_key=True, sa_type=BIG, foreign_key="portal.id")
    client_id: str = Field(max_length=100)
    client_endpoint: str = Field(max_length=500)
    oauth_url: str = Field(max_length=255)
    application_token_sealed: str = text_column("")
    status: str = Field(default="", max_length=16)
    version: str = Field(default="", max_length=16)
    user_id: int = Field(default=0, sa_type=BIG)
    handler_hash: str = Field(unique=True, max_length=64)
    handler_sealed: str = json_text()
    finished: bool = False
    registered_at: int | None = moment(nullable=True)
    check_at: int | None = moment(nullable=True, index=True)
    uninstalled_at: int | None = moment(nullable=True)
    steps: str = json_text("{}")
    timeline: bool = True
    synced: int | None = Field(default=None, sa_type=BIG)
    wanted: str | None = Field(default=None, max_length=64)
    sync_at: int | None = moment(nullable=True)
    pace_at: int | None = moment(nullable=True)


class Token(SQLModel, table=True):
    """The tokens of one user of a portal. Whoever refreshes them holds `refreshing_by` until `refreshing_until`;
    `fence` counts the refreshes begun. `broken`: why they cannot be used any more, empty while they can."""

    __tablename__ = "bitrix24_token"

    portal_id: int = Field(primary_key=True, sa_type=BIG, foreign_key="portal.id")
    user_id: int = Field(primary_key=True, sa_type=BIG)
    access_sealed: str = json_text()
    refresh_sealed: str = json_text()
    expires_at: int = moment()
    is_admin: bool = False
    name: str = Field(default="", max_length=255)
    broken: str = Field(default="", max_length=100)
    refreshing_by: str | None = Field(default=None, max_length=64)
    refreshing_until: int | None = moment(nullable=True)
    fence: int = 0
    updated_at: int = moment()


class Registration(SQLModel, table=True):
    """Something of ours in a portal. Kinds: event, placement, robot, activity, sender, connector. `handler`: the
    address that it calls, without its token. `registered_at` is None while it is not there; then `error` says why."""

    __tablename__ = "bitrix24_registration"

    portal_id: int = Field(primary_key=True, sa_type=BIG, foreign_key="portal.id")
    kind: str = Field(primary_key=True, max_length=16)
    code: str = Field(primary_key=True, max_length=128)
    handler: str = Field(max_length=500)
    registered_at: int | None = moment(nullable=True)
    error: str = Field(default="", max_length=500)


class Blocked(SQLModel, table=True):
    """A method that a portal does not let us call before `until`: it has used up its time there."""

    __tablename__ = "bitrix24_blocked"

    portal_id: int = Field(primary_key=True, sa_type=BIG)
    method: str = Field(primary_key=True, max_length=128)
    until: int = moment()


class Change(SQLModel, table=True):
    """An entity that changed and has not been looked at yet. `seen` counts its events, `last` is the latest one:
    `{"event", "ts", "user_id"}`. `recovered`: found by the sweep, no event came."""

    __tablename__ = "bitrix24_change"
    __table_args__ = (
        Index("bitrix24_change_due", "due_at", postgresql_where=_FREE, sqlite_where=_FREE),
        Index("bitrix24_change_owned", "owner", postgresql_where=_OWNED, sqlite_where=_OWNED),
    )

    portal_id: int = Field(primary_key=True, sa_type=BIG)
    entity: str = Field(primary_key=True, max_length=32)
    entity_id: int = Field(primary_key=True, sa_type=BIG)
    created: bool = False
    recovered: bool = False
    first_at: int = moment()
    due_at: int = moment()
    seen: int = 1
    last: str = json_text("{}")
    owner: str | None = Field(default=None, max_length=64)
    attempts: int = 0
    error: str = Field(default="", max_length=500)


class Snapshot(SQLModel, table=True):
    """An entity as it was when it was last looked at: its fields as REST gives them, `modified_at` as the portal
    spells it."""

    __tablename__ = "bitrix24_snapshot"

    portal_id: int = Field(primary_key=True, sa_type=BIG)
    entity: str = Field(primary_key=True, max_length=32)
    entity_id: int = Field(primary_key=True, sa_type=BIG)
    fields: str = json_text()
    modified_at: str = Field(default="", max_length=40)
    seen_at: int = moment()


class Write(SQLModel, table=True):
    """A change that a scenario made itself: `fields` as written, `chain` the scenarios that led to it."""

    __tablename__ = "bitrix24_write"

    portal_id: int = Field(primary_key=True, sa_type=BIG)
    entity: str = Field(primary_key=True, max_length=32)
    entity_id: int = Field(primary_key=True, sa_type=BIG)
    id: str = Field(primary_key=True, max_length=32)
    fields: str = json_text()
    chain: str = json_text("[]")
    depth: int = 0
    until: int = moment(index=True)


class Mapping(SQLModel, table=True):
    """Which fields of an entity become which variables; `rows` as the API shows them."""

    __tablename__ = "bitrix24_mapping"

    portal_id: int = Field(primary_key=True, sa_type=BIG, foreign_key="portal.id")
    entity: str = Field(primary_key=True, max_length=32)
    rows: str = json_text("[]")
    updated_at: int = moment()


class Catalogue(SQLModel, table=True):
    """The fields that an entity has in a portal, and the words for their values."""

    __tablename__ = "bitrix24_catalogue"

    portal_id: int = Field(primary_key=True, sa_type=BIG, foreign_key="portal.id")
    entity: str = Field(primary_key=True, max_length=32)
    fields: str = json_text("{}")
    statuses: str = json_text("{}")
    read_at: int | None = moment(nullable=True)


class Watch(SQLModel, table=True):
    """The sweep over one kind of entity: everything modified before `swept_to` has been seen."""

    __tablename__ = "bitrix24_watch"

    portal_id: int = Field(primary_key=True, sa_type=BIG)
    entity: str = Field(primary_key=True, max_length=32)
    swept_to: int | None = moment(nullable=True)
    next_at: int = moment(index=True)
    owner: str | None = Field(default=None, max_length=64)
    error: str = Field(default="", max_length=500)


class OutgoingCall(SQLModel, table=True):
    """A call that must reach a portal even if it is away now. States: queued, done, failed, expired, unconfirmed (it
    may have been carried out, and is not `repeatable`). Calls with the same `order_key` go one after the other, in the
    order of `id`. `key` makes a call that is asked for twice one call. `owner`: the process that is making it."""

    __tablename__ = "bitrix24_call"
    __table_args__ = (
        UniqueConstraint("portal_id", "key", name="bitrix24_call_key"),
        Index("bitrix24_call_due", "due_at", postgresql_where=_QUEUED, sqlite_where=_QUEUED),
        Index("bitrix24_call_of_portal", "portal_id", "due_at", postgresql_where=_QUEUED, sqlite_where=_QUEUED),
        Index("bitrix24_call_order", "portal_id", "order_key", "id", postgresql_where=_QUEUED, sqlite_where=_QUEUED),
        Index("bitrix24_call_owned", "owner", postgresql_where=_OWNED, sqlite_where=_OWNED),
        Index("bitrix24_call_over", "portal_id", "done_at", postgresql_where=_OVER, sqlite_where=_OVER),
        Index("bitrix24_call_given_up", "done_at", postgresql_where=_GIVEN_UP, sqlite_where=_GIVEN_UP),
    )

    id: int | None = counting_key()
    portal_id: int = Field(sa_type=BIG)
    key: str = Field(max_length=200)
    method: str = Field(max_length=128)
    params: str = json_text()
    order_key: str = Field(default="", max_length=200)
    repeatable: bool = True
    state: str = Field(default="queued", max_length=16)
    due_at: int = moment()
    expires_at: int = moment()
    attempts: int = 0
    owner: str | None = Field(default=None, max_length=64)
    result: str | None = json_text(nullable=True)
    error: str | None = json_text(nullable=True)
    created_at: int = moment()
    done_at: int | None = moment(nullable=True)


class AboutRun(SQLModel, table=True):
    """The card that a run is about. `chain`: the scenarios whose own changes led to it, `depth` how many times."""

    __tablename__ = "bitrix24_run"
    __table_args__ = (Index("bitrix24_run_of_card", "portal_id", "entity", "entity_id", "run_id"),)

    run_id: str = Field(primary_key=True, max_length=32)
    portal_id: int = Field(sa_type=BIG)
    entity: str = Field(max_length=32)
    entity_id: int = Field(sa_type=BIG)
    chain: str = json_text("[]")
    depth: int = 0


class CardMessage(SQLModel, table=True):
    """A message that somebody wrote in our tab of a card. `author`: their name in the portal."""

    __tablename__ = "bitrix24_card_message"
    __table_args__ = (
        Index("bitrix24_card_message_of_card", "portal_id", "entity", "entity_id", "message_id"),
        Index("bitrix24_card_message_age", "portal_id", "created_at"),
    )

    message_id: str = Field(primary_key=True, max_length=32)
    portal_id: int = Field(sa_type=BIG)
    entity: str = Field(max_length=32)
    entity_id: int = Field(sa_type=BIG)
    author: str = Field(default="", max_length=255)
    created_at: int = moment()


class RobotRun(SQLModel, table=True):
    """A robot or activity of a portal that started a run. `waits`: the portal's process waits for the answer."""

    __tablename__ = "bitrix24_robot_run"
    __table_args__ = (
        Index("bitrix24_robot_run_deadline", "deadline_at", postgresql_where=_UNANSWERED, sqlite_where=_UNANSWERED),
    )

    portal_id: int = Field(primary_key=True, sa_type=BIG)
    token_hash: str = Field(primary_key=True, max_length=64)
    run_id: str | None = Field(default=None, max_length=32, index=True)
    scenario_id: int = Field(sa_type=BIG)
    event_token_sealed: str = json_text()
    waits: bool = False
    created_at: int = moment()
    deadline_at: int | None = moment(nullable=True)
    answered_at: int | None = moment(nullable=True)


class Sms(SQLModel, table=True):
    """A message that a portal gave to one of our senders. `told`: the status that the portal knows."""

    __tablename__ = "bitrix24_sms"
    __table_args__ = (Index("bitrix24_sms_age", "portal_id", "created_at"),)

    portal_id: int = Field(primary_key=True, sa_type=BIG)
    provider_id: str = Field(primary_key=True, max_length=64)
    message_id: str = Field(max_length=32, index=True)
    code: str = Field(max_length=128)
    told: str = Field(default="", max_length=16)
    created_at: int = moment()


class Erasure(SQLModel, table=True):
    """An order to erase what is kept of a portal, and afterwards the proof that it was done: `counts` by table.
    `clean`: its scenarios and settings too. `basis`: `uninstalled` or `operator`."""

    __tablename__ = "bitrix24_erasure"
    __table_args__ = (Index("bitrix24_erasure_open", "due_at", postgresql_where=_OPEN, sqlite_where=_OPEN),)

    id: int | None = counting_key()
    portal_id: int = Field(sa_type=BIG)
    portal_hash: str = Field(max_length=64)
    basis: str = Field(max_length=16)
    clean: bool
    asked_at: int = moment()
    due_at: int = moment()
    done_at: int | None = moment(nullable=True)
    owner: str | None = Field(default=None, max_length=64)
    counts: str = json_text("{}")
