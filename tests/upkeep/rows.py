"""Rows of long ago, as many as a test of retention wants."""

from typing import Any

from hub.clock import SECOND, now_us
from hub.core import Hub

DAY = 86_400 * SECOND


def fill(hub: Hub, portal_id: int, runs: int, *, attempts: int = 2, steps: int = 3, body: int = 100) -> None:
    """Many requests of long ago with all that hangs on them."""
    made = now_us() - 40 * DAY

    def job(sql: Any) -> None:
        ids = [f"{number:012x}aaaa" for number in range(runs)]
        sql.many(
            "INSERT INTO request (id, portal_id, scenario_id, outcome, run_id, source, agent, method, content_type,"
            " received_at, query, raw, size, warnings)"
            " VALUES (?, ?, 1, 'run', ?, '', '', 'POST', '', ?, '', ?, ?, '[]')",
            [(one, portal_id, one, made, b"x" * body, body) for one in ids],
        )
        sql.many(
            "INSERT INTO run (id, portal_id, scenario_id, version_id, version, request_id, status, state, warnings,"
            " fence, dry, created_at, ended_at) VALUES (?, ?, 1, 1, 1, ?, 'completed', '{}', '[]', 1, FALSE, ?, ?)",
            [(one, portal_id, one, made, made) for one in ids],
        )
        sql.many(
            "INSERT INTO step (run_id, n, block, type, status, started_at, ms) VALUES (?, ?, 'b', 't', 'done', ?, 1)",
            [(one, n, made) for one in ids for n in range(steps)],
        )
        sql.many(
            "INSERT INTO message (id, portal_id, line_id, run_id, block, iteration, messenger, chat_id, chat_id_raw,"
            " text, extra, state, head, due_at, expires_at, attempts, failures, interruptions, sent_parts, created_at,"
            " ended_at) VALUES (?, ?, 'l', ?, 'b', 1, 't', 'c', 'c', 'Hi', '{}', 'sent', FALSE, ?, ?, ?, 0, 0, '[]',"
            " ?, ?)",
            [(one, portal_id, one, made, made, attempts, made, made) for one in ids],
        )
        sql.many(
            "INSERT INTO attempt (message_id, n, owner, started_at, code, message) VALUES (?, ?, 'w', ?, '', '')",
            [(one, n, made) for one in ids for n in range(attempts)],
        )

    hub.db.writer.run(job)
