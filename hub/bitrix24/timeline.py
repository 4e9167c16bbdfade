"""What a scenario sent for a card, written beside the card: one comment for each message, kept up with its state."""

from functools import partial

from connectors.registry import channels
from hub.bitrix24 import calls, cards
from hub.bitrix24.about import About
from hub.bitrix24.calls import NewCall
from hub.bitrix24.untold import Untold
from hub.sql import Sql
from hub.values import Value

SHOWN = 500
_SAID = {
    "ru": {
        "sent": "Отправлено сообщение ({channel}): «{text}» · отправлено · сценарий «{scenario}»",
        "delivered": "Отправлено сообщение ({channel}): «{text}» · доставлено · сценарий «{scenario}»",
        "read": "Отправлено сообщение ({channel}): «{text}» · прочитано · сценарий «{scenario}»",
        "undelivered": "Сообщение не доставлено ({channel}): «{text}» · {error} · сценарий «{scenario}»",
        "failed": "Сообщение не отправлено ({channel}): «{text}» · {error} · сценарий «{scenario}»",
        "expired": "Сообщение не отправлено вовремя ({channel}): «{text}» · сценарий «{scenario}»",
        "cancelled": "Сообщение отменено ({channel}): «{text}» · сценарий «{scenario}»",
        "unconfirmed": "Неизвестно, дошло ли сообщение ({channel}): «{text}» · сценарий «{scenario}»",
    },
    "en": {
        "sent": "Message sent ({channel}): “{text}” · sent · scenario “{scenario}”",
        "delivered": "Message sent ({channel}): “{text}” · delivered · scenario “{scenario}”",
        "read": "Message sent ({channel}): “{text}” · read · scenario “{scenario}”",
        "undelivered": "Message not delivered ({channel}): “{text}” · {error} · scenario “{scenario}”",
        "failed": "Message not sent ({channel}): “{text}” · {error} · scenario “{scenario}”",
        "expired": "Message not sent in time ({channel}): “{text}” · scenario “{scenario}”",
        "cancelled": "Message cancelled ({channel}): “{text}” · scenario “{scenario}”",
        "unconfirmed": "Nobody knows whether the message arrived ({channel}): “{text}” · scenario “{scenario}”",
    },
}


def tell(sql: Sql, message: Untold, about: About, *, scenario: str, language: str, now: int) -> None:
    """Inside a job: have the comment of a message say what became of it. One that waits again says nothing new."""
    words = _SAID.get(language, _SAID["en"]).get(message.state)
    if words is None:
        return
    kind = channels().get(message.messenger)
    comment = words.format(
        channel=kind.title if kind is not None else message.messenger,
        text=_plain(message.text[:SHOWN] + ("…" if len(message.text) > SHOWN else "")),
        error=_plain(message.reason),
        scenario=_plain(scenario),
    )
    order = f"timeline:{message.id}"
    if calls.revise(sql, message.portal_id, order, partial(_replace, comment=comment)):
        return
    fields = {"ENTITY_ID": about.entity_id, "ENTITY_TYPE": cards.timeline_name(about.entity), "COMMENT": comment}
    first = NewCall(order, "crm.timeline.comment.add", {"fields": fields}, order, repeatable=False)
    if calls.enqueue(sql, message.portal_id, first, now=now):
        return
    change = NewCall(
        f"{order}:{message.state}:{message.attempts}",
        "crm.timeline.comment.update",
        {"id": {"$result": order}, "fields": {"COMMENT": comment}},
        order,
    )
    calls.enqueue(sql, message.portal_id, change, now=now)


def _replace(params: dict[str, Value], comment: str) -> None:
    params["fields"]["COMMENT"] = comment


def _plain(text: str) -> str:
    """A text in which brackets are brackets: the portal reads comments as BB code."""
    return text.replace("[", "&#91;").replace("]", "&#93;")
