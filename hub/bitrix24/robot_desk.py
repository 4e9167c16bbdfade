"""Telling processes that wait how their runs ended, or that their time is over. One commit decides and puts the call
into the outbox, so a process is told whatever becomes of ours."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import structlog

from hub.bitrix24 import robot_values, robots
from hub.bitrix24.client import Bitrix24
from hub.clock import now_us
from hub.scenarios.check import NotRunnable, Program
from hub.scenarios.library import Library
from hub.sql import Sql
from hub.values import Value, loads

log = structlog.get_logger(__name__)
AT_ONCE = 50
_FINISHED = """
SELECT id FROM run WHERE watched AND (result IS NOT NULL OR ended_at IS NOT NULL) ORDER BY id LIMIT ?
"""
_OVERDUE = """
SELECT portal_id, token_hash FROM bitrix24_robot_run WHERE answered_at IS NULL AND deadline_at <= ?
ORDER BY deadline_at LIMIT ?
"""


class RobotDesk:
    """Of one worker process."""

    name = "bitrix24-robot"
    hands = 1

    def __init__(self, bitrix24: Bitrix24, library: Library) -> None:
        self._hub = bitrix24.hub
        self._library = library

    def hand_out(self, free: int) -> Sequence[Callable[[], None]]:
        """One piece of work when somebody has to be told. Nothing is claimed: telling twice is telling once."""
        with self._hub.db.sql() as sql:
            due = sql.one(_FINISHED, (1,)) or sql.one(_OVERDUE, (now_us(), 1))
        return () if due is None else (self._tell,)

    def free_dead(self, sql: Sql, dead: Sequence[str]) -> int:
        """There are no claims."""
        return 0

    def _tell(self) -> None:
        with self._hub.db.sql() as sql:
            finished = [run_id for (run_id,) in sql.all(_FINISHED, (AT_ONCE,))]
            overdue = sql.all(_OVERDUE, (now_us(), AT_ONCE))
        for run_id in finished:
            self._tell_end(run_id)
        for portal_id, hashed in overdue:
            self._tell_timeout(portal_id, hashed)
        self._hub.ring()

    def _tell_end(self, run_id: str) -> None:
        with self._hub.db.sql() as sql:
            row = sql.one(
                "SELECT r.portal_id, r.token_hash, run.status, run.result, run.error, run.version_id, run.ended_at"
                " FROM run JOIN bitrix24_robot_run r ON r.run_id = run.id WHERE run.id = ?",
                (run_id,),
            )
        told: Callable[[Sql], Any] | None = None
        if row is not None:
            portal_id, hashed, status, result, error, version_id, ended_at = row
            # What “return result” built is the answer, whatever becomes of the rest of the run.
            if ended_at is None or (result is not None and status != "partial"):
                status = "completed"
            values = robot_values.returned(
                self._program(version_id), status, _loaded(result), _loaded(error) if status != "completed" else None
            )
            told = self._answer(portal_id, hashed, version_id, status, values)

        def job(sql: Sql) -> None:
            if told is not None:
                told(sql)
            sql.run("UPDATE run SET watched = FALSE WHERE id = ?", (run_id,))

        self._hub.db.writer.run(job)

    def _tell_timeout(self, portal_id: int, hashed: str) -> None:
        with self._hub.db.sql() as sql:
            row = sql.one(
                "SELECT run.id, run.version_id FROM bitrix24_robot_run r JOIN run ON run.id = r.run_id"
                " WHERE r.portal_id = ? AND r.token_hash = ?",
                (portal_id, hashed),
            )
        run_id, version_id = (None, None) if row is None else row
        told = self._answer(
            portal_id, hashed, version_id, "timeout", robot_values.returned(None, "timeout", None, None)
        )

        def job(sql: Sql) -> None:
            told(sql)
            sql.run("UPDATE run SET watched = FALSE WHERE id = ?", (run_id,))

        self._hub.db.writer.run(job)

    def _answer(
        self, portal_id: int, hashed: str, version_id: int | None, status: str, values: Mapping[str, Value]
    ) -> Callable[[Sql], bool]:
        program = None if version_id is None else self._program(version_id)
        name = "?" if program is None else program.name
        view = self._library.portal(portal_id)
        log.info("robot_answered", portal_id=portal_id, status=status)
        return partial(robots.answer, view=view, hashed=hashed, name=name, status=status, values=values)

    def _program(self, version_id: int) -> Program | None:
        try:
            return self._library.program(version_id)
        except (KeyError, NotRunnable):
            return None


def _loaded(text: str | None) -> Any:
    return None if text is None else loads(text)
