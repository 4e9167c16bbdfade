"""Messages whose state has changed since a portal was told of it."""

from dataclasses import dataclass

from hub.sql import Sql
from hub.values import as_text, loads


@dataclass(frozen=True)
class Untold:
    """A message as it is now; `error` as it is stored."""

    id: str
    portal_id: int
    run_id: str | None
    scenario_id: int | None
    messenger: str
    text: str
    state: str
    attempts: int
    error: str | None

    @property
    def reason(self) -> str:
        """What the messenger said against it, empty where it said nothing."""
        stored = loads(self.error) if self.error else None
        return as_text(stored.get("message")) if isinstance(stored, dict) else ""


def find(sql: Sql, *, limit: int) -> list[Untold]:
    """The oldest of them; one that is being sent at this moment is looked at afterwards."""
    rows = sql.all(
        "SELECT id, portal_id, run_id, scenario_id, messenger, text, state, attempts, error FROM message"
        " WHERE told <> state AND state <> 'sending' ORDER BY seq LIMIT ?",
        (limit,),
    )
    return [Untold(*row) for row in rows]


def exist(sql: Sql) -> bool:
    """Whether there are any."""
    row = sql.one("SELECT 1 FROM message WHERE told <> state AND state <> 'sending' ORDER BY seq LIMIT 1")
    return row is not None


def note(sql: Sql, message: Untold) -> None:
    """Inside a job: this state is told."""
    sql.run("UPDATE message SET told = ? WHERE id = ?", (message.state, message.id))


def forget(sql: Sql, message: Untold) -> None:
    """Inside a job: there is nobody to tell about this message any more."""
    sql.run("UPDATE message SET told = NULL WHERE id = ?", (message.id,))
