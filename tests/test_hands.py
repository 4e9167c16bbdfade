"""A pool that does at most so much at once and outlives what goes wrong."""

import threading

from hub.hands import Hands

WITHIN_S = 10


def test_no_more_is_done_at_once_than_there_are_hands() -> None:
    hands = Hands(3, "test")
    lock, gate, all_in = threading.Lock(), threading.Event(), threading.Barrier(4)
    under_way, most = 0, 0

    def work() -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        if not gate.is_set():
            all_in.wait(WITHIN_S)
            gate.wait(WITHIN_S)
        with lock:
            under_way -= 1

    for _ in range(3):
        hands.give(work)
    all_in.wait(WITHIN_S)
    assert hands.free == 0
    for _ in range(9):
        hands.give(work)
    gate.set()
    assert hands.finish(WITHIN_S)
    assert (most, hands.free) == (3, 3)


def test_work_that_breaks_frees_its_hand() -> None:
    hands, freed = Hands(1, "test"), threading.Semaphore(0)
    hands.on_free = freed.release
    done = threading.Event()

    def breaks() -> None:
        raise ZeroDivisionError

    hands.give(breaks)
    assert freed.acquire(timeout=WITHIN_S)
    hands.give(done.set)
    assert done.wait(WITHIN_S)
    assert hands.finish(WITHIN_S)


def test_what_takes_too_long_is_told_at_the_end() -> None:
    hands, gate = Hands(1, "test"), threading.Event()
    hands.give(lambda: gate.wait(WITHIN_S))
    assert not hands.finish(0.05)
    gate.set()
