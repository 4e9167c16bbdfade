"""Is this really the portal? Nothing that Bitrix24 posts is signed, so whatever a request says is only a claim.

An access token is proven at an OAuth server of the constant list. What that server says of it (application, portal,
address, user) is believed, and all of it has to agree with the claim; only then is anything stored or called.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.bitrix24.errors import AWAY, Disconnected
from connectors.bitrix24.oauth import AppInfo
from connectors.errors import ConnectorError
from hub.bitrix24 import apps
from hub.bitrix24.client import Bitrix24
from hub.bitrix24.tokens import domain_of
from hub.errors import HubError
from hub.ids import same
from hub.values import Value

LONGEST = 2000
LIFE_S = 3600


class Forged(HubError):
    """The claim is not proven. Nothing is said of why, and nothing was stored."""

    status, code = 403, "not_verified"

    def __init__(self) -> None:
        super().__init__("Bitrix24 does not confirm this request.")


class Unproven(HubError):
    """Bitrix24 could not be asked; the same request may be proven later."""

    status, code = 503, "bitrix24_unavailable"

    def __init__(self) -> None:
        super().__init__("Bitrix24 cannot be asked right now; try again in a moment.")


@dataclass(frozen=True)
class Claim:
    """What a page in the portal's frame or an event brought of itself; nothing of it is believed. `expires_in` in
    seconds. Empty texts where it was not there."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    member_id: str
    domain: str = ""
    server_endpoint: str = ""
    application_token: str = field(default="", repr=False)
    expires_in: int = LIFE_S


@dataclass(frozen=True)
class Proof:
    """What Bitrix24 itself says: the portal, and the user who is looking. `oauth_url`: which server said so."""

    info: AppInfo
    oauth_url: str
    user_id: int
    admin: bool
    name: str

    @property
    def origin(self) -> str:
        """The portal's origin, as a browser writes it."""
        scheme, _, rest = self.info.client_endpoint.partition("://")
        return f"{scheme}://{rest.partition('/')[0]}"


def claim_of_page(form: Mapping[str, Value], query: Mapping[str, Value]) -> Claim:
    """The claim of an install page, main page or placement. Raises Forged for anything that is no plain text."""
    return Claim(
        access=_text(form, "AUTH_ID", needed=True),
        refresh=_text(form, "REFRESH_ID"),
        member_id=_text(form, "member_id", needed=True),
        domain=_text(query, "DOMAIN") or _text(form, "DOMAIN"),
        server_endpoint=_text(form, "SERVER_ENDPOINT"),
        application_token=_text(form, "APPLICATION_TOKEN"),
        expires_in=_seconds(_text(form, "AUTH_EXPIRES")),
    )


def claim_of_auth(auth: Mapping[str, Value]) -> Claim:
    """The claim of an event's `auth`, or of `BX24.getAuth()`. Raises Forged for anything that is no plain text."""
    return Claim(
        access=_text(auth, "access_token", needed=True),
        refresh=_text(auth, "refresh_token"),
        member_id=_text(auth, "member_id", needed=True),
        domain=_text(auth, "domain"),
        server_endpoint=_text(auth, "server_endpoint"),
        application_token=_text(auth, "application_token"),
    )


def prove(bitrix24: Bitrix24, claim: Claim) -> Proof:
    """What Bitrix24 says of a claim. Raises Forged when that is something else, Unproven when it says nothing."""
    info, oauth_url = _ask(bitrix24, claim)
    with bitrix24.hub.db.sql() as sql:
        ours = apps.pair(bitrix24.hub, sql, info.client_id) is not None
    if not ours or not same(info.member_id, claim.member_id):
        raise Forged
    domains = {info.domain.lower(), domain_of(info.client_endpoint).lower()}
    if claim.domain and claim.domain.lower() not in domains:
        raise Forged
    try:
        # The address is the one that the OAuth server gave, and the guard of all calls has its say about it.
        profile = bitrix24.rest.call(info.client_endpoint, claim.access, "profile").result
    except AWAY as error:
        raise Unproven from error
    except ConnectorError as error:
        raise Forged from error
    if not isinstance(profile, Mapping):
        raise Forged
    user_id = str(profile.get("ID") or "")
    if not (user_id.isascii() and user_id.isdecimal()) or (info.user_id and int(user_id) != info.user_id):
        raise Forged
    name = " ".join(str(profile.get(part) or "") for part in ("NAME", "LAST_NAME")).strip()
    return Proof(info, oauth_url, int(user_id), profile.get("ADMIN") is True, name)


def _ask(bitrix24: Bitrix24, claim: Claim) -> tuple[AppInfo, str]:
    """Older portals do not say which of the OAuth servers is theirs, so each of them is asked in turn."""
    oauth = bitrix24.oauth
    first = oauth.url_for(claim.server_endpoint)
    for url in (first, *(url for url in oauth.urls if url != first)):
        try:
            return oauth.app_info(claim.access, url), url
        except Disconnected:
            continue
        except AWAY as error:
            if error.code in ("expired_token", "invalid_token", "NO_AUTH_FOUND"):
                continue
            raise Unproven from error
        except ConnectorError as error:
            raise Forged from error
    raise Forged


def _text(values: Mapping[str, Value], name: str, *, needed: bool = False) -> str:
    value = values.get(name)
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or len(value) > LONGEST or not value.isprintable() or (needed and not value):
        raise Forged
    return value


def _seconds(text: str) -> int:
    return min(int(text), LIFE_S) if text.isascii() and text.isdecimal() and len(text) < 8 else LIFE_S
