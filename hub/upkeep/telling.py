"""Telling people of a notice where they are: in their Bitrix24, and in a chat of a messenger if they chose one."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from hub.bitrix24 import calls, inside
from hub.bitrix24.calls import NewCall
from hub.clock import SECOND
from hub.delivery import outbox
from hub.delivery.outbox import Entry
from hub.ids import new_id
from hub.notices.book import Finding
from hub.notices.models import EVERYBODY
from hub.portals.models import LOCAL
from hub.sql import Sql

LIFE_S = 6 * 3600
"""Older than this a notice is told anew, if it still holds."""
BLOCK = "notice"
_SAID: Mapping[str, Mapping[str, str]] = {
    "ru": {
        "line_auth_failed": "Мессенджер не принимает ключ линии «{line}». Ждут сообщений: {queue}, ничего не потеряно.",
        "line_unreachable": "Мессенджер линии «{line}» недоступен. Ждут сообщений: {queue}, ничего не потеряно.",
        "line_unshown": "Операторы не увидели сообщений с линии «{line}»: {count}. Открытая линия их не приняла.",
        "undelivered": "За {minutes} минут не дошли сообщения: {count}.",
        "late": "Сообщения на линии «{line}» ждут отправки дольше обычного: {seconds} с.",
        "loop": "Сценарии по очереди меняют одни и те же карточки. Остановлено после пяти изменений подряд: {count}.",
        "disk_low": "Диск сервера {host} почти заполнен: свободно {free_mib} МиБ.",
        "worker_absent": "Отправка стоит: не работает ни один обработчик.",
    },
    "en": {
        "line_auth_failed": "The line “{line}” is refused by its messenger. {queue} messages wait, nothing is lost.",
        "line_unreachable": "The messenger of the line “{line}” is away. {queue} messages wait, nothing is lost.",
        "line_unshown": "The open line of “{line}” did not take {count} messages of customers; no operator saw them.",
        "undelivered": "{count} messages did not arrive within {minutes} minutes.",
        "late": "Messages on the line “{line}” wait longer than usual: {seconds} s.",
        "loop": "Scenarios change the same cards in turn. They were stopped {count} times.",
        "disk_low": "The disk of the server {host} is nearly full: {free_mib} MiB are free.",
        "worker_absent": "Nothing is sent: no worker is at work.",
    },
}
_PLACES = {"undelivered": "/undelivered", "loop": "/journal/runs"}


@dataclass(frozen=True)
class _Said:
    """A finding in the portal's language, and the address where something can be done about it: the portal's own, which
    opens our page in its frame, where there is one."""

    finding: Finding
    text: str
    address: str


def tell(sql: Sql, base_url: str, findings: Sequence[Finding], *, now: int) -> None:
    """Inside the job that keeps the notices: have people told of these. Several of one portal make one text."""
    if not findings:
        return
    operator = sql.one("SELECT id FROM portal WHERE member_id = ?", (LOCAL,))
    placed = [(operator[0] if one.portal_id == EVERYBODY and operator else one.portal_id, one) for one in findings]
    for portal_id, group in groupby(sorted(placed, key=lambda pair: pair[0]), key=lambda pair: pair[0]):
        _tell_portal(sql, portal_id, base_url, [one for _, one in group], now)


def place(finding: Finding) -> str:
    """The page on which something can be done about it."""
    if finding.cause == "line_unshown":
        return "/health"
    if finding.cause.startswith("line_") or finding.cause == "late":
        return f"/lines/{finding.subject}"
    return _PLACES.get(finding.cause, "/health")


def _tell_portal(sql: Sql, portal_id: int, base_url: str, findings: Sequence[Finding], now: int) -> None:
    row = sql.one("SELECT language, notice_line, notice_chat FROM portal WHERE id = ?", (portal_id,))
    if row is None:
        return
    language, line_id, chat_id = row
    said = [
        _Said(
            one,
            _SAID.get(language, _SAID["en"])[one.cause].format_map(one.params),
            inside.address(sql, portal_id, place(one)) or f"{base_url}{place(one)}",
        )
        for one in findings
    ]
    connected = sql.one(
        "SELECT user_id FROM bitrix24_connection WHERE portal_id = ? AND uninstalled_at IS NULL AND user_id > 0",
        (portal_id,),
    )
    if connected is not None:
        _into_bitrix24(sql, portal_id, connected[0], said, now)
    if line_id and chat_id and all(one.subject != line_id for one in findings):
        _into_chat(sql, portal_id, line_id, chat_id, "\n\n".join(f"{one.text}\n{one.address}" for one in said), now)


def _into_bitrix24(sql: Sql, portal_id: int, user_id: int, said: Sequence[_Said], now: int) -> None:
    shown = "\n".join(f"{_plain(one.text)} [URL={one.address}]Hubline[/URL]" for one in said)
    first = said[0].finding
    # The tag makes the next word about the same cause replace this one.
    params = {"USER_ID": user_id, "MESSAGE": shown, "TAG": f"hub|{first.cause}|{first.subject}"}
    key = f"notice:{first.cause}:{first.subject}:{now}"
    calls.enqueue(sql, portal_id, NewCall(key, "im.notify.system.add", params, life_s=LIFE_S), now=now)


def _into_chat(sql: Sql, portal_id: int, line_id: str, chat_id: str, text: str, now: int) -> None:
    line = sql.one(
        "SELECT channel FROM line WHERE id = ? AND portal_id = ? AND deleted_at IS NULL", (line_id, portal_id)
    )
    if line is None:
        return
    outbox.enqueue(
        sql,
        Entry(
            id=new_id(),
            portal_id=portal_id,
            line_id=line_id,
            block=BLOCK,
            messenger=line[0],
            chat_id=chat_id,
            chat_id_raw=chat_id,
            text=text,
            due_at=now,
            expires_at=now + LIFE_S * SECOND,
        ),
        now=now,
    )


def _plain(text: str) -> str:
    """A text in which brackets are brackets: the portal reads notices as BB code."""
    return re.sub(r"[\[\]]", lambda found: f"&#{ord(found[0])};", text)
