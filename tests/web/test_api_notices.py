"""Notices over the management API: what is wrong, and what was."""

import pytest

from hub.core import Hub
from hub.notices import book
from hub.notices.book import Finding
from hub.portals.models import Portal
from tests.conftest import Api

NOW = 1_800_000_000_000_000
REFUSED = {"line": "Sales", "reason": "Unauthorized.", "queue": 7}
FULL = Finding("disk_low", params={"host": "one", "free_mib": 12})


@pytest.fixture
def refused(portal: Portal) -> Finding:
    """A line of the portal `local` that is not let in."""
    assert portal.id is not None
    return Finding("line_auth_failed", portal.id, "l1", REFUSED)


def keep(hub: Hub, *found: Finding, now: int = NOW) -> None:
    hub.db.writer.run(lambda sql: book.keep(sql, found, causes=tuple(book.WORDS), now=now))


def test_notices_are_listed_newest_first_by_page_and_by_whether_they_are_over(
    api: Api, hub: Hub, refused: Finding
) -> None:
    keep(hub, refused)
    keep(hub, FULL, now=NOW + 1)
    items = api.get("/notices").get_json()["items"]
    assert [(one["cause"], one["line"], one["everybody"]) for one in items] == [
        ("disk_low", None, True),
        ("line_auth_failed", "l1", False),
    ]
    assert items[1]["message"] == "The line “Sales” is not let in by its messenger: Unauthorized. 7 messages wait."
    assert items[1]["params"] == REFUSED
    assert [one["cause"] for one in api.get("/notices?open=true").get_json()["items"]] == ["disk_low"]
    assert [one["cause"] for one in api.get("/notices?open=false").get_json()["items"]] == ["line_auth_failed"]
    first = api.get("/notices?limit=1").get_json()
    second = api.get(f"/notices?limit=1&cursor={first['next']}").get_json()
    assert [one["id"] for one in (*first["items"], *second["items"])] == [one["id"] for one in items]


def test_a_stranger_sees_what_concerns_everybody_and_nothing_else(
    api: Api, stranger: Api, hub: Hub, refused: Finding
) -> None:
    keep(hub, refused, FULL)
    assert {one["cause"] for one in api.get("/notices").get_json()["items"]} == {"disk_low", "line_auth_failed"}
    assert [one["cause"] for one in stranger.get("/notices").get_json()["items"]] == ["disk_low"]
