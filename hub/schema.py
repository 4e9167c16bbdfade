"""Every table, and bringing a database to the newest schema."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text
from sqlmodel import SQLModel

import hub.accounts.models
import hub.bitrix24.models
import hub.delivery.models
import hub.endpoints.models
import hub.notices.models
import hub.portals.models
import hub.scenarios.models
import hub.upkeep.models  # noqa: F401  each import registers its tables
from hub.errors import ConfigurationError

metadata = SQLModel.metadata
MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
_ADVISORY_LOCK = 4_702_111


def migrate(engine: Engine) -> None:
    """Run the migrations that are missing. Two processes that start at once: one migrates, the other waits.

    Raises ConfigurationError when the database is newer than this program.
    """
    from alembic import command
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = alembic_config()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with _alone(engine), engine.execution_options(hub_write=True).begin() as connection:
        current = revision(connection)
        if current is not None and current not in known:
            raise ConfigurationError(f"the database has schema {current}, which this version of hub does not know")
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise ConfigurationError(f"the database cannot be migrated: {error}") from error


def revision(connection: object) -> str | None:
    """The schema a database is at, None when it is empty."""
    from alembic.runtime.migration import MigrationContext

    return MigrationContext.configure(connection).get_current_revision()  # type: ignore[arg-type]


def alembic_config() -> Any:
    """Alembic's configuration, without an ini file."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            connection.execute(text("SET lock_timeout = 0"))
            connection.execute(text("SET statement_timeout = 0"))
            connection.execute(text("SET idle_in_transaction_session_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ADVISORY_LOCK})
            try:
                yield
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _ADVISORY_LOCK})
                connection.invalidate()
        return
    handle = os.open(f"{engine.url.database}.migrate.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
