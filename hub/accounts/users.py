"""People who log in with e-mail and password; passwords are kept as argon2 hashes."""

import hashlib
import re
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from hub.accounts.models import User
from hub.clock import now_us
from hub.errors import Invalid

ROLES = ("admin", "editor", "viewer")
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 256  # argon2 takes any length; this keeps a login from being work for the server
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}\Z")
_hasher = PasswordHasher()


def create_user(session: Session, portal_id: int, *, email: str, password: str, role: str) -> User:
    """Add a person. Raises Invalid: not an address, a password too short, unknown role, `email_taken`."""
    email = email.strip().lower()
    if not _EMAIL.match(email):
        raise Invalid("This is not an e-mail address.")
    if role not in ROLES:
        raise Invalid(f"A role is one of {', '.join(ROLES)}.")
    user = User(portal_id=portal_id, email=email, password_hash=_hashed(password), role=role, created_at=now_us())
    session.add(user)
    try:
        session.flush()
    except IntegrityError:
        raise Invalid("There is already somebody with this e-mail address.", code="email_taken") from None
    return user


def verify(session: Session, email: str, password: str) -> User | None:
    """The person whose e-mail and password these are, else None; both cases take about the same time."""
    user = session.exec(select(User).where(User.email == email.strip().lower())).one_or_none()
    try:
        _hasher.verify(user.password_hash if user else _nobody(), password[: LONGEST_PASSWORD + 1])
    except (VerificationError, InvalidHashError):
        return None
    return user


@cache
def _nobody() -> str:
    """Verified against when there is no such person, so that the answer takes as long as for a wrong password."""
    return _hasher.hash("nobody has this password")


def fingerprint(user: User) -> str:
    """Changes with the password and the role, so that sessions made before the change can be told and ended."""
    return hashlib.sha256(f"{user.password_hash} {user.role}".encode()).hexdigest()[:16]


def anybody(session: Session) -> bool:
    """Whether there is anyone who can sign in."""
    return session.exec(select(User.id).limit(1)).first() is not None


def set_password(session: Session, user: User, password: str) -> None:
    """Give a person another password; sessions made before end. Raises Invalid for one too short or too long."""
    user.password_hash = _hashed(password)
    session.add(user)
    session.flush()


def _hashed(password: str) -> str:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise Invalid(f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.")
    return _hasher.hash(password)
