"""The links of a scenario: a token that is made at the first save, shown in three addresses, and rotated."""

from dataclasses import dataclass
from urllib.parse import quote

from sqlmodel import Session, col, select

from hub.clock import SECOND, now_us
from hub.core import Hub
from hub.errors import Conflict, Invalid
from hub.ids import new_link_token, token_hash
from hub.portals.service import bump
from hub.scenarios.document import Document
from hub.scenarios.models import Link, Scenario

START = "incoming_webhook"
GRACE_DAYS = 7
MAX_GRACE_DAYS = 30
_DAY = 24 * 3600 * SECOND


@dataclass(frozen=True)
class Links:
    """The three addresses of one token."""

    request: str
    token_only: str
    result: str

    def as_dict(self) -> dict[str, str]:
        """The shape the API shows."""
        return {"request": self.request, "token_only": self.token_only, "result": self.result}


def starts_by_link(document: Document) -> bool:
    """Whether requests at a link start this scenario."""
    return any(node.type == START for node in document.blocks)


def ensure(session: Session, hub: Hub, scenario: Scenario) -> Link:
    """The live link of a stored scenario, made when there is none."""
    return _live(session, scenario) or _make(session, hub, scenario)


def rotate(session: Session, hub: Hub, scenario: Scenario, grace_days: int = GRACE_DAYS) -> int | None:
    """Give a scenario a new token; the old one lives on for 0 to 30 days. Gives its end in µs, None when it is gone.

    Raises Invalid for other numbers of days and Conflict when the scenario has no link.
    """
    if not 0 <= grace_days <= MAX_GRACE_DAYS:
        message = f"An old link may live on for 0 to {MAX_GRACE_DAYS} days."
        error = {"pointer": "/grace_days", "code": "out_of_range", "message": message}
        raise Invalid(message, errors=[error])
    old = _live(session, scenario)
    if old is None:
        raise Conflict("This scenario has no link to rotate.", code="no_link")
    now = now_us()
    for link in session.exec(select(Link).where(Link.scenario_id == scenario.id)):
        if link.expires_at is not None and link.expires_at <= now:
            session.delete(link)
    if grace_days:
        old.expires_at = now + grace_days * _DAY
        session.add(old)
    else:
        session.delete(old)
    session.flush()
    _make(session, hub, scenario)
    bump(session, scenario.portal_id, "config")
    return old.expires_at if grace_days else None


def links_of(session: Session, hub: Hub, scenario: Scenario, document: Document) -> Links | None:
    """The addresses of a scenario, None when it starts otherwise; every field stands there with an empty value."""
    link = _live(session, scenario) if starts_by_link(document) else None
    if link is None:
        return None
    token = hub.box.open(link.token_sealed, table="link", column="token", row=link.token_hash)
    base = hub.settings.base_url
    start = next(node for node in document.blocks if node.type == START)
    fields = start.config.get("fields")
    names = [name for name in fields if isinstance(name, str)] if isinstance(fields, list) else []
    query = "".join(f"&{quote(name, safe='')}=" for name in names)
    long = f"?token={token}{query}&template_id={scenario.id}"
    return Links(
        request=f"{base}/api/request/{long}",
        token_only=f"{base}/get/?token={token}",
        result=f"{base}/api/request/get_result/{long}",
    )


def _live(session: Session, scenario: Scenario) -> Link | None:
    query = select(Link).where(Link.scenario_id == scenario.id, Link.portal_id == scenario.portal_id)
    return session.exec(query.where(col(Link.expires_at).is_(None))).first()


def _make(session: Session, hub: Hub, scenario: Scenario) -> Link:
    if scenario.id is None:
        raise ValueError("the scenario has not been stored yet")
    token = new_link_token()
    place = token_hash(token)
    link = Link(
        token_hash=place,
        scenario_id=scenario.id,
        portal_id=scenario.portal_id,
        token_sealed=hub.box.seal(token, table="link", column="token", row=place),
        created_at=now_us(),
    )
    session.add(link)
    session.flush()
    return link
