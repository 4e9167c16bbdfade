"""Every checker of the crash harness finds the one thing it is there for, and nothing in a history that is as it must
be."""

from dataclasses import replace

import pytest

from tests.reliability.harness.checkers import CHECKERS, check
from tests.reliability.harness.history import BROKEN, Delivery, History, Kept, Operation, Rules
from tests.reliability.harness.nemesis import plan

RESEND = Rules("resend", hands=4, web_hands=1)
HOLD = Rules("hold", hands=4, web_hands=1)


def event(seq: int, status: str | None = "accepted", tries: tuple[str, ...] = ()) -> Operation:
    return Operation(f"chat-{seq}", "chat", seq, seq, seq + 0.1, tries, status)


def delivered(seq: int, *, taken: bool = True, answered: bool = True) -> Delivery:
    return Delivery(f"chat-{seq}", "chat", taken, answered)


def kept(seq: int, state: str = "sent", *attempts: str | None) -> Kept:
    return Kept(f"chat-{seq}", state, attempts or ("sent",))


GOOD = History(
    rules=RESEND,
    operations=(event(1), event(2, "duplicate", (BROKEN,)), event(3)),
    deliveries=(delivered(1), delivered(2, taken=False), delivered(2), delivered(3)),
    messages=(kept(1), kept(2, "sent", "temporary", "sent"), kept(3)),
    runs={"completed": 3},
)


def test_a_history_as_it_must_be_passes_every_checker() -> None:
    assert check(GOOD) == {}


def with_deliveries(*deliveries: Delivery, **more: object) -> History:
    return replace(GOOD, deliveries=deliveries, **more)  # type: ignore[arg-type]


BAD = {
    "lost": with_deliveries(delivered(1), delivered(2)),
    "phantom": with_deliveries(*GOOD.deliveries, delivered(4)),
    "duplicates": with_deliveries(*GOOD.deliveries, delivered(3)),
    "order": with_deliveries(delivered(2), delivered(1), delivered(3)),
    "journal": replace(GOOD, messages=(*GOOD.messages, kept(3))),
    "unfinished": replace(GOOD, runs={"completed": 2, "waiting": 1}),
    "unproven": with_deliveries(delivered(1), delivered(2), delivered(3, taken=False)),
    "unannounced": with_deliveries(*GOOD.deliveries, delivered(2, taken=False)),
    "undecided": replace(GOOD, messages=(kept(1), kept(2, "sending", None), kept(3))),
    "refused_but_stored": replace(GOOD, operations=(event(1), event(2, "duplicate", ("503",)), event(3))),
    "damaged": replace(GOOD, damage=("row 3 missing from index message_due",)),
    "leaked": replace(GOOD, leaks=("process-1.log:7",)),
}


@pytest.mark.parametrize("name", CHECKERS)
def test_every_checker_can_fail(name: str) -> None:
    assert name in check(BAD[name])


def test_an_accepted_event_without_any_trace_is_lost_and_missing_in_the_journal() -> None:
    gone = replace(GOOD, deliveries=GOOD.deliveries[:3], messages=GOOD.messages[:2], runs={"completed": 2})
    assert check(gone) == {"lost": ["chat-3"], "journal": ["chat-3 has no message"]}


def test_an_event_that_was_never_answered_may_be_stored_or_not() -> None:
    unknown = replace(GOOD, operations=(*GOOD.operations[:2], event(3, None, (BROKEN,))))
    assert check(unknown) == {}
    assert check(replace(unknown, deliveries=GOOD.deliveries[:3], messages=GOOD.messages[:2], runs={"failed": 2})) == {
        "unfinished": ["2 runs failed"]
    }


@pytest.mark.parametrize("state", ["failed", "expired", "unconfirmed"])
def test_a_number_may_be_left_out_where_the_journal_says_why(state: str) -> None:
    held = replace(
        with_deliveries(delivered(1), delivered(3)),
        rules=replace(HOLD, worker_kills=1),
        messages=(kept(1), kept(2, state, "temporary"), kept(3)),
    )
    assert check(held) == {}


def test_a_number_left_out_of_what_is_called_sent_is_a_fault() -> None:
    assert set(check(with_deliveries(delivered(1), delivered(3)))) == {"lost", "order", "unproven"}


def test_duplicates_are_allowed_for_answers_that_were_lost_and_for_kills() -> None:
    twice = (*GOOD.deliveries, delivered(3))
    messages = (*GOOD.messages[:2], kept(3, "sent", "unconfirmed", "sent"))
    assert check(with_deliveries(*twice, messages=messages, rules=replace(RESEND, worker_kills=1))) == {}
    assert check(with_deliveries(*twice, messages=messages, rules=replace(RESEND, web_kills=1))) == {}
    lost_answer = (*GOOD.deliveries[:3], delivered(3, answered=False), delivered(3))
    assert check(with_deliveries(*lost_answer, messages=messages)) == {}


def test_a_messenger_that_recognises_repeats_takes_none_of_them_twice() -> None:
    twice = with_deliveries(*GOOD.deliveries, delivered(3), rules=replace(RESEND, worker_kills=9, recognises=True))
    assert "duplicates" in check(twice)


def test_where_messages_are_held_nobody_gets_one_twice_and_few_are_held() -> None:
    rules = replace(HOLD, worker_kills=1)
    twice = with_deliveries(*GOOD.deliveries, delivered(3), rules=rules)
    assert "duplicates" in check(twice)
    held = tuple(kept(n, "unconfirmed", "unconfirmed") for n in range(1, 4))
    assert check(replace(GOOD, rules=rules, messages=held), ["duplicates"]) == {}
    assert check(replace(GOOD, rules=replace(HOLD, web_kills=2), messages=held), ["duplicates"])


def test_a_message_that_may_have_arrived_is_not_called_failed() -> None:
    for state, last in (("failed", "unconfirmed"), ("failed", "temporary"), ("expired", "temporary")):
        ended = (kept(1, state, "unconfirmed", last), *GOOD.messages[1:])
        assert set(check(replace(GOOD, messages=ended))) == {"undecided"}
    refused = (kept(1, "failed", "unconfirmed", "rejected"), *GOOD.messages[1:])
    assert check(replace(GOOD, messages=refused)) == {}
    poisoned = (replace(ended[0], code="poisoned"), *GOOD.messages[1:])
    assert check(replace(GOOD, messages=poisoned)) == {}


def test_a_plan_comes_from_its_seed_and_has_what_was_asked_for() -> None:
    kills = plan(40, 5000, seed=7)
    assert kills == plan(40, 5000, seed=7)
    assert kills != plan(40, 5000, seed=8)
    kinds = [kill.kind for kill in kills]
    assert (kinds.count("web_master"), kinds.count("web_worker"), kinds.count("worker")) == (4, 16, 20)
    assert [kill.after // 125 for kill in kills] == list(range(40))
