"""What was run and sent for a customer, and sending a text to one from the tab in a card."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from connectors.registry import channels
from hub.bitrix24.customer import Customer
from hub.bitrix24.models import AboutRun, CardMessage
from hub.clock import SECOND, now_us
from hub.core import Hub
from hub.delivery import lines, outbox
from hub.delivery.models import Line, Message
from hub.delivery.outbox import Entry
from hub.delivery.undelivered import message_of
from hub.language import normalise_phone
from hub.scenarios import queries
from hub.scenarios.queries import RunLine
from hub.sql import Sql

BLOCK = "bitrix24_card"
RUNS = 20
MESSAGES = 50
LONGEST = 4096
_OPEN = ("queued", "sending")


@dataclass(frozen=True)
class Recipient:
    """Where the customer can be written to: an address on a line. `shown`: the address as people know it."""

    line_id: str
    line: str
    channel: str
    state: str
    chat_id: str
    shown: str

    @property
    def key(self) -> str:
        """Tells it from the others."""
        return f"{self.line_id}|{self.chat_id}"


@dataclass(frozen=True)
class Sent:
    """A message as the tab shows it; `author` is who wrote it in a card, empty for a scenario's."""

    id: str
    text: str
    state: str
    reason: str
    line: str
    chat: str
    author: str
    created_at: int


@dataclass(frozen=True)
class History:
    """The newest runs about a card, the newest messages to its customer, and where one may write to. `moving`: some
    of it is on its way."""

    runs: Sequence[RunLine]
    messages: Sequence[Sent]
    recipients: Sequence[Recipient]

    @property
    def moving(self) -> bool:
        """Whether a look a little later would show something else."""
        return any(one.state in _OPEN for one in self.messages) or any(not one.ended_at for one in self.runs)


def look(session: Session, portal_id: int, customer: Customer) -> History:
    """Everything the tab shows."""
    about = select(AboutRun.run_id).where(
        AboutRun.portal_id == portal_id,
        AboutRun.entity == customer.entity,
        AboutRun.entity_id == customer.entity_id,
    )
    runs = list(session.exec(about.order_by(col(AboutRun.run_id).desc()).limit(RUNS)))
    every = {line.id: line for line in session.exec(select(Line).where(Line.portal_id == portal_id))}
    of_runs = select(Message).where(Message.portal_id == portal_id, col(Message.run_id).in_(runs))
    messages = {one.id: one for one in session.exec(_newest(of_runs))}
    written = select(Message).join(CardMessage, col(CardMessage.message_id) == Message.id)
    written = written.where(
        CardMessage.portal_id == portal_id,
        CardMessage.entity == customer.entity,
        CardMessage.entity_id == customer.entity_id,
    )
    messages |= {one.id: one for one in session.exec(_newest(written))}
    phones = _by_phone(customer, every.values())
    known = [(one.line_id, one.chat_id, one.chat_id_raw) for one in messages.values()]
    to_phones = select(Message).where(
        Message.portal_id == portal_id,
        col(Message.chat_id).in_({chat for _, chat, _ in phones}),
        col(Message.line_id).in_({line for line, _, _ in phones}),
    )
    messages |= {one.id: one for one in session.exec(_newest(to_phones))}
    newest = sorted(messages.values(), key=lambda one: one.seq or 0, reverse=True)[:MESSAGES]
    authors = select(CardMessage.message_id, CardMessage.author).where(
        col(CardMessage.message_id).in_([one.id for one in newest])
    )
    by = dict(session.exec(authors).all())
    return History(
        queries.of_ids(session, portal_id, runs),
        [_sent(one, every, by.get(one.id, "")) for one in newest],
        _recipients(every, [*phones, *known]),
    )


def send(hub: Hub, portal_id: int, customer: Customer, to: Recipient, text: str, *, number: str, author: str) -> bool:
    """Put a text into the outbox, once for each `number` (an id that the form was given); False when it is there
    already. Raises StorageUnavailable."""
    now = now_us()
    entry = Entry(
        id=number,
        portal_id=portal_id,
        line_id=to.line_id,
        block=BLOCK,
        messenger=to.channel,
        chat_id=to.chat_id,
        chat_id_raw=to.shown,
        text=text,
        due_at=now,
        expires_at=now + int(hub.settings.message_ttl_s * SECOND),
    )

    def job(sql: Sql) -> bool:
        if sql.one("SELECT 1 FROM message WHERE id = ?", (number,)) is not None:
            return False  # a form may say any number, and a message of somebody else's is none of this card
        first = sql.run(
            "INSERT INTO bitrix24_card_message (message_id, portal_id, entity, entity_id, author, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (message_id) DO NOTHING",
            (number, portal_id, customer.entity, customer.entity_id, author[:255], now),
        )
        if first:
            outbox.enqueue(sql, entry, now=now)
            # What becomes of it is told in the card, as of a scenario's messages.
            sql.run("UPDATE message SET told = 'queued' WHERE id = ?", (number,))
        return bool(first)

    kept: bool = hub.db.writer.run(job, lines=[to.line_id], rings=True)
    return kept


def _newest(query: SelectOfScalar[Message]) -> SelectOfScalar[Message]:
    return query.order_by(col(Message.seq).desc()).limit(MESSAGES)


def _by_phone(customer: Customer, every: Iterable[Line]) -> list[tuple[str, str, str]]:
    """The customer's phones on each line that writes to phones: line, address there, phone."""
    found = []
    for line in every:
        kind = channels().get(line.channel)
        if kind is None or kind.carries.recipients != "phone":
            continue
        for phone in customer.phones:
            try:
                found.append((line.id, normalise_phone(phone, lines.settings_of(line).country), phone))
            except ValueError:
                continue
    return found


def _recipients(every: dict[str, Line], addresses: Iterable[tuple[str, str, str]]) -> list[Recipient]:
    found: dict[str, Recipient] = {}
    for line_id, chat_id, shown in addresses:
        line = every.get(line_id)
        if line is None or line.deleted_at is not None or line.channel not in channels():
            continue
        one = Recipient(line_id, line.name, line.channel, line.state, chat_id, shown)
        found.setdefault(one.key, one)
    return sorted(found.values(), key=lambda one: (one.state != "active", one.line.casefold(), one.chat_id))


def _sent(message: Message, every: dict[str, Line], author: str) -> Sent:
    line = every.get(message.line_id)
    return Sent(
        message.id,
        message.text,
        message.state,
        message_of(message.error),
        line.name if line is not None else "",
        message.chat_id_raw or message.chat_id,
        author,
        message.created_at,
    )
