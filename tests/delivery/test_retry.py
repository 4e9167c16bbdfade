"""One rule for each class of outcome: what the message, the schedule and the line do next."""

import pytest

from connectors.errors import (
    ConnectorError,
    EgressRefused,
    LineDown,
    Moved,
    RateLimited,
    Rejected,
    Temporary,
    Unconfirmed,
    Unsupported,
)
from hub.clock import SECOND
from hub.delivery.retry import UNNAMED_RETRY_AFTER_S, Policy, decide

NOW = 1_800_000_000 * SECOND
HOLD = Policy(schedule_s=(5, 30, 120))
RESEND = Policy(schedule_s=(5, 30, 120), on_unconfirmed="resend")
IDEMPOTENT = Policy(schedule_s=(5, 30, 120), idempotent=True)


@pytest.mark.parametrize(
    ("error", "policy", "state", "counts"),
    [
        (Temporary("503"), HOLD, "queued", True),
        (RateLimited("429", retry_after_s=9), HOLD, "queued", False),
        (LineDown("401"), HOLD, "queued", False),
        (Moved("moved", address="-100"), HOLD, "queued", False),
        (Unconfirmed("timeout"), HOLD, "unconfirmed", True),
        (Unconfirmed("timeout"), RESEND, "queued", True),
        (Unconfirmed("timeout"), IDEMPOTENT, "queued", True),
        (Rejected("blocked"), HOLD, "failed", True),
        (EgressRefused("inside"), HOLD, "failed", True),
        (Unsupported("too long"), HOLD, "failed", True),
    ],
)
def test_every_class_of_outcome_has_one_rule(error: ConnectorError, policy: Policy, state: str, counts: bool) -> None:
    decision = decide(error, failures=0, now=NOW, policy=policy)
    assert (decision.state, decision.counts) == (state, counts)
    assert (decision.due_at is not None) == (state == "queued")


@pytest.mark.parametrize("failures", [0, 1, 2])
def test_a_later_try_is_never_early_and_at_most_a_fifth_late(failures: int) -> None:
    delay = HOLD.schedule_s[failures] * SECOND
    for _ in range(200):
        decision = decide(Temporary("503"), failures=failures, now=NOW, policy=HOLD)
        assert decision.due_at is not None
        assert NOW + delay <= decision.due_at <= NOW + delay * 1.2


@pytest.mark.parametrize(
    ("error", "policy", "last"),
    [
        (Temporary("503"), HOLD, "failed"),
        (Temporary("503"), RESEND, "failed"),
        (Unconfirmed("timeout"), RESEND, "unconfirmed"),
        (Unconfirmed("timeout"), IDEMPOTENT, "unconfirmed"),
    ],
)
def test_a_used_up_schedule_ends_in_what_is_known_of_the_last_try(
    error: ConnectorError, policy: Policy, last: str
) -> None:
    assert decide(error, failures=2, now=NOW, policy=policy).state == "queued"
    assert decide(error, failures=3, now=NOW, policy=policy).state == last


@pytest.mark.parametrize("policy", [RESEND, IDEMPOTENT])
def test_what_may_have_arrived_once_does_not_end_as_failed_for_later_failures(policy: Policy) -> None:
    assert decide(Temporary("503"), failures=2, now=NOW, policy=policy, uncertain=True).state == "queued"
    assert decide(Temporary("503"), failures=3, now=NOW, policy=policy, uncertain=True).state == "unconfirmed"
    refused = decide(Rejected("no such chat"), failures=1, now=NOW, policy=policy, uncertain=True)
    assert refused.state == "failed", "a messenger that refuses the message has not taken it before"


def test_an_empty_schedule_means_one_try() -> None:
    assert decide(Temporary("503"), failures=0, now=NOW, policy=Policy(schedule_s=())).state == "failed"


def test_waiting_as_asked_never_uses_up_the_schedule() -> None:
    for error in (RateLimited("429", retry_after_s=9), LineDown("401")):
        assert decide(error, failures=99, now=NOW, policy=HOLD).state == "queued"


def test_a_rate_of_the_line_holds_the_line_and_one_of_a_chat_only_the_message() -> None:
    line = decide(RateLimited("429", retry_after_s=9), failures=0, now=NOW, policy=HOLD)
    chat = decide(RateLimited("429", retry_after_s=9, scope="chat"), failures=0, now=NOW, policy=HOLD)
    assert line.hold_line_until == line.due_at
    assert chat.hold_line_until is None
    for decision in (line, chat):
        assert decision.due_at is not None
        assert NOW + 9 * SECOND <= decision.due_at <= NOW + 9.9 * SECOND


def test_a_rate_without_a_time_waits_for_the_usual_one() -> None:
    error = RateLimited("429", retry_after_s=1)
    error.retry_after_s = 0
    decision = decide(error, failures=0, now=NOW, policy=HOLD)
    assert decision.due_at is not None
    assert decision.due_at >= NOW + UNNAMED_RETRY_AFTER_S * SECOND


def test_a_refused_line_is_put_out_of_order() -> None:
    assert decide(LineDown("401"), failures=0, now=NOW, policy=HOLD).line_state == "auth_failed"


def test_a_recipient_is_followed_once() -> None:
    moved = Moved("moved", address="-100")
    assert decide(moved, failures=0, now=NOW, policy=HOLD).chat_id == "-100"
    again = decide(moved, failures=0, now=NOW, policy=HOLD, moved_before=True)
    assert (again.state, again.chat_id) == ("failed", None)


def test_every_class_there_is_has_a_rule() -> None:
    for made in every(ConnectorError):
        if made.__module__ != ConnectorError.__module__:
            continue  # a finer class of some service, dealt with as the one it is derived from
        more = {"retry_after_s": 1} if made is RateLimited else {"address": "1"} if made is Moved else {}
        assert decide(made("x", **more), failures=0, now=NOW, policy=HOLD).state


def every(base: type[ConnectorError]) -> list[type[ConnectorError]]:
    """All classes below that a channel may raise: the product's own, without those of Bitrix24's REST."""
    names = {one: one.__module__ for one in base.__subclasses__()}
    found = [one for one, name in names.items() if name.startswith("connectors.") and "bitrix24" not in name]
    return found + [deeper for one in found for deeper in every(one)]


def test_a_repeat_that_the_channel_would_no_longer_recognise_is_left_to_a_person() -> None:
    policy = Policy(schedule_s=(5, 30, 120), idempotent=True, idempotent_s=100)
    soon = decide(Unconfirmed("timeout"), failures=0, now=NOW, policy=policy, first_at=NOW)
    assert soon.state == "queued"
    late = decide(Unconfirmed("timeout"), failures=2, now=NOW, policy=policy, first_at=NOW - 60 * SECOND)
    assert late.state == "unconfirmed"
