"""Ids sort by their time of making, also within a millisecond."""

import uuid

from hub.clock import now_us
from hub.ids import id_at, new_id


def test_ids_made_one_after_another_sort_in_that_order() -> None:
    made = [new_id() for _ in range(10_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_an_id_is_a_uuid_of_version_7_with_the_time_it_was_made() -> None:
    before = id_at(now_us())
    made = new_id()
    after = id_at(now_us() + 1_000)
    assert before <= made < after
    assert (uuid.UUID(made).version, uuid.UUID(made).variant) == (7, uuid.RFC_4122)
