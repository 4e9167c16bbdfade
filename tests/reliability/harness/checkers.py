"""What must hold after any run: each checker gives words for what does not. Pure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

from tests.reliability.harness.history import BROKEN, History, Kept, Operation

Checker = Callable[[History], list[str]]
GIVEN_UP = ("failed", "expired", "unconfirmed")
PROVEN = ("sent", "delivered", "read")
ENDED_RUNS = ("completed", "partial")


def lost(history: History) -> list[str]:
    """accepted − delivered − failed − expired − unconfirmed."""
    accounted = {one.key for one in history.deliveries if one.taken}
    accounted |= {one.key for one in history.messages if one.state in GIVEN_UP}
    return [one.key for one in history.operations if one.accepted and one.key not in accounted]


def phantom(history: History) -> list[str]:
    """Delivered, though nobody asked for it."""
    asked = {one.key for one in history.operations}
    return sorted({one.key for one in history.deliveries if one.taken} - asked)


def uncertain_sends(history: History) -> int:
    """How many sends may have ended with nobody knowing: answers the messenger lost, and what kills interrupted."""
    rules = history.rules
    unanswered = sum(one.taken and not one.answered for one in history.deliveries)
    return unanswered + rules.worker_kills * rules.hands + rules.web_kills * rules.web_hands


def repeats(history: History) -> int:
    """How many messages reached people a second time."""
    counts = Counter(one.key for one in history.deliveries if one.taken)
    return sum(count - 1 for count in counts.values())


def duplicates(history: History) -> list[str]:
    """With `resend` not more than sends whose end nobody knows; with `hold` none, and so many are left to a person;
    none in any case where the messenger recognises repeats."""
    rules, uncertain = history.rules, uncertain_sends(history)
    allowed = uncertain if rules.on_unconfirmed == "resend" and not rules.recognises else 0
    found, left = repeats(history), sum(one.state == "unconfirmed" for one in history.messages)
    wrong = [f"{found} duplicates, {allowed} allowed"] if found > allowed else []
    if rules.on_unconfirmed == "hold" and left > uncertain:
        wrong.append(f"{left} unconfirmed, {uncertain} allowed")
    return wrong


def order(history: History) -> list[str]:
    """First deliveries of a chat rise by one; a number is left out only where the journal says why."""
    asked = {one.key: one for one in history.operations}
    kept = {one.key: one.state for one in history.messages}
    chats: dict[str, list[Operation]] = defaultdict(list)
    seen = set()
    for delivery in history.deliveries:
        if delivery.taken and delivery.key in asked and delivery.key not in seen:
            seen.add(delivery.key)
            chats[asked[delivery.key].chat].append(asked[delivery.key])
    names = {(one.chat, one.seq): one for one in history.operations}
    wrong = []
    for chat, delivered in chats.items():
        last = 0
        for one in delivered:
            if one.seq <= last:
                wrong.append(f"{one.key} came after number {last}")
            for missing in range(last + 1, one.seq):
                skipped = names[chat, missing]
                if skipped.accepted and kept.get(skipped.key) not in GIVEN_UP:
                    wrong.append(f"{one.key} came before {skipped.key}")
            last = max(last, one.seq)
    return wrong


def journal(history: History) -> list[str]:
    """Every accepted event has exactly one message and one run, and nothing else has any."""
    counts = Counter(one.key for one in history.messages)
    asked = {one.key for one in history.operations}
    wrong = [f"{one.key} has no message" for one in history.operations if one.accepted and one.key not in counts]
    wrong += [f"{key} has {count} messages" for key, count in counts.items() if count > 1]
    wrong += [f"{key} was never asked for" for key in counts if key not in asked]
    if sum(history.runs.values()) != len(history.messages):
        wrong.append(f"{sum(history.runs.values())} runs for {len(history.messages)} messages")
    return wrong


def unfinished(history: History) -> list[str]:
    """Runs that did not come to their end, and whatever is left over."""
    return [f"{count} runs {status}" for status, count in history.runs.items() if status not in ENDED_RUNS] + list(
        history.leftovers
    )


def unproven(history: History) -> list[str]:
    """Called sent, though the messenger took nothing of the kind."""
    taken = {one.key for one in history.deliveries if one.taken}
    return [one.key for one in history.messages if one.state in PROVEN and one.key not in taken]


def unannounced(history: History) -> list[str]:
    """The messenger was called more often than attempts were written down before the call."""
    called = Counter(one.key for one in history.deliveries)
    begun = {one.key: len(one.attempts) for one in history.messages}
    return [
        f"{key}: {count} calls, {begun.get(key, 0)} attempts"
        for key, count in called.items()
        if count > begun.get(key, 0)
    ]


def undecided(history: History) -> list[str]:
    """Attempts whose outcome nobody wrote down, and messages that were called failed though they may have arrived."""
    wrong = [f"{one.key}: an attempt without an outcome" for one in history.messages if None in one.attempts]
    return wrong + [f"{one.key}: failed, though it may have arrived" for one in history.messages if _misjudged(one)]


def _misjudged(message: Kept) -> bool:
    # What killed its process three times over is given up as failed, whatever may have arrived; and a refusal of the
    # message itself tells of all its attempts.
    settled = message.code == "poisoned" or message.attempts[-1:] == ("rejected",)
    return message.state in ("failed", "expired") and "unconfirmed" in message.attempts and not settled


def refused_but_stored(history: History) -> list[str]:
    """The event was stored by a try that was answered with a refusal: the sender must not be told to repeat it."""
    return [
        f"{one.key}: {', '.join(one.tries)}, then {one.status}"
        for one in history.operations
        if one.status == "duplicate" and BROKEN not in one.tries
    ]


def damaged(history: History) -> list[str]:
    """What the database says of itself."""
    return list(history.damage)


def leaked(history: History) -> list[str]:
    """Secrets in the logs."""
    return list(history.leaks)


CHECKERS: dict[str, Checker] = {
    checker.__name__: checker
    for checker in (
        lost,
        phantom,
        duplicates,
        order,
        journal,
        unfinished,
        unproven,
        unannounced,
        undecided,
        refused_but_stored,
        damaged,
        leaked,
    )
}


def check(history: History, only: Iterable[str] = ()) -> dict[str, list[str]]:
    """What is wrong, by checker; empty when all holds."""
    wanted = list(only) or list(CHECKERS)
    found = {name: CHECKERS[name](history) for name in wanted}
    return {name: words for name, words in found.items() if words}
