"""Plain SQL for the hot paths (accepting, claiming, settling), one text for SQLite and PostgreSQL.

SQLModel serves everything else; it costs several times the CPU of plain SQL, so these few statements do without.
Statements are written with `?` for values; `/*skip locked*/` becomes the locking clause where there is one.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Literal

Dialect = Literal["sqlite", "postgresql"]
Row = tuple[Any, ...]
LONGEST_INSERT = 64
"""Rows of one statement; both databases allow more than 32,000 values in it."""


@lru_cache(maxsize=512)
def _spelled(sql: str, dialect: Dialect) -> str:
    if dialect == "sqlite":
        return sql.replace("/*skip locked*/", "")
    return sql.replace("?", "%s").replace("/*skip locked*/", "FOR UPDATE SKIP LOCKED")


@lru_cache(maxsize=512)
def _rows(into: str, row: str, then: str, count: int) -> str:
    return f"{into} VALUES {', '.join([row] * count)} {then}"


class Sql:
    """One open transaction on a driver's own connection."""

    __slots__ = ("connection", "dialect")

    def __init__(self, connection: Any, dialect: Dialect) -> None:
        self.connection = connection
        self.dialect = dialect

    def all(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Every row of a query, or of a statement with RETURNING."""
        rows: list[Row] = self.connection.execute(_spelled(sql, self.dialect), values).fetchall()
        return rows

    def one(self, sql: str, values: Sequence[Any] = ()) -> Row | None:
        """The first row, or None."""
        row: Row | None = self.connection.execute(_spelled(sql, self.dialect), values).fetchone()
        return row

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Execute a statement; gives the number of rows it touched."""
        count: int = self.connection.execute(_spelled(sql, self.dialect), values).rowcount
        return count

    def insert(self, into: str, row: str, rows: Sequence[Sequence[Any]], then: str = "") -> None:
        """Insert many rows in few statements: `into` is what stands before VALUES, `row` one row in its brackets,
        `then` what follows. Rows of one call may not meet in an ON CONFLICT: PostgreSQL refuses that."""
        at = 0
        while at < len(rows):
            # Few different lengths, so that each statement is prepared only once.
            count = min(len(rows) - at, LONGEST_INSERT)
            count = count if count <= 8 else 1 << (count.bit_length() - 1)
            values = [value for one in rows[at : at + count] for value in one]
            self.connection.execute(_spelled(_rows(into, row, then, count), self.dialect), values)
            at += count

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Execute a statement once for every row of values."""
        if self.dialect == "sqlite":
            self.connection.executemany(_spelled(sql, self.dialect), rows)
        else:
            with self.connection.cursor() as cursor:
                cursor.executemany(_spelled(sql, self.dialect), rows)


def marks(count: int) -> str:
    """`?,?,?` for an IN list."""
    return ",".join("?" * count)
