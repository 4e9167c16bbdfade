"""Which rows belong to a portal, of every table there is: what is exported whole and erased whole.

A table belongs to portals by its `portal_id`, or by a parent's. One that has neither must be named in SHARED; a test
sees to it, so that a new table cannot be forgotten.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Table
from sqlmodel import SQLModel

import hub.accounts.models
import hub.bitrix24.models
import hub.delivery.models
import hub.endpoints.models
import hub.notices.models
import hub.portals.models
import hub.scenarios.models
import hub.upkeep.models  # noqa: F401  each import registers its tables
from hub.sql import Row, Sql, marks

BATCH = 500
SHARED = frozenset({"process", "chore"})
"""Tables that belong to the installation and hold nothing of a portal."""
PROOF = "bitrix24_erasure"
"""Says what was erased, when and why; it names a portal by a hash only, and stays."""
_PARENTS = {
    "attempt": ("message_id", "message", "id"),
    "step": ("run_id", "run", "id"),
    "chat_pace": ("line_id", "line", "id"),
}
FOR_REINSTALL = frozenset(
    {
        "portal",
        "stamp",
        "bitrix24_connection",
        "bitrix24_app",
        "bitrix24_mapping",
        "scenario",
        "scenario_version",
        "link",
        "constant",
        "line",
        "app_user",
        PROOF,
    }
)
"""What outlasts the removal of the application for a while, in case that it comes back: none of it is about the
portal's customers. All else goes at once, whatever it may be."""


@dataclass(frozen=True)
class Belonging:
    """The rows of one table that belong to one portal; `condition` holds one `?` for the portal's number."""

    table: Table
    condition: str

    @property
    def name(self) -> str:
        """The table's name."""
        return str(self.table.name)

    @property
    def key(self) -> str:
        """The columns of its primary key."""
        return ", ".join(column.name for column in self.table.primary_key)

    def erase(self, sql: Sql, portal_id: int) -> int:
        """Inside a job: delete at most BATCH rows; their number."""
        key = self.key
        return sql.run(
            f"DELETE FROM {self.name} WHERE ({key}) IN (SELECT {key} FROM {self.name} WHERE {self.condition}"  # noqa: S608
            " LIMIT ?)",
            (portal_id, BATCH),
        )

    def rows(self, sql: Sql, portal_id: int) -> Iterator[tuple[list[str], Row]]:
        """Every row with the names of its columns, without secrets: nothing that is sealed, and no hash of any."""
        names = [column.name for column in self.table.columns if not column.name.endswith(("_sealed", "_hash"))]
        after: Row | None = None
        key = [column.name for column in self.table.primary_key]
        listed = ", ".join(dict.fromkeys([*names, *key]))
        while True:
            beyond = "" if after is None else f" AND ({self.key}) > ({marks(len(key))})"
            found = sql.all(
                f"SELECT {listed} FROM {self.name} WHERE {self.condition}{beyond} ORDER BY {self.key} LIMIT ?",  # noqa: S608
                (portal_id, *(after or ()), BATCH),
            )
            columns = listed.split(", ")
            for row in found:
                yield names, tuple(row[columns.index(name)] for name in names)
            if len(found) < BATCH:
                return
            after = tuple(found[-1][columns.index(name)] for name in key)


def everything() -> list[Belonging]:
    """All tables that hold something of portals, those first that refer to others."""
    found = []
    for table in reversed(SQLModel.metadata.sorted_tables):
        if table.name in SHARED:
            continue
        if table.name == "portal":
            condition = "id = ?"
        elif "portal_id" in table.columns:
            condition = "portal_id = ?"
        else:
            column, parent, parent_key = _PARENTS[table.name]
            condition = f"{column} IN (SELECT {parent_key} FROM {parent} WHERE portal_id = ?)"  # noqa: S608
        found.append(Belonging(table, condition))
    # Children have no foreign keys to tell the order by.
    return sorted(found, key=lambda belonging: belonging.name not in _PARENTS)


def of_reach(*, clean: bool) -> list[Belonging]:
    """What an erasure deletes: with `clean` everything, else all that is about people."""
    kept = {PROOF} if clean else FOR_REINSTALL
    return [belonging for belonging in everything() if belonging.name not in kept]
