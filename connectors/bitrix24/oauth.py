"""The OAuth server: new tokens for old ones, and the proof of whose a token is.

The client secret goes to an address of the constant list and to no other, whatever a request may name. Secrets and
tokens stand in bodies, never in an address.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from connectors.bitrix24.answers import read
from connectors.bitrix24.errors import unreadable
from connectors.errors import ConnectorError
from connectors.http import Http

LIFE_S = 3600


@dataclass(frozen=True)
class Pair:
    """The application's own id and secret."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True)
class Grant:
    """A new pair of tokens. `client_endpoint` is the root of the portal's REST methods, with a slash at its end;
    `expires_in` in seconds; `user_id` is None where the server does not tell."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_in: int
    member_id: str
    client_endpoint: str
    user_id: int | None
    status: str


@dataclass(frozen=True)
class AppInfo:
    """Whose an access token is: application, portal, user. `domain` has no scheme; `client_endpoint` as in Grant."""

    client_id: str
    member_id: str
    domain: str
    client_endpoint: str
    user_id: int
    scopes: tuple[str, ...]
    status: str
    version: str


class OAuthServer:
    """Calls to the addresses of `urls`, each without a slash at its end."""

    def __init__(self, http: Http, urls: Sequence[str]) -> None:
        self._http = http
        self.urls = tuple(url.rstrip("/") for url in urls)
        if not self.urls:
            raise ValueError("there is no OAuth server to call")

    def url_for(self, server_endpoint: str | None) -> str:
        """The one of our addresses that has the host of a portal's `server_endpoint`, else the first."""
        try:
            wanted = urlsplit(server_endpoint or "").netloc.lower()
        except ValueError:
            wanted = ""
        return next((url for url in self.urls if urlsplit(url).netloc.lower() == wanted), self.urls[0])

    def refresh(self, pair: Pair, refresh_token: str, url: str) -> Grant:
        """A new pair of tokens; the old refresh token is dead then. Raises ConnectorError."""
        form = {
            "grant_type": "refresh_token",
            "client_id": pair.client_id,
            "client_secret": pair.client_secret,
            "refresh_token": refresh_token,
        }
        body = self._post(f"{self._known(url)}/oauth/token/", form, [pair.client_secret, refresh_token])
        return Grant(
            access=_text(body, "access_token"),
            refresh=_text(body, "refresh_token"),
            expires_in=_number(body, "expires_in") or LIFE_S,
            member_id=_text(body, "member_id"),
            client_endpoint=_endpoint(body),
            user_id=_number(body, "user_id"),
            status=str(body.get("status") or ""),
        )

    def app_info(self, access_token: str, url: str) -> AppInfo:
        """Whose this token is, in the words of the server and not of who brought it. Raises ConnectorError."""
        body = self._post(f"{self._known(url)}/rest/app.info", {"auth": access_token}, [access_token])
        result = body.get("result")
        install = result.get("install") if isinstance(result, Mapping) else None
        if not isinstance(result, Mapping) or not isinstance(install, Mapping):
            raise unreadable(200)
        return AppInfo(
            client_id=_text(result, "client_id"),
            member_id=_text(install, "member_id"),
            domain=_text(install, "domain"),
            client_endpoint=_endpoint(install),
            user_id=_number(result, "user_id") or 0,
            scopes=split_scopes(install.get("scope") or result.get("scope")),
            status=str(install.get("status") or ""),
            version=str(install.get("version") or ""),
        )

    def _known(self, url: str) -> str:
        url = url.rstrip("/")
        return url if url in self.urls else self.urls[0]

    def _post(self, url: str, form: dict[str, str], secrets: Sequence[str]) -> dict[str, Any]:
        try:
            return read(self._http.call("POST", url, data=form, service="the Bitrix24 OAuth server"))
        except ConnectorError as error:
            error.scrub(secrets)
            raise


def split_scopes(value: object) -> tuple[str, ...]:
    """The scopes of a list that is separated by commas or by spaces."""
    return tuple(part for part in re.split(r"[,\s]+", value) if part) if isinstance(value, str) else ()


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise unreadable(200)
    return value


def _number(body: Mapping[str, Any], name: str) -> int | None:
    value = str(body.get(name) or "")
    return int(value) if value.isascii() and value.isdecimal() else None


def _endpoint(body: Mapping[str, Any]) -> str:
    return _text(body, "client_endpoint").rstrip("/") + "/"
