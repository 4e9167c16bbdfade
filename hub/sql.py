"""Plain SQL for the hot paths (accepting, claiming, settling), one text for SQLite and PostgreSQL.

SQLModel serves everything else; it costs several times the CPU of plain SQL, so these few statements do without.
Statements are written with `?` for values; `/*skip locked*/` becomes the locking clause where there is one.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Literal

Dialect = Literal["sqlite", "postgresql"]
Row = tuple[Any, ...]


@lru_cache(maxsize=512)
def _spelled(sql: str, dialect: Dialect) -> str:
    if dialect == "sqlite":
        return sql.replace("/*skip locked*/", "")
    return sql.replace("?", "%s").replace("/*skip locked*/", "FOR UPDATE SKIP LOCKED")


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
