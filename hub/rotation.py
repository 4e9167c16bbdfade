"""Sealing stored secrets with the newest key. Every column named `…_sealed` takes part, so a new one does by itself.

A secret's place names the row by its primary key; the parts of a longer key stand one after the other with `:`.
"""

from dataclasses import dataclass

from sqlalchemy import Column, Table, and_, select, update

from hub.core import Hub
from hub.schema import metadata
from hub.secrets import SecretError

SUFFIX = "_sealed"


@dataclass
class Rotated:
    """How many secrets were sealed anew, were already, or cannot be opened by any key at hand."""

    sealed: int = 0
    kept: int = 0
    unreadable: int = 0


def sealed_columns() -> list[tuple[Table, Column[str]]]:
    """Every column that holds sealed secrets."""
    return [
        (table, column) for table in metadata.sorted_tables for column in table.columns if column.name.endswith(SUFFIX)
    ]


def rotate(hub: Hub) -> Rotated:
    """Seal again whatever the first key has not sealed. May be repeated, and run while the product does.

    A secret that somebody changes meanwhile stays theirs: they sealed it with the first key.
    """
    done = Rotated()
    for table, column in sealed_columns():
        key = list(table.primary_key.columns)
        with hub.db.read() as session:
            rows = session.connection().execute(select(*key, column).where(column.is_not(None), column != "")).all()
        for *row, sealed in rows:
            if hub.box.written_by_first_key(sealed):
                done.kept += 1
                continue
            place = {"table": table.name, "column": column.name.removesuffix(SUFFIX), "row": ":".join(map(str, row))}
            try:
                again = hub.box.seal(hub.box.open(sealed, **place), **place)
            except SecretError:
                done.unreadable += 1
                continue
            with hub.db.write() as session:
                session.connection().execute(
                    update(table)
                    .where(and_(*(part == value for part, value in zip(key, row, strict=True))), column == sealed)
                    .values({column.name: again})
                )
            done.sealed += 1
    return done
