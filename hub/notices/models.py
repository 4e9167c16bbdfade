"""Notices: what the people of a portal, or whoever runs the installation, have to be told once and not every minute."""

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from hub.columns import BIG, json_text, moment

_IS_OPEN = text("closed_at IS NULL")
EVERYBODY = 0
"""The `portal_id` of what concerns the whole installation."""


class Notice(SQLModel, table=True):
    """One cause of trouble, from when it was found until it is gone. `subject` is the id of the line that it is about,
    if any; `params` fill the words of the cause. `count`: how often it came or was confirmed; `told_at`: when people
    were told last."""

    __tablename__ = "notice"
    __table_args__ = (
        Index(
            "notice_open",
            "portal_id",
            "cause",
            "subject",
            unique=True,
            postgresql_where=_IS_OPEN,
            sqlite_where=_IS_OPEN,
        ),
        Index("notice_by_portal", "portal_id", "id"),
    )

    id: str = Field(primary_key=True, max_length=32)
    portal_id: int = Field(sa_type=BIG)
    cause: str = Field(max_length=32)
    subject: str = Field(default="", max_length=32)
    params: str = json_text("{}")
    opened_at: int = moment()
    last_at: int = moment()
    told_at: int = moment()
    count: int = 1
    closed_at: int | None = moment(nullable=True)
