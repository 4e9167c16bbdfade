"""People who log in with e-mail and password; passwords are kept as argon2 hashes."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from hub.accounts.models import User
from hub.clock import now_us
from hub.errors import Conflict, Invalid, NotFound

ROLES = ("admin", "editor", "viewer")
SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 256  # argon2 takes any length; this keeps a login from being work for the server
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}\Z")
_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"
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


def all_of(session: Session, portal_id: int) -> Sequence[User]:
    """The people of a portal who sign in with a password, by e-mail."""
    return session.exec(select(User).where(User.portal_id == portal_id).order_by(col(User.email))).all()


def get(session: Session, portal_id: int, user_id: int) -> User:
    """One of them. Raises NotFound."""
    user = session.get(User, user_id)
    if user is None or user.portal_id != portal_id:
        raise NotFound("There is no such person.")
    return user


def invite(session: Session, portal_id: int, *, email: str, role: str) -> tuple[User, str]:
    """Add a person with a password made here, which is given out this once. Raises Invalid as `create_user`."""
    password = new_password()
    return create_user(session, portal_id, email=email, password=password, role=role), password


def new_password() -> str:
    """A password that can be read out: three groups of four letters and digits, without those that look alike."""
    return "-".join("".join(secrets.choice(_READABLE) for _ in range(4)) for _ in range(3))


def set_role(session: Session, user: User, role: str) -> None:
    """Give a person another role, which ends their sessions. Raises Invalid, and Conflict `last_admin`."""
    if role not in ROLES:
        raise Invalid(f"A role is one of {', '.join(ROLES)}.")
    if role != "admin":
        _keep_an_admin(session, user)
    user.role = role
    session.add(user)
    session.flush()


def remove(session: Session, user: User) -> None:
    """Take a person's access away, now. Raises Conflict `last_admin`."""
    _keep_an_admin(session, user)
    session.delete(user)
    session.flush()


def _keep_an_admin(session: Session, user: User) -> None:
    """Somebody has to be left who can let others in. The rows are locked, so two administrators cannot remove each
    other at once."""
    if user.role != "admin":
        return
    query = select(User.id).where(User.portal_id == user.portal_id, User.role == "admin").order_by(col(User.id))
    if set(session.exec(query.with_for_update()).all()) <= {user.id}:
        raise Conflict("This is the only administrator. Make somebody else one first.", code="last_admin")


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
