"""The tab in a card of the portal: what was run and sent for this customer, and a form to write to them.

Everybody who may see the card in the portal may write from it; the address holds their sealed ticket for it.
"""

import re

from flask import Response, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from hub.bitrix24 import customer, customer_messages
from hub.bitrix24.customer import Customer
from hub.bitrix24.customer_messages import History
from hub.delivery import journal
from hub.delivery.journal import Addressed
from hub.ids import new_id
from hub.web.pages.shell import hub, me, needs, page, screens

blueprint = screens("customer")
_number = re.compile(r"[0-9a-f]{32}\Z")


@blueprint.get("/customer/<ticket>")
def show(ticket: str) -> Response:
    """Runs, messages, and the form."""
    return _page(ticket, *_read(ticket), sent=request.args.get("sent", ""))


@blueprint.post("/customer/<ticket>")
@needs("viewer")
def send(ticket: str) -> AnyResponse:
    """Put a message into the outbox; the same form sent twice is one message."""
    who, history, written = _read(ticket)
    key, text = request.form.get("to", ""), request.form.get("text", "").replace("\r\n", "\n").strip()
    number = request.form.get("number", "")
    to = next((one for one in history.recipients if one.key == key), None)
    if to is None:
        return _page(ticket, who, history, written, error=gettext("Choose where to write to."))
    if not text:
        return _page(ticket, who, history, written, error=gettext("Write a text."))
    if len(text) > customer_messages.LONGEST:
        told = gettext("The text is longer than %(most)d characters.", most=customer_messages.LONGEST)
        return _page(ticket, who, history, written, error=told)
    if not _number.match(number):
        number = new_id()
    person = me()
    customer_messages.send(hub(), person.portal_id, who, to, text, number=number, author=person.name)
    return redirect(url_for("customer.show", ticket=ticket, sent=number), 303)


def _read(ticket: str) -> tuple[Customer, History, dict[str, Addressed]]:
    """The customer, what was run and sent for them, and to whom those runs wrote."""
    person = me()
    who = customer.open_ticket(hub(), person.portal_id, person.key, ticket)
    with hub().db.read() as session:
        history = customer_messages.look(session, person.portal_id, who)
        return who, history, journal.addressed(session, person.portal_id, [run.id for run in history.runs])


def _page(
    ticket: str, who: Customer, history: History, written: dict[str, Addressed], *, error: str = "", sent: str = ""
) -> Response:
    chosen = request.form.get("to", "") if error else ""
    html = render_template(
        "customer/show.html",
        who=who,
        history=history,
        written=written,
        address=url_for("customer.show", ticket=ticket),
        error=error,
        sent=any(one.id == sent for one in history.messages),
        text=request.form.get("text", "") if error else "",
        chosen=chosen,
        number=new_id(),
        longest=customer_messages.LONGEST,
    )
    return page(html, 422 if error else 200)
