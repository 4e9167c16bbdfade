"""What operators of a portal's open lines answer: it goes out through the line, and they see what became of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from hub.bitrix24 import calls
from hub.bitrix24.calls import NewCall
from hub.bitrix24.codes import literal
from hub.bitrix24.connections import Connection
from hub.bitrix24.openlines import EVENT, LONGEST, PREFIX, SHOW
from hub.bitrix24.untold import Untold
from hub.clock import SECOND, now_us
from hub.core import Hub
from hub.delivery import outbox
from hub.delivery.lines import LineSettings
from hub.delivery.outbox import Entry
from hub.ids import new_id
from hub.sql import Sql
from hub.values import Value, as_text

BLOCK = "bitrix24_openline"
MARK = "im:"
SHOWN = 200
_LINK = re.compile(r"\[url=([^\]]*)\](.*?)\[/url\]", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"\[/?(?:b|i|u|s|url|quote|code|user(?:=\d+)?|size=\d+|color=#?\w+)\]", re.IGNORECASE)
_WHO = re.compile(r"\[b\][^\[\]]*:\[/b\] ?", re.IGNORECASE)
_BREAK = re.compile(r" ?\[br\] ?", re.IGNORECASE)
_SAID = {
    "ru": {
        "failed": "⚠ Ответ не отправлен: «{text}». {error}",
        "undelivered": "⚠ Ответ не доставлен: «{text}». {error}",
        "expired": "⚠ Ответ не удалось отправить вовремя: «{text}».",
        "cancelled": "⚠ Ответ отменён и не отправлен: «{text}».",
        "unconfirmed": "⚠ Неизвестно, дошёл ли ответ: «{text}».",
        "files": "⚠ Файлы отсюда не отправляются, клиент получит только текст.",
    },
    "en": {
        "failed": "⚠ The answer was not sent: “{text}”. {error}",
        "undelivered": "⚠ The answer was not delivered: “{text}”. {error}",
        "expired": "⚠ The answer could not be sent in time: “{text}”.",
        "cancelled": "⚠ The answer was cancelled and not sent: “{text}”.",
        "unconfirmed": "⚠ Nobody knows whether the answer arrived: “{text}”.",
        "files": "⚠ Files are not sent from here, the customer gets the text only.",
    },
}


@dataclass(frozen=True)
class Chat:
    """Where an operator's message stands: `number` is MARK with the portal's numbers of the chat and the message."""

    portal_id: int
    code: str
    open_line: int
    id: str
    number: str


def accept(hub: Hub, connection: Connection, fields: Mapping[str, Value]) -> str:
    """Put what operators of a proven portal answered into the outbox, each message once; `queued`, `duplicate` or
    `ignored`. Raises StorageUnavailable."""
    name, data = fields.get("event"), fields.get("data")
    if not isinstance(name, str) or name.upper() != EVENT or not isinstance(data, dict):
        return "ignored"
    line_id = as_text(data.get("CONNECTOR")).lower().removeprefix(PREFIX)
    messages = data.get("MESSAGES")
    rows = list(messages.values()) if isinstance(messages, dict) else messages
    job = partial(_keep, hub=hub, portal_id=connection.portal_id, line_id=line_id, rows=rows)
    became: str = hub.db.writer.run(job, lines=[line_id], rings=True)
    return became


def _keep(sql: Sql, hub: Hub, portal_id: int, line_id: str, rows: Value) -> str:
    line = sql.one(
        "SELECT l.channel, l.settings, p.language FROM line l JOIN portal p ON p.id = l.portal_id"
        " WHERE l.id = ? AND l.portal_id = ? AND l.deleted_at IS NULL",
        (line_id, portal_id),
    )
    open_line = None if line is None else LineSettings.model_validate_json(line[1]).open_line
    if line is None or open_line is None or not isinstance(rows, list):
        return "ignored"
    messenger, _, language = line
    became, now = "ignored", now_us()
    for row in rows:
        im, message, chat = (row.get(part) if isinstance(row, dict) else None for part in ("im", "message", "chat"))
        if not isinstance(im, dict) or not isinstance(message, dict) or not isinstance(chat, dict):
            continue
        number = f"{MARK}{as_text(im.get('chat_id'))}:{as_text(im.get('message_id'))}"
        chat_id, text = as_text(chat.get("id"))[:255], plain(as_text(message.get("text")))[:LONGEST]
        if not chat_id or len(number) > 64:
            continue
        if message.get("files"):
            place = Chat(portal_id, f"{PREFIX}{line_id}", open_line, chat_id, number)
            _note(sql, place, "files", _say("files", language), now)
        if not text or not plain(_WHO.sub("", as_text(message.get("text")), count=1)):
            continue  # nothing but who answers
        message_id = new_id()
        first = sql.run(
            "INSERT INTO bitrix24_sms (portal_id, provider_id, message_id, code, told, created_at)"
            " VALUES (?, ?, ?, ?, '', ?) ON CONFLICT (portal_id, provider_id) DO NOTHING",
            (portal_id, number, message_id, f"{PREFIX}{line_id}", now),
        )
        if not first:
            became = "duplicate" if became == "ignored" else became
            continue
        entry = Entry(
            id=message_id,
            portal_id=portal_id,
            line_id=line_id,
            block=BLOCK,
            messenger=messenger,
            chat_id=chat_id,
            chat_id_raw=chat_id,
            text=text,
            due_at=now,
            expires_at=now + int(hub.settings.message_ttl_s * SECOND),
        )
        outbox.enqueue(sql, entry, now=now)
        sql.run("UPDATE message SET told = 'queued' WHERE id = ?", (message_id,))
        became = "queued"
    return became


def plain(text: str) -> str:
    """An operator's text without the BB codes that a portal writes."""
    return _TAG.sub("", _LINK.sub(_linked, _BREAK.sub("\n", text))).strip()


