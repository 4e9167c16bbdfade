"""How long it takes from a request to the messenger's door on an idle system. Prints figures, asserts only order."""

import statistics
import time

import pytest

from tests.journeys.installation import Installation, new_chat, send

REQUESTS = 30
AT_WORST_S = 5


def test_a_message_reaches_an_idle_messenger_soon(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    chat = new_chat()
    scenario = installation.scenario(send("{{id}}", chat))
    answered, tried = [], []
    for number in range(REQUESTS):
        began = time.time()
        assert installation.post(scenario.short, {"id": str(number)}).status_code == 200
        answered.append(time.time() - began)
        installation.received(chat, number + 1)
        tried.append(installation.asked(chat)[-1].at - began)
    assert installation.received(chat) == [str(number) for number in range(REQUESTS)]
    with capsys.disabled():
        print(f"\n{told('request to its 200', answered)}; {told('request to the first attempt', tried)}")
    assert max(tried) < AT_WORST_S


def told(what: str, seconds: list[float]) -> str:
    """Median and 99th percentile, in milliseconds."""
    late = statistics.quantiles(seconds, n=100, method="inclusive")[98]
    return f"{what}: median {statistics.median(seconds) * 1000:.1f} ms, p99 {late * 1000:.1f} ms"
