"""When the installation last did its regular work, whichever process did it."""

from sqlmodel import Field, SQLModel

from hub.columns import json_text, moment


class Chore(SQLModel, table=True):
    """Work that is done every so often by one process at a time. `result` is what the last turn came to, JSON."""

    __tablename__ = "chore"

    name: str = Field(primary_key=True, max_length=32)
    owner: str = Field(max_length=64)
    begun_at: int = moment()
    done_at: int | None = moment(nullable=True)
    result: str = json_text("{}")
