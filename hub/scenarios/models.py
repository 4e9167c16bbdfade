"""Scenarios, their versions and links, the variables they share, and their runs."""

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from hub.columns import BIG, counting_key, json_text, moment

_TO_BE_TOLD = text("watched AND (result IS NOT NULL OR ended_at IS NOT NULL)")
_HAS_WAKE, _HAS_AWAITS, _HAS_OWNER, _HAS_REQUEST, _HAS_REASON = (
    text(f"{name} IS NOT NULL") for name in ("wake_at", "awaits", "owner", "request_id", "reason")
)


class Scenario(SQLModel, table=True):
    """`id` is the `template_id` of links. `published` is the number of the version that runs, None before the first.
    `latest` is the newest version's number, a draft perhaps; `edits` counts how often that was saved again in place."""

    __tablename__ = "scenario"
    __table_args__ = (UniqueConstraint("portal_id", "name_key", name="scenario_name"),)

    id: int | None = counting_key()
    portal_id: int = Field(sa_type=BIG, foreign_key="portal.id", index=True)
    name: str = Field(max_length=100)
    name_key: str = Field(max_length=400)
    enabled: bool = True
    published: int | None = None
    latest: int = 0
    edits: int = 0
    created_at: int = moment()
    updated_at: int = moment()
    deleted_at: int | None = moment(nullable=True)


class Version(SQLModel, table=True):
    """A scenario document as it was saved; never changed. `clean`: nothing in it forbade publishing. `draft`: saved
    while drawing, and nothing has run it; whoever saved it, `saved_by`, may replace it."""

    __tablename__ = "scenario_version"
    __table_args__ = (UniqueConstraint("scenario_id", "n", name="version_number"),)

    id: int | None = counting_key()
    scenario_id: int = Field(sa_type=BIG, foreign_key="scenario.id")
    portal_id: int = Field(sa_type=BIG)
    n: int
    document: str = json_text()
    clean: bool
    problems: str = json_text("[]")
    note: str = Field(default="", max_length=255)
    saved_by: str = Field(default="", max_length=255)
    draft: bool = False
    created_at: int = moment()


class Link(SQLModel, table=True):
    """The token of a scenario's links. After a rotation the old one lives until `expires_at`."""

    __tablename__ = "link"

    token_hash: str = Field(primary_key=True, max_length=64)
    scenario_id: int = Field(sa_type=BIG, foreign_key="scenario.id", index=True)
    portal_id: int = Field(sa_type=BIG)
    token_sealed: str = json_text()
    created_at: int = moment()
    expires_at: int | None = moment(nullable=True)


class Constant(SQLModel, table=True):
    """A fixed text that every scenario of a portal may use."""

    __tablename__ = "constant"

    portal_id: int = Field(primary_key=True, sa_type=BIG, foreign_key="portal.id")
    name: str = Field(primary_key=True, max_length=64)
    value: str = json_text()
    updated_at: int = moment()


class GlobalVariable(SQLModel, table=True):
    """A value that all scenarios of a portal share and may change."""

    __tablename__ = "global_variable"

    portal_id: int = Field(primary_key=True, sa_type=BIG, foreign_key="portal.id")
    name: str = Field(primary_key=True, max_length=64)
    value: str = json_text()
    updated_at: int = moment()


class Run(SQLModel, table=True):
    """One execution of one version. `state` is the engine's own JSON; a run that waits has `wake_at` (a time) or
    `awaits` (a message), one that is being executed has an owner and a lease. `watched`: somebody outside waits for the
    result or the end and has not been told. `tells`: what becomes of its messages is told elsewhere, too. `reason`: the
    code of the error for which somebody should look at it; None when nobody has to, or no longer."""

    __tablename__ = "run"
    __table_args__ = (
        Index("run_by_portal", "portal_id", "id"),
        Index("run_by_scenario", "scenario_id", "status", "id"),
        Index("run_due", "wake_at", postgresql_where=_HAS_WAKE, sqlite_where=_HAS_WAKE),
        Index("run_awaits", "awaits", postgresql_where=_HAS_AWAITS, sqlite_where=_HAS_AWAITS),
        Index("run_owned", "owner", postgresql_where=_HAS_OWNER, sqlite_where=_HAS_OWNER),
        Index("run_watched", "id", postgresql_where=_TO_BE_TOLD, sqlite_where=_TO_BE_TOLD),
        Index("run_of_request", "request_id", postgresql_where=_HAS_REQUEST, sqlite_where=_HAS_REQUEST),
        Index("run_in_trouble", "portal_id", "id", postgresql_where=_HAS_REASON, sqlite_where=_HAS_REASON),
        Index(
            "run_by_reason",
            "portal_id",
            "scenario_id",
            "reason",
            "id",
            postgresql_where=_HAS_REASON,
            sqlite_where=_HAS_REASON,
        ),
    )

    id: str = Field(primary_key=True, max_length=32)
    portal_id: int = Field(sa_type=BIG)
    scenario_id: int = Field(sa_type=BIG)
    version_id: int = Field(sa_type=BIG)
    version: int
    request_id: str | None = Field(default=None, max_length=32)
    status: str = Field(max_length=16)
    state: str = json_text()
    warnings: str = json_text("[]")
    result: str | None = json_text(nullable=True)
    error: str | None = json_text(nullable=True)
    wake_at: int | None = moment(nullable=True)
    awaits: str | None = Field(default=None, max_length=32)
    owner: str | None = Field(default=None, max_length=64)
    fence: int = 0
    dry: bool = False
    watched: bool | None = None
    tells: bool | None = None
    created_at: int = moment()
    ended_at: int | None = moment(nullable=True)
    reason: str | None = Field(default=None, max_length=64)


class Step(SQLModel, table=True):
    """One block that a run executed. `n` counts from 1 within the run."""

    __tablename__ = "step"

    run_id: str = Field(primary_key=True, max_length=32)
    n: int = Field(primary_key=True)
    block: str = Field(max_length=64)
    type: str = Field(max_length=64)
    status: str = Field(max_length=16)
    port: str | None = Field(default=None, max_length=64)
    input: str | None = json_text(nullable=True)
    output: str | None = json_text(nullable=True)
    error: str | None = json_text(nullable=True)
    started_at: int = moment()
    ms: int = 0
