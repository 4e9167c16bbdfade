"""Constants and global variables of a portal: values that all its scenarios share."""

from typing import TypeVar

from sqlalchemy import delete as deletion
from sqlalchemy import text
from sqlmodel import Session, col, select

from hub.clock import now_us, rfc3339
from hub.errors import Invalid, NotFound
from hub.language.names import field_problem
from hub.portals.service import bump
from hub.scenarios.models import Constant, GlobalVariable
from hub.values import Value, dumps, loads

MAX_VALUE_BYTES = 64 * 1024
Kind = TypeVar("Kind", bound=Constant | GlobalVariable)
_UNKNOWN = "There is no variable with this name."

_reasons = {
    "empty_name": "A name is needed.",
    "reserved_name": "This name is taken by the system.",
    "too_long": "A name has at most 64 characters.",
    "bad_name": "A name consists of letters, digits, _ and -, and begins with a letter or _.",
}


def all_of(session: Session, kind: type[Kind], portal_id: int) -> list[Kind]:
    """Every constant, or every global variable, of a portal, by name."""
    return list(session.exec(select(kind).where(kind.portal_id == portal_id).order_by(col(kind.name))))


def get(session: Session, kind: type[Kind], portal_id: int, name: str) -> Kind:
    """One of them. Raises NotFound."""
    row = session.get(kind, (portal_id, name))
    if row is None:
        raise NotFound(_UNKNOWN)
    return row


def put(session: Session, kind: type[Kind], portal_id: int, name: str, value: Value) -> Kind:
    """Make or overwrite one. A constant holds a text, a global variable anything.

    Raises Invalid: `reserved_name`, `bad_name`, `too_long`, `empty_name`, or a value above 64 KiB.
    """
    problem = field_problem(name)
    if problem is not None:
        error = {"pointer": "/name", "code": problem, "message": _reasons[problem]}
        raise Invalid(_reasons[problem], code=problem, errors=[error])
    stored = dumps(value)
    if len(stored.encode()) > MAX_VALUE_BYTES:
        message = "A value has at most 64 KiB."
        raise Invalid(message, errors=[{"pointer": "/value", "code": "too_large", "message": message}])
    # In one statement, since others may set the same one now; its row before the stamp, as runs do.
    session.connection().execute(
        text(
            f"INSERT INTO {kind.__tablename__} (portal_id, name, value, updated_at)"  # noqa: S608
            " VALUES (:portal, :name, :value, :now)"
            " ON CONFLICT (portal_id, name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at"
        ),
        {"portal": portal_id, "name": name, "value": stored, "now": now_us()},
    )
    _bump(session, kind, portal_id)
    return session.get_one(kind, (portal_id, name), populate_existing=True)


def delete(session: Session, kind: type[Kind], portal_id: int, name: str) -> None:
    """Take one away. Raises NotFound."""
    gone = session.connection().execute(deletion(kind).where(col(kind.portal_id) == portal_id, col(kind.name) == name))
    if not gone.rowcount:
        raise NotFound(_UNKNOWN)
    _bump(session, kind, portal_id)


def to_dict(row: Constant | GlobalVariable) -> dict[str, Value]:
    """As the API shows it; numbers keep their literals."""
    return {"name": row.name, "value": loads(row.value), "updated_at": rfc3339(row.updated_at)}


def _bump(session: Session, kind: type[Kind], portal_id: int) -> None:
    bump(session, portal_id, "config" if issubclass(kind, Constant) else "globals")
