"""The schema that migrations build is the one the models describe, on both databases."""

from pathlib import Path

import pytest
from sqlalchemy import inspect

from hub.db import Database
from hub.errors import ConfigurationError
from hub.schema import metadata, migrate, revision
from hub.settings import Settings
from tests.databases import Source


def test_migrations_build_exactly_what_the_models_describe(settings: Settings) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    database = Database(settings)
    try:
        with database.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, metadata) == []
    finally:
        database.close()


def test_both_ways_of_building_the_schema_give_the_same_tables(
    settings: Settings, source: Source, tmp_path: Path
) -> None:
    empty = source.fresh(tmp_path, empty=True)
    migrated, modelled = Database(settings), Database(Settings(database_url=empty, testing=True))
    try:
        assert inspect(modelled.engine).get_table_names() == []
        with modelled.engine.execution_options(hub_write=True).begin() as connection:
            metadata.create_all(connection)
        assert _shape(modelled) == _shape(migrated)
    finally:
        migrated.close()
        modelled.close()
        source.drop(empty)


def test_migrating_twice_changes_nothing(settings: Settings) -> None:
    database = Database(settings)
    try:
        migrate(database.engine)
        before = _shape(database)
        migrate(database.engine)
        assert _shape(database) == before
    finally:
        database.close()


def test_a_database_of_a_newer_version_is_refused_in_one_line(settings: Settings) -> None:
    from sqlalchemy import text

    database = Database(settings)
    try:
        with database.engine.execution_options(hub_write=True).begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(ConfigurationError, match="9999"):
            migrate(database.engine)
        with database.engine.connect() as connection:
            assert revision(connection) == "9999"
    finally:
        database.close()


def _shape(database: Database) -> dict[str, object]:
    looked = inspect(database.engine)
    shape: dict[str, object] = {}
    for table in sorted(looked.get_table_names()):
        if table == "alembic_version":
            continue
        shape[table] = {
            "columns": {
                column["name"]: (str(column["type"]), column["nullable"]) for column in looked.get_columns(table)
            },
            "primary": looked.get_pk_constraint(table)["constrained_columns"],
            "indexes": sorted(
                (str(index["name"]), tuple(index["column_names"]), bool(index["unique"]))
                for index in looked.get_indexes(table)
            ),
            "foreign": sorted(
                (tuple(key["constrained_columns"]), key["referred_table"], tuple(key["referred_columns"]))
                for key in looked.get_foreign_keys(table)
            ),
            "unique": sorted(tuple(item["column_names"]) for item in looked.get_unique_constraints(table)),
        }
    return shape
