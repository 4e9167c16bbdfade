"""Work on the tables that is killed in the middle: what it leaves is whole, and the next process brings it to its
end."""

from pathlib import Path

from hub.core import Hub
from hub.db import Database
from hub.portals.models import Portal
from hub.schema import metadata, revision
from hub.settings import Settings
from tests.databases import Source
from tests.processes import Product
from tests.upkeep.rows import fill

MIGRATING = """
import os, signal
from sqlalchemy import Engine, event
left = {after}

@event.listens_for(Engine, "after_cursor_execute")
def die(connection, cursor, statement, *more):
    global left
    left -= statement.lstrip().startswith("CREATE TABLE")
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

from hub.cli import hub
hub(["migrate"])
"""
PRUNING = """
import os, signal, threading
from hub.clock import now_us
from hub.core import make_hub
from hub.settings import Settings
from hub.sql import Sql
from hub.upkeep import retention
left = {after}

def dying(one):
    def execute(self, sql, values=()):
        global left
        found = one(self, sql, values)
        left -= sql.startswith("DELETE")
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return found
    return execute

Sql.run, Sql.all = dying(Sql.run), dying(Sql.all)
retention.prune(make_hub(Settings.from_env()), now=now_us(), stop=threading.Event(), within_s=60)
"""
RUNS, STEPS, ATTEMPTS = 1000, 3, 2


def at(settings: Settings) -> tuple[str | None, int]:
    """The schema that a database is at, and how many of our tables it has."""
    database = Database(settings)
    try:
        with database.engine.connect() as connection:
            names = set(database.engine.dialect.get_table_names(connection))
            return revision(connection), len(names & set(metadata.tables))
    finally:
        database.close()


def test_f3_a_migration_that_is_killed_leaves_nothing_and_the_next_one_builds_all(
    settings: Settings, source: Source, tmp_path: Path
) -> None:
    url = source.fresh(tmp_path, empty=True)
    settings = settings.model_copy(update={"database_url": url})
    with Product(settings, tmp_path) as product:
        for after in (1, 2, len(metadata.tables) // 2, len(metadata.tables)):
            assert product.start("-c", MIGRATING.format(after=after)).wait() == -9
            assert at(settings) == (None, 0)
        ended = product.hub("migrate")
        assert ended.wait() == 0, ended.output()
    head, tables = at(settings)
    assert (head is not None, tables) == (True, len(metadata.tables))
    source.drop(url)


def counted(hub: Hub) -> dict[str, int]:
    """How many rows there are of each kind."""
    with hub.db.sql() as sql:
        return {
            name: (sql.one(f"SELECT count(*) FROM {name}") or (0,))[0]
            for name in ("request", "run", "step", "message", "attempt")
        }


def test_f3_a_purge_that_is_killed_leaves_no_half_of_anything_and_the_next_one_ends_it(
    hub: Hub, portal: Portal, tmp_path: Path
) -> None:
    assert portal.id is not None
    fill(hub, portal.id, RUNS, attempts=ATTEMPTS, steps=STEPS)
    before = counted(hub)
    with Product(hub.settings, tmp_path) as product:
        # Amid messages, between a message and its attempts, amid runs, amid what hangs on them.
        for after in (1, 2, 7, 13, 8):
            assert product.start("-c", PRUNING.format(after=after)).wait() == -9
            left = counted(hub)
            assert left["attempt"] == ATTEMPTS * left["message"]
            assert left["step"] == STEPS * left["run"]
            assert all(left[name] <= before[name] for name in left)
            before = left
        assert 0 < before["request"] <= RUNS, "it was killed too late to tell anything"
        ended = product.start("-c", PRUNING.format(after=-1))
        assert ended.wait() == 0, ended.output()
    assert set(counted(hub).values()) == {0}
