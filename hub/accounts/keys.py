"""Keys of the management API: shown once when made, kept as a hash."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from hub.accounts.models import ApiKey
from hub.clock import SECOND, now_us
from hub.core import Hub
from hub.errors import Invalid, NotFound
from hub.ids import new_api_key, token_hash

HOUR = 3600 * SECOND


def create_key(session: Session, portal_id: int, name: str) -> str:
    """Make a key for one portal and give it out; nobody can read it again. Raises Invalid for a bad name."""
    name = name.strip()
    if not 1 <= len(name) <= 100:
        raise Invalid("A key needs a name of 1 to 100 characters.")
    key = new_api_key()
    session.add(ApiKey(portal_id=portal_id, name=name, key_hash=token_hash(key), created_at=now_us()))
    session.flush()
    return key


def portal_of_key(session: Session, key: str) -> int | None:
    """The number of the portal that a key opens; None for a key that is not ours."""
    return session.exec(select(ApiKey.portal_id).where(ApiKey.key_hash == token_hash(key))).one_or_none()


def note_use(hub: Hub, key: str) -> None:
    """Remember that a key is in use, once an hour at most, so that calls stay reads."""
    hashed, now = token_hash(key), now_us()
    stale = now - HOUR
    query = "SELECT 1 FROM api_key WHERE key_hash = ? AND (used_at IS NULL OR used_at < ?)"
    with hub.db.sql() as sql:
        if sql.one(query, (hashed, stale)) is None:
            return
    hub.db.writer.run(lambda sql: sql.run("UPDATE api_key SET used_at = ? WHERE key_hash = ?", (now, hashed)))


def all_of(session: Session, portal_id: int) -> Sequence[ApiKey]:
    """The keys of a portal, the newest first."""
    query = select(ApiKey).where(ApiKey.portal_id == portal_id)
    return session.exec(query.order_by(col(ApiKey.id).desc())).all()


def revoke(session: Session, portal_id: int, key_id: int) -> None:
    """Let a key open nothing any more. Raises NotFound."""
    key = session.get(ApiKey, key_id)
    if key is None or key.portal_id != portal_id:
        raise NotFound("There is no such key.")
    session.delete(key)
