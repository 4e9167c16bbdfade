"""The rows of requests and event keys, in plain SQL: every request writes here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.clock import SECOND
from hub.endpoints.parse import Note, Refused, masked, without_tokens
from hub.sql import Sql, marks
from hub.values import dumps, loads

if TYPE_CHECKING:
    from hub.endpoints.admission import Arrived

EVENT_KEY_DAYS = 7
_COLUMNS = (
    "id, portal_id, scenario_id, outcome, run_id, error, source, agent, method, content_type, received_at, query, raw,"
    " size, warnings"
)
_NAMES = _COLUMNS.split(", ")
_INSERT = f"INSERT INTO request ({_COLUMNS})"
_ROW = f"({marks(len(_NAMES))})"
_STORED = "id, portal_id, scenario_id, outcome, run_id, source, method, content_type, received_at, query, raw"


@dataclass(frozen=True)
class Record:
    """A request's row."""

    values: tuple[object, ...]

    @classmethod
    def of(
        cls,
        arrived: Arrived,
        portal_id: int,
        scenario_id: int,
        outcome: str,
        *,
        run_id: str | None = None,
        refused: Refused | None = None,
        notes: tuple[Note, ...] = (),
    ) -> Record:
        """The row of a request with this outcome."""
        error = None
        if refused is not None:
            error = dumps(
                {
                    "code": refused.code,
                    "message": refused.message,
                    "status": refused.status,
                    "line": refused.line,
                    "column": refused.column,
                }
            )
        return cls(
            (
                arrived.id,
                portal_id,
                scenario_id,
                outcome,
                run_id,
                error,
                arrived.source[:64],
                _plain(arrived.headers.get("user-agent", ""), 255),
                arrived.method[:8],
                _plain(arrived.content_type, 255),
                arrived.received_at,
                masked(arrived.query, "token").decode("latin-1").replace("\x00", ""),
                _kept(arrived) or None,
                len(arrived.body),
                dumps([note_dict(note) for note in notes]),
            )
        )

    def repeated(self, first: FirstEvent, more: tuple[Note, ...]) -> Record:
        """The row of the same request when its event is known already, with `more` to warn of."""
        row = dict(zip(_NAMES, self.values, strict=True)) | {"outcome": "duplicate", "run_id": first.run_id}
        row["warnings"] = dumps([*loads(str(row["warnings"])), *(note_dict(note) for note in more)])
        return Record(tuple(row.values()))


@dataclass(frozen=True)
class Stored:
    """What a later look at a request needs; `query` holds the raw bytes as Latin-1."""

    id: str
    portal_id: int
    scenario_id: int
    outcome: str
    run_id: str | None
    source: str
    method: str
    content_type: str
    received_at: int
    query: str
    raw: bytes | None


@dataclass(frozen=True)
class FirstEvent:
    """Who brought an event key first."""

    run_id: str
    body_hash: str


def _kept(arrived: Arrived) -> bytes:
    """The body as it came, but for the tokens that a portal's own webhooks bring."""
    is_form = arrived.content_type.lower().startswith("application/x-www-form-urlencoded")
    return without_tokens(arrived.body) if is_form else arrived.body


def insert(sql: Sql, record: Record) -> None:
    """Keep a request."""
    insert_all(sql, [record])


def insert_all(sql: Sql, new: Sequence[Record]) -> None:
    """Keep requests."""
    sql.insert(_INSERT, _ROW, [record.values for record in new])


def load(sql: Sql, request_id: str) -> Stored | None:
    """A kept request."""
    row = sql.one(f"SELECT {_STORED} FROM request WHERE id = ?", (request_id,))  # noqa: S608
    return None if row is None else Stored(*row)


def take_key(
    sql: Sql, scenario_id: int, key: str, portal_id: int, request_id: str, run_id: str, body_hash: str, now: int
) -> FirstEvent | None:
    """Take an event key for this request; None when it was free, else who had it first. Keys live seven days."""
    for _ in range(2):
        taken = sql.run(
            "INSERT INTO event_key (scenario_id, key, portal_id, request_id, run_id, body_hash, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (scenario_id, key) DO NOTHING",
            (scenario_id, key, portal_id, request_id, run_id, body_hash, now),
        )
        if taken == 1:
            return None
        row = sql.one(
            "SELECT run_id, body_hash, created_at FROM event_key WHERE scenario_id = ? AND key = ?", (scenario_id, key)
        )
        if row is not None and row[2] > now - EVENT_KEY_DAYS * 86_400 * SECOND:
            return FirstEvent(row[0], row[1])
        sql.run("DELETE FROM event_key WHERE scenario_id = ? AND key = ?", (scenario_id, key))
    raise RuntimeError("an event key was taken and freed at the same time")


def note_dict(note: Note) -> dict[str, str]:
    """A warning as it is stored and shown."""
    return {"code": note.code, "path": note.path, "block": note.block or "", "message": note.message}


def _plain(text: str, most: int) -> str:
    return text.encode("utf-8", "replace").decode().replace("\x00", "")[:most]
