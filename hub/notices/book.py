"""Keeping notices: one for each cause as long as it lasts, told when it begins and again after six hours.

Whoever delivers notices does so inside the job that `keep` runs in, with what it returns: so a notice counts as told
exactly when what tells it is stored.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlmodel import Session, col, select

from hub.clock import SECOND, rfc3339
from hub.ids import new_id
from hub.notices.models import EVERYBODY, Notice
from hub.sql import Sql, marks
from hub.values import Value, dumps, loads

AGAIN_S = 6 * 3600
WORDS: Mapping[str, str] = {
    "line_auth_failed": "The line “{line}” is not let in by its messenger: {reason} {queue} messages wait.",
    "line_unreachable": "The messenger of the line “{line}” cannot be reached: {reason} {queue} messages wait.",
    "line_unshown": "The open line of “{line}” did not take {count} messages of customers: {reason} Nobody saw them.",
    "undelivered": "{count} messages did not arrive within {minutes} minutes.",
    "late": "A message on the line “{line}” has been due for {seconds} seconds.",
    "loop": "Scenarios change the same cards in turn: {count} times it was ended after five changes in a row.",
    "disk_low": "The disk of {host} is nearly full: {free_mib} MiB are free.",
    "worker_absent": "No worker is at work; nothing that waits is sent.",
}
"""Every cause with its words in English; `params` of a notice fill the places, in whatever language."""


@dataclass(frozen=True)
class Finding:
    """A cause that is there now. `subject`: the line it is about, or another id that tells it from its like."""

    cause: str
    portal_id: int = EVERYBODY
    subject: str = ""
    params: Mapping[str, Value] = field(default_factory=dict)

    @property
    def key(self) -> tuple[int, str, str]:
        """What is the same for the same cause."""
        return self.portal_id, self.cause, self.subject

    @property
    def words(self) -> str:
        """One sentence for people, in English."""
        return words(self.cause, self.params)


def words(cause: str, params: Mapping[str, Value]) -> str:
    """One sentence for people, in English."""
    return WORDS[cause].format_map(params)


def keep(sql: Sql, found: Sequence[Finding], *, causes: Collection[str], now: int) -> list[Finding]:
    """Inside a job: let the open notices of these causes be exactly what was found; gives what people are to be told.

    A cause that comes back within six hours of being told opens its notice again, in silence.
    """
    rows = sql.all(
        "SELECT portal_id, cause, subject, id, told_at FROM notice WHERE closed_at IS NULL"  # noqa: S608
        f" AND cause IN ({marks(len(causes))})",
        tuple(causes),
    )
    known = {tuple(row[:3]): (row[3], row[4]) for row in rows}
    tell = []
    for finding in found:
        notice_id, told_at = known.pop(finding.key, ("", 0))
        if notice_id:
            sql.run(
                "UPDATE notice SET last_at = ?, params = ? WHERE id = ?", (now, dumps(dict(finding.params)), notice_id)
            )
            due = told_at <= now - AGAIN_S * SECOND
            if due:
                sql.run("UPDATE notice SET told_at = ? WHERE id = ?", (now, notice_id))
        else:
            due = _open(sql, finding, now)
        if due:
            tell.append(finding)
    for notice_id, _ in known.values():
        sql.run("UPDATE notice SET closed_at = ? WHERE id = ?", (now, notice_id))
    return tell


def confirm(sql: Sql, *, portal_id: int, cause: str, subject: str, now: int) -> None:
    """Inside a job: a notice's cause was met once more."""
    sql.run(
        "UPDATE notice SET count = count + 1, last_at = ?"
        " WHERE portal_id = ? AND cause = ? AND subject = ? AND closed_at IS NULL",
        (now, portal_id, cause, subject),
    )


def find(session: Session, portal_id: int, *, is_open: bool | None, below: str | None, limit: int) -> list[Notice]:
    """Notices of a portal and of the whole installation, the newest first, those with ids below `below`."""
    query = select(Notice).where(col(Notice.portal_id).in_((portal_id, EVERYBODY)))
    if is_open is not None:
        query = query.where(col(Notice.closed_at).is_(None) if is_open else col(Notice.closed_at).is_not(None))
    if below is not None:
        query = query.where(Notice.id < below)
    return list(session.exec(query.order_by(col(Notice.id).desc()).limit(limit)))


def to_dict(notice: Notice) -> dict[str, Value]:
    """A notice as the API shows it."""
    params: dict[str, Value] = loads(notice.params)
    return {
        "id": notice.id,
        "cause": notice.cause,
        "line": notice.subject if notice.cause.startswith("line_") or notice.cause == "late" else None,
        "everybody": notice.portal_id == EVERYBODY,
        "params": params,
        "message": words(notice.cause, params),
        "count": notice.count,
        "opened_at": rfc3339(notice.opened_at),
        "last_at": rfc3339(notice.last_at),
        "closed_at": rfc3339(notice.closed_at),
    }


def _open(sql: Sql, finding: Finding, now: int) -> bool:
    """True when people are to be told."""
    params = dumps(dict(finding.params))
    before = sql.one(
        "SELECT id FROM notice WHERE portal_id = ? AND cause = ? AND subject = ? AND told_at > ?"
        " ORDER BY id DESC LIMIT 1",
        (*finding.key, now - AGAIN_S * SECOND),
    )
    if before is not None:
        sql.run(
            "UPDATE notice SET closed_at = NULL, count = count + 1, last_at = ?, params = ? WHERE id = ?",
            (now, params, before[0]),
        )
        return False
    sql.run(
        "INSERT INTO notice (id, portal_id, cause, subject, params, opened_at, last_at, told_at, count)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)",
        (new_id(), *finding.key, params, now, now, now),
    )
    return True
