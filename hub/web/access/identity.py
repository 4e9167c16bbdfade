"""A person as the web UI knows one, and the order of the roles."""

from dataclasses import dataclass
from typing import Literal

from flask import g
from flask_login import UserMixin, current_user

from hub.errors import Forbidden, Unauthorized

Role = Literal["viewer", "editor", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "editor", "admin")


@dataclass(frozen=True)
class Identity(UserMixin):  # type: ignore[misc]
    """Who is asking: `key` tells people apart in every portal, `framed` is true inside Bitrix24's frame, where no
    cookie is needed and so no foreign page can borrow one."""

    key: str
    portal_id: int
    role: Role
    name: str
    language: str | None = None
    framed: bool = False

    def get_id(self) -> str:
        """What the session cookie holds."""
        return self.key

    def may(self, role: Role) -> bool:
        """Whether this person's role is `role` or more."""
        return ROLES.index(self.role) >= ROLES.index(role)


def asking() -> Identity | None:
    """The person behind the current request, if there is one and no key of the API stands for somebody else."""
    person = current_user._get_current_object()
    return person if isinstance(person, Identity) and not g.get("by_key", False) else None


def ask_by_key() -> None:
    """The current request is made in the name of a key of the API, whoever else is signed in in the same browser."""
    g.by_key = True


def only_looks() -> bool:
    """Whether a person is asking who may change nothing; keys of the API may do everything."""
    person = asking()
    return person is not None and not person.may("editor")


def require(role: Role) -> Identity:
    """The person behind the current request. Raises Unauthorized for nobody, Forbidden for too small a role."""
    person = asking()
    if person is None:
        raise Unauthorized("Sign in first.")
    if not person.may(role):
        raise Forbidden("Your role does not allow this.")
    return person
