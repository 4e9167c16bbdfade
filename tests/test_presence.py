"""Processes hear of work at once: by the bell on one host, through PostgreSQL from others."""

from pathlib import Path
from typing import Any

import pytest

from hub.bell import Bell
from hub.core import make_hub
from hub.presence import Presence
from tests.processes import wait_until


def test_a_ring_of_another_process_on_this_host_wakes_who_waits(hub: Any, settings: Any) -> None:
    presence = Presence(hub, "worker").start()
    other = make_hub(settings)
    rings = presence.rings
    other.ring()
    assert presence.wait(5, since=rings)
    assert presence.rings > rings
    other.close()


@pytest.mark.databases("postgresql")
def test_a_ring_from_another_host_comes_through_the_database(hub: Any, settings: Any, tmp_path: Path) -> None:
    presence = Presence(hub, "worker").start()
    elsewhere = make_hub(settings)
    elsewhere.bell = Bell(tmp_path / "bells of another host")
    for _ in range(50):
        # The listener may still be connecting when the first rings go out.
        rings = presence.rings
        elsewhere.ring()
        if presence.wait(0.2, since=rings):
            break
    assert presence.rings > rings
    elsewhere.close()


@pytest.mark.databases("postgresql")
def test_work_that_was_stored_on_another_host_is_heard_of_through_the_database(
    hub: Any, settings: Any, tmp_path: Path
) -> None:
    presence = Presence(hub, "worker").start()
    elsewhere = make_hub(settings.model_copy(update={"instance_dir": tmp_path / "another host"}))

    def heard() -> bool:
        # The listener may still be connecting when the first rings go out.
        rings = presence.rings
        elsewhere.db.writer.run(lambda sql: sql.one("SELECT 1"), rings=True)
        return presence.wait(0.2, since=rings)

    wait_until(heard)
    elsewhere.close()


def test_a_process_that_closes_is_no_longer_entered(hub: Any, settings: Any) -> None:
    other = make_hub(settings)
    Presence(other, "web").start()
    with hub.db.sql() as sql:
        assert sql.one("SELECT kind FROM process") == ("web",)
    other.close()
    with hub.db.sql() as sql:
        assert sql.one("SELECT kind FROM process") is None
