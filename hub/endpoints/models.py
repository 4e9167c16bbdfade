"""What arrives at a link, kept whole, and the event keys that make a repeated request run once."""

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from hub.columns import BIG, blob, json_text, moment, text


class IncomingRequest(SQLModel, table=True):
    """One HTTP request at a link, or one event of a CRM's card, whatever became of it. `outcome`: run, duplicate,
    check, captured, refused; of an event also unchanged and ignored."""

    __tablename__ = "request"
    __table_args__ = (
        Index("request_by_portal", "portal_id", "id"),
        Index("request_by_scenario", "scenario_id", "outcome", "id"),
    )

    id: str = Field(primary_key=True, max_length=32)
    portal_id: int = Field(sa_type=BIG)
    scenario_id: int = Field(sa_type=BIG)
    outcome: str = Field(max_length=16)
    run_id: str | None = Field(default=None, max_length=32)
    error: str | None = json_text(nullable=True)
    source: str = Field(max_length=64)
    agent: str = Field(default="", max_length=255)
    method: str = Field(max_length=8)
    content_type: str = Field(default="", max_length=255)
    received_at: int = moment()
    query: str = text()
    raw: bytes | None = blob(nullable=True)
    size: int = 0
    warnings: str = json_text("[]")


class EventKey(SQLModel, table=True):
    """The first request that brought a key of its link; later ones with the same key are duplicates."""

    __tablename__ = "event_key"

    scenario_id: int = Field(primary_key=True, sa_type=BIG)
    key: str = Field(primary_key=True, max_length=300)
    portal_id: int = Field(sa_type=BIG)
    request_id: str = Field(max_length=32)
    run_id: str = Field(max_length=32)
    body_hash: str = Field(max_length=64)
    created_at: int = moment(index=True)
