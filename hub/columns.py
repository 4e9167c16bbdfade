"""Column types that both dialects share."""

from typing import Any

from sqlalchemy import BigInteger, Integer, LargeBinary, Text
from sqlmodel import Field

BIG = BigInteger().with_variant(Integer, "sqlite")
"""64 bits on PostgreSQL; on SQLite plain INTEGER, the only type that counts up by itself."""


def moment(*, nullable: bool = False, **extra: Any) -> Any:
    """A time in microseconds since 1970."""
    return Field(default=None if nullable else ..., sa_type=BIG, nullable=nullable, **extra)


def json_text(default: str | None = None, *, nullable: bool = False) -> Any:
    """JSON kept as text: jsonb would rewrite number literals such as 1e5."""
    if nullable:
        return Field(default=None, sa_type=Text, nullable=True)
    return Field(default=... if default is None else default, sa_type=Text, nullable=False)


def text(default: str | None = None, *, nullable: bool = False) -> Any:
    """A text of any length."""
    return json_text(default, nullable=nullable)


def blob(*, nullable: bool = False) -> Any:
    """Raw bytes."""
    return Field(default=None if nullable else ..., sa_type=LargeBinary, nullable=nullable)


def counting_key() -> Any:
    """A primary key that counts up; its order is the order of making."""
    return Field(default=None, primary_key=True, sa_type=BIG)