def _linked(found: re.Match[str]) -> str:
    address, words = found[1].strip(), found[2].strip()
    return address if words in ("", address) else f"{words} ({address})"


def tell(sql: Sql, message: Untold, *, language: str, now: int) -> bool:
    """Inside a job: have the operator shown that the answer arrived, or was read; False when it is none of theirs. A
    portal knows no word for one that did not arrive, so that is said in the chat."""
    row = sql.one(
        "SELECT s.provider_id, s.code, s.told, m.chat_id_raw, m.provider_id, l.settings FROM bitrix24_sms s"
        " JOIN message m ON m.id = s.message_id JOIN line l ON l.id = m.line_id"
        " WHERE s.portal_id = ? AND s.message_id = ?",
        (message.portal_id, message.id),
    )
    if row is None or not str(row[0]).startswith(MARK):
        return False
    number, code, told, chat_id, provider_id, settings = row
    status = {"sent": "delivery", "delivered": "delivery", "read": "reading"}.get(message.state)
    open_line = LineSettings.model_validate_json(settings).open_line
    if open_line is None:
        return True
    if message.state in _SAID["en"]:
        said = _say(message.state, language, text=message.text, error=message.reason)
        chat = Chat(message.portal_id, code, open_line, str(chat_id), str(number))
        _note(sql, chat, f"{message.state}:{message.attempts}", said, now)
    if status is None or status == told:
        return True
    _, im_chat, im_message = str(number).split(":", 2)
    shown = {
        "im": {"chat_id": im_chat, "message_id": im_message},
        "message": {"id": [provider_id or message.id], "date": now // SECOND},
        "chat": {"id": chat_id},
    }
    params = {"CONNECTOR": code, "LINE": open_line, "MESSAGES": [shown]}
    order = f"openline:{number}"
    call = NewCall(f"{order}:{status}", f"imconnector.send.status.{status}", params, order)
    calls.enqueue(sql, message.portal_id, call, now=now)
    sql.run(
        "UPDATE bitrix24_sms SET told = ? WHERE portal_id = ? AND provider_id = ?", (status, message.portal_id, number)
    )
    return True


def _say(what: str, language: str, *, text: str = "", error: str = "") -> str:
    words = _SAID.get(language, _SAID["en"])[what]
    shown = text[:SHOWN] + ("…" if len(text) > SHOWN else "")
    return words.format(text=literal(shown), error=literal(error)).strip()


def _note(sql: Sql, chat: Chat, name: str, text: str, now: int) -> None:
    """Say something to the operator, once for each name. The only way into a chat is as a customer's message."""
    key = f"openline:{chat.number}:{name}"
    shown = {"user": {"id": chat.id}, "message": {"id": key, "date": now // SECOND, "text": text}}
    params = {"CONNECTOR": chat.code, "LINE": chat.open_line, "MESSAGES": [shown | {"chat": {"id": chat.id}}]}
    calls.enqueue(sql, chat.portal_id, NewCall(key, SHOW, params, f"openline:{chat.number}"), now=now)
