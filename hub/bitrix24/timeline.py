"""What was sent for a card, written beside the card: one comment for each message, kept up with its state."""

from functools import partial
from typing import Literal

from connectors.registry import channels, in_brackets
from hub.bitrix24 import calls, cards
from hub.bitrix24.about import About
from hub.bitrix24.calls import NewCall
from hub.bitrix24.untold import Untold
from hub.sql import Sql
from hub.values import Value

SHOWN = 500
_SAID = {
    "ru": {
        "sent": "Отправлено сообщение ({channel}): «{text}» · отправлено · {by}",
        "delivered": "Отправлено сообщение ({channel}): «{text}» · доставлено · {by}",
        "read": "Отправлено сообщение ({channel}): «{text}» · прочитано · {by}",
        "undelivered": "Сообщение не доставлено ({channel}): «{text}» · {error} · {by}",
        "failed": "Сообщение не отправлено ({channel}): «{text}» · {error} · {by}",
        "expired": "Сообщение не отправлено вовремя ({channel}): «{text}» · {by}",
        "cancelled": "Сообщение отменено ({channel}): «{text}» · {by}",
        "unconfirmed": "Неизвестно, дошло ли сообщение ({channel}): «{text}» · {by}",
    },
    "en": {
        "sent": "Message sent ({channel}): “{text}” · sent · {by}",
        "delivered": "Message sent ({channel}): “{text}” · delivered · {by}",
        "read": "Message sent ({channel}): “{text}” · read · {by}",
        "undelivered": "Message not delivered ({channel}): “{text}” · {error} · {by}",
        "failed": "Message not sent ({channel}): “{text}” · {error} · {by}",
        "expired": "Message not sent in time ({channel}): “{text}” · {by}",
        "cancelled": "Message cancelled ({channel}): “{text}” · {by}",
        "unconfirmed": "Nobody knows whether the message arrived ({channel}): “{text}” · {by}",
    },
}
_BY = {
    "ru": {"scenario": "сценарий «{}»", "person": "от сотрудника: {}"},
    "en": {"scenario": "scenario “{}”", "person": "written by {}"},
}


def by(kind: Literal["scenario", "person"], name: str, language: str) -> str:
    """Who a message is from."""
    return _BY.get(language, _BY["en"])[kind].format(name)


def tell(sql: Sql, message: Untold, about: About, *, sender: str, language: str, now: int) -> None:
    """Inside a job: have the comment of a message say what became of it. One that waits again says nothing new.
    `sender`: from `by`."""
    words = _SAID.get(language, _SAID["en"]).get(message.state)
    if words is None:
        return
    kind = channels().get(message.messenger)
    comment = words.format(
        channel=in_brackets(kind.title) if kind is not None else message.messenger,
        text=_plain(message.text[:SHOWN] + ("…" if len(message.text) > SHOWN else "")),
        error=_plain(message.reason),
        by=_plain(sender),
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
