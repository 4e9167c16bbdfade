"""The start block of a link."""

from typing import Any

import pytest
from pydantic import ValidationError

from hub.scenarios.block import Go, PortalNames
from hub.scenarios.check import check
from tests.scenarios.fakes import FakePortal, block, document, run

CONFIG = block("incoming_webhook").Config


PORTAL = FakePortal(PortalNames(constants=frozenset({"s"})))


def found(**config: Any) -> list[tuple[str, str | None]]:
    return [(one.code, one.field) for one in check(document(start=config), PORTAL)[1]]


def test_it_goes_on_at_once() -> None:
    assert run("incoming_webhook", {"fields": ["chat_id"]}) == Go()


@pytest.mark.parametrize(
    "config",
    [
        {"result_wait_s": 0},
        {"result_wait_s": 56},
        {"allow_ips": ["10.0.0.0/33"]},
        {"allow_ips": ["example.com"]},
        {"secret_header": {"name": "X Secret", "value": "{{const.s}}"}},
        {"unknown": 1},
    ],
)
def test_settings_out_of_range_are_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CONFIG.model_validate(config)


def test_single_addresses_and_networks_may_be_allowed() -> None:
    allowed = ["10.0.0.1", "10.0.0.0/8", "2001:db8::/32"]
    assert found(allow_ips=allowed, result_wait_s=55, event_key="payment[0].id") == []


def test_an_event_key_must_be_a_path() -> None:
    assert found(event_key="a b") == [("bad_path", "event_key")]


def test_a_secret_header_takes_its_value_from_constants_only() -> None:
    assert found(secret_header={"name": "X-Secret", "value": "{{const.s}}"}) == []
    for value in ("hunter2", "{{s}}"):
        assert found(secret_header={"name": "X-Secret", "value": value}) == [
            ("secret_in_document", "secret_header.value")
        ]
