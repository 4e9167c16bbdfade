"""Lines as pages show them: state, queue, limits, and what to do about one that is out of order."""

from typing import Any

from connectors.registry import channels
from hub.clock import SECOND, now_us
from hub.delivery import lines
from hub.delivery.models import Line, Message
from hub.delivery.sweep import STALE_AFTER_S
from hub.delivery.waiting import Standing
from hub.web.pages import line_words
from hub.web.sentences import said


def card(line: Line, standing: Standing) -> dict[str, Any]:
    """A line with how it stands, its limits, and what to do when it is out of order."""
    kind, settings = channels()[line.channel], lines.settings_of(line)
    broken = line.state in lines.OUT_OF_ORDER
    return {
        "id": line.id,
        "name": line.name,
        "channel": line.channel,
        "title": str(line_words.CHANNELS.get(line.channel, (kind.title, ""))[0]),
        "state": line.state,
        "since": line.state_since,
        "code": line.state_code,
        "said": line.state_reason,
        "answers": lines.asks(line),
        "trouble": line_words.trouble(line.channel, line.state_code, line.state) if broken else None,
        "standing": standing,
        "rate": kind.carries.rate_per_s if settings.rate_per_s is None else settings.rate_per_s,
        "chat_rate": kind.carries.rate_per_chat_per_s
        if settings.rate_per_chat_per_s is None
        else settings.rate_per_chat_per_s,
        "phones": kind.carries.recipients == "phone",
    }


def refused(shown: dict[str, Any], error: dict[str, Any]) -> dict[str, Any]:
    """What a messenger answered when it was asked about a line, in plain words and in its own."""
    told = line_words.trouble(shown["channel"], error["code"] or "unknown")
    return {"trouble": told, "said": said(error["message"]), "code": error["code"]}


def is_stale(message: Message) -> bool:
    """Whether a message has waited so long that it may be out of place."""
    return message.due_at < now_us() - STALE_AFTER_S * SECOND
