"""The worker's desk for changes: claims cards that are due, of one kind of one portal at a time."""

from collections.abc import Callable, Sequence
from functools import partial

from hub.bitrix24 import change_rows as rows
from hub.bitrix24.change_rows import Change
from hub.bitrix24.changes import Executing, look
from hub.clock import now_us
from hub.sql import Sql

HANDS = 8
AGAIN_S = 5.0


class ChangeDesk:
    """At most one hand works for one kind of card of a portal, so that a mass change leaves others theirs."""

    name = "bitrix24-changes"
    hands = HANDS

    def __init__(self, executing: Executing) -> None:
        self._executing = executing
        self._hub = executing.bitrix24.hub
        self._busy: set[tuple[int, str]] = set()
        self._left: list[list[Change]] = []

    def hand_out(self, free: int) -> Sequence[Callable[[], None]]:
        """Claims in one commit what is due."""
        now, owner = now_us(), self._hub.owner
        self._give_back()
        with self._hub.db.sql() as sql:
            due = rows.due_groups(sql, now=now, limit=free + len(self._busy))
        groups = [group for group in due if group not in self._busy][:free]
        if not groups:
            return ()

        def claim(sql: Sql) -> list[tuple[tuple[int, str], list[Change]]]:
            return [(group, rows.claim(sql, *group, owner=owner, now=now)) for group in groups]

        claimed = [(group, changes) for group, changes in self._hub.db.writer.run(claim) if changes]
        self._busy.update(group for group, _ in claimed)
        return [partial(self._look, group, changes) for group, changes in claimed]

    def free_dead(self, sql: Sql, dead: Sequence[str]) -> int:
        """Inside a job: give back what these dead processes had claimed."""
        return rows.free_dead(sql, dead)

    def _look(self, group: tuple[int, str], changes: list[Change]) -> None:
        try:
            look(self._executing, *group, changes)
        except Exception:
            self._left.append(changes)
            raise
        finally:
            self._busy.discard(group)

    def _give_back(self) -> None:
        """Let be claimed again what could not be looked at to the end: the database was away, or a mistake of ours."""
        while self._left:
            changes, owner = self._left[0], self._hub.owner
            self._hub.db.writer.run(partial(rows.put_all_back, changes=changes, owner=owner, delay_s=AGAIN_S))
            self._left.pop(0)
