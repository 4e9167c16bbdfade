"""The token that proves who is asking inside Bitrix24's frame, where cookies may be blocked.

It is signed, is kept by the page in memory and sent in the `Authorization` header, so it reaches no address, log or
foreign page. It lives a quarter of an hour: for a new one the page asks the portal again who is looking and with what
rights, so whoever is no administrator any more there is none here for long.
"""

from typing import Any, get_args

from itsdangerous import BadSignature, URLSafeTimedSerializer

from hub.web.access.identity import Identity, Role

LIFE_S = 900
_SALT = "bitrix24 frame"


def issue(secret_key: str, identity: Identity) -> str:
    """A token for a person whom Bitrix24 has vouched for."""
    claims = {
        "key": identity.key,
        "portal": identity.portal_id,
        "role": identity.role,
        "name": identity.name,
        "language": identity.language,
    }
    return URLSafeTimedSerializer(secret_key, salt=_SALT).dumps(claims)


def read(secret_key: str, token: str) -> Identity | None:
    """The person a token was issued to; None for a token that is not ours or is too old."""
    try:
        claims: Any = URLSafeTimedSerializer(secret_key, salt=_SALT).loads(token, max_age=LIFE_S)
    except BadSignature:
        return None
    if not isinstance(claims, dict) or claims.get("role") not in get_args(Role):
        return None
    return Identity(
        key=str(claims["key"]),
        portal_id=int(claims["portal"]),
        role=claims["role"],
        name=str(claims["name"]),
        language=claims.get("language"),
        framed=True,
    )
