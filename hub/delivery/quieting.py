"""Messages that wait for the end of quiet hours: when the hours change, and when somebody does not want to wait."""

from hub.clock import from_us, now_us, to_us
from hub.core import Hub
from hub.delivery import journal
from hub.errors import Conflict
from hub.quiet import QuietHours
from hub.sql import Sql


def follow(hub: Hub, portal_id: int, before: QuietHours | None, after: QuietHours | None) -> None:
    """Let what waits by the portal's former hours wait by the new ones, or go at once where there are none now."""
    if before is None or before == after:
        return
    with hub.db.sql() as sql:
        lines = [line for (line,) in sql.all("SELECT id FROM line WHERE portal_id = ?", (portal_id,))]

    def job(sql: Sql) -> None:
        now = now_us()
        over = after.over_at(from_us(now)) if after is not None else None
        sql.run(
            "UPDATE message SET quiet = ?, due_at = ? WHERE portal_id = ? AND state = 'queued' AND quiet = ?",
            (str(after) if after is not None else None, now if over is None else to_us(over), portal_id, str(before)),
        )

    hub.db.writer.run(job, lines=lines)
    hub.ring()


def send_now(hub: Hub, portal_id: int, message_id: str) -> None:
    """Let one message go whatever the hour. Raises NotFound, Conflict for one that does not wait for that."""
    with hub.db.read() as session:
        line = journal.get(session, portal_id, message_id).line_id

    def job(sql: Sql) -> int:
        return sql.run(
            "UPDATE message SET quiet = NULL, due_at = ? WHERE id = ? AND portal_id = ? AND state = 'queued'"
            " AND quiet IS NOT NULL",
            (now_us(), message_id, portal_id),
        )

    if not hub.db.writer.run(job, lines=[line]):
        raise Conflict("This message does not wait for the end of quiet hours.", code="wrong_state")
    hub.ring()
