"""Sending one claimed message through its line: the call, and the decision that follows."""

import time
from dataclasses import dataclass
from typing import Any

import structlog

from connectors.channel import Accepted, Channel, OutgoingMessage, Template
from connectors.errors import ConnectorError, Unconfirmed
from hub.clock import now_us
from hub.delivery.outbox import Claimed, Settlement
from hub.delivery.retry import Policy, decide
from hub.values import as_text, clean, loads

log = structlog.get_logger(__name__)
PROVIDER_ID_KEPT = 255


@dataclass(frozen=True)
class OpenLine:
    """A line ready to send: its channel with its config, and how it retries."""

    channel: Channel
    policy: Policy


def attempt(claimed: Claimed, line: OpenLine) -> Settlement:
    """Call the channel once and class what came back.

    Whatever the connector cannot class is a bug: it is logged, and counts as an attempt that may have been sent.
    """
    began = time.monotonic()
    extra = loads(claimed.extra)
    before = tuple(loads(claimed.sent_parts))
    message = OutgoingMessage(
        id=claimed.id,
        chat_id=claimed.chat_id,
        text=claimed.text,
        file_url=extra.get("file_url"),
        buttons=tuple({key: as_text(value) for key, value in button.items()} for button in extra.get("buttons", ())),
        messenger=claimed.messenger,
        template=_template(extra.get("template")),
        repeated=claimed.uncertain,
    )
    error: ConnectorError
    try:
        accepted = line.channel.send(message, before)
    except ConnectorError as raised:
        error = raised
    except Exception:
        log.exception("sender_broke", message_id=claimed.id, channel=line.channel.kind)
        error = Unconfirmed("The sender met an error of ours after it began.", code="internal")
    else:
        return _sent(accepted, began)
    return settlement_of(error, claimed, line.policy, sent=error.sent or before, ms=_ms(began))


def settlement_of(
    error: ConnectorError, claimed: Claimed, policy: Policy, *, sent: tuple[str, ...] = (), ms: int = 0
) -> Settlement:
    """The settlement that an error leads to."""
    extra = loads(claimed.extra)
    decision = decide(
        error,
        failures=claimed.failures,
        now=now_us(),
        policy=policy,
        first_at=claimed.first_at,
        moved_before=bool(extra.get("moved")),
        uncertain=claimed.uncertain,
    )
    return Settlement(
        state=decision.state,
        outcome=error.outcome,
        due_at=decision.due_at,
        counts=decision.counts,
        sent_parts=tuple(clean(one) for one in sent),
        error={"code": clean(error.code or error.outcome), "message": clean(error.message)},
        http_status=error.status,
        ms=ms,
        chat_id=None if decision.chat_id is None else clean(decision.chat_id),
        line_state=decision.line_state,
        hold_line_until=decision.hold_line_until,
    )


def _template(stored: dict[str, Any] | None) -> Template | None:
    if stored is None:
        return None
    parameters = tuple((place, text) for place, text in stored["parameters"])
    return Template(stored["name"], stored["language"], parameters)


def _sent(accepted: Accepted, began: float) -> Settlement:
    ids = tuple(clean(one) for one in accepted.provider_ids)
    return Settlement(
        state="sent",
        outcome="sent",
        provider_id=ids[0][:PROVIDER_ID_KEPT] if ids else None,
        sent_parts=ids,
        http_status=200,
        ms=_ms(began),
    )


def _ms(began: float) -> int:
    return int((time.monotonic() - began) * 1000)
