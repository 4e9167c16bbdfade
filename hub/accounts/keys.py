"""Keys of the management API: shown once when made, kept as a hash."""

from sqlmodel import Session, select

from hub.accounts.models import ApiKey
from hub.clock import now_us
from hub.errors import Invalid
from hub.ids import new_api_key, token_hash


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
