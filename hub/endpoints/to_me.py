"""“Send to me”: the messages of a dry run, really sent, but to a portal's own numbers and to nobody else."""

import re
from collections.abc import Mapping, Sequence

from hub.delivery import waiting
from hub.endpoints.beginning import Executing
from hub.errors import Conflict
from hub.portals import service
from hub.scenarios.block import LineInfo
from hub.values import Value

MOST = 20
WITHIN_S = 600
"""A trial that could not go out by then is of no use any more."""
_SHORTEST_PHONE = 11
"""Digits of a number without its plus. Shorter ones are numbers of chats: a Telegram chat must not become a phone."""
_PHONE = re.compile(r"\+?[0-9 ()-]+")


def own_numbers(runtime: Executing, portal_id: int) -> list[str]:
    """To whom trials may go. Raises Conflict where nobody has entered any."""
    with runtime.hub.db.read() as session:
        found = service.own_numbers(service.by_id(session, portal_id))
    if not found:
        raise Conflict(
            "There are no own numbers yet: an administrator enters them in the settings.", code="no_own_numbers"
        )
    return found


def send(
    runtime: Executing, portal_id: int, planned: Sequence[Mapping[str, Value]], own: Sequence[str]
) -> list[dict[str, Value]]:
    """Queue each planned message of a trace for every own number that its line can write to: `{"block", "line",
    "chat_id", "message", "error"}`, the id of the message or why there is none.

    Raises Conflict, and sends nothing, where that would be more than `MOST` messages; Invalid.
    """
    view = runtime.library.portal(portal_id)
    wanted = [(one, view.line(one["line"]), number) for one in planned for number in own]
    fitting = [(one, line, number) for one, line, number in wanted if line is not None and fits(line, number)]
    if len(fitting) > MOST:
        message = f"That would be {len(fitting)} messages at once, at most {MOST} go; choose one block."
        raise Conflict(message, code="too_many_messages")
    reached = {id(one) for one, _line, _number in fitting}
    shown = [
        {
            **_place(one),
            "chat_id": None,
            "message": None,
            "error": "None of your own numbers is one of this line's kind.",
        }
        for one in planned
        if id(one) not in reached
    ]
    for one, line, number in fitting:
        message_id = waiting.send_test(
            runtime.hub, portal_id, line.id, number, one["text"], extra=_extra(one), within_s=WITHIN_S
        )
        shown.append({**_place(one), "chat_id": number, "message": message_id, "error": None})
    return shown


def fits(line: LineInfo, number: str) -> bool:
    """Whether a line can write to a number: phones to phones, everything else to chats."""
    digits = sum(letter.isdigit() for letter in number)
    plain = _PHONE.fullmatch(number) is not None and not number.startswith("-")
    is_phone = plain and (number.startswith("+") or digits >= _SHORTEST_PHONE)
    return is_phone == (line.recipients == "phone")


def _place(planned: Mapping[str, Value]) -> dict[str, Value]:
    return {"block": planned["block"], "line": planned["line"]}


def _extra(planned: Mapping[str, Value]) -> dict[str, Value]:
    return {name: planned[name] for name in ("file_url", "buttons", "template") if planned[name]}
