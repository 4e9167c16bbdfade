"""Why a message that is queued has not gone yet."""

from dataclasses import dataclass
from typing import Literal

from sqlmodel import Session

from hub.clock import from_us, to_us
from hub.delivery.models import Line, Message
from hub.quiet import QuietHours


@dataclass(frozen=True)
class Reason:
    """`line`: it is paused or out of order; `behind`: an older message to the same chat goes first; `quiet`: till the
    end of the quiet hours; `later`: till its next try; `soon`: it goes as soon as there is a hand for it. `until` in
    µs."""

    code: Literal["line", "behind", "quiet", "later", "soon"]
    until: int | None = None


def why(session: Session, message: Message, *, now: int) -> Reason | None:
    """The reason that holds it longest, None for a message that does not wait."""
    if message.state != "queued":
        return None
    line = session.get(Line, message.line_id)
    if line is not None and line.state != "active":
        return Reason("line")
    if not message.head:
        return Reason("behind")
    over = QuietHours.parse(message.quiet).over_at(from_us(now)) if message.quiet else None
    if over is not None:
        return Reason("quiet", to_us(over))
    return Reason("later", message.due_at) if message.due_at > now else Reason("soon")
