"""Access tokens, refresh tokens and codes of all portals, as the OAuth server keeps them."""

import secrets
from dataclasses import dataclass, field

ACCESS_S = 3600
REFRESH_S = 180 * 86400
CODE_S = 30


@dataclass
class Token:
    """A pair of tokens of one user of one portal for one application; times are Unix seconds.

    `budget` is how many more events may be caused with a token that came inside an event; None has no limit.
    """

    access: str
    refresh: str
    client_id: str
    member_id: str
    user_id: int
    expires: float
    refresh_expires: float
    budget: int | None = None
    revoked: bool = False


@dataclass
class Code:
    """An authorization code: usable once and for 30 seconds."""

    client_id: str
    member_id: str
    user_id: int
    expires: float


@dataclass
class Tokens:
    """All pairs that were ever given out. The caller holds the cloud's lock."""

    by_access: dict[str, Token] = field(default_factory=dict)
    by_refresh: dict[str, Token] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    refreshes: int = 0

    def mint(self, client_id: str, member_id: str, user_id: int, now: float, budget: int | None = None) -> Token:
        """A new pair."""
        token = Token(
            access=secrets.token_hex(35),
            refresh=secrets.token_hex(35),
            client_id=client_id,
            member_id=member_id,
            user_id=user_id,
            expires=now + ACCESS_S,
            refresh_expires=now + REFRESH_S,
            budget=budget,
        )
        self.by_access[token.access] = token
        self.by_refresh[token.refresh] = token
        return token

    def code(self, client_id: str, member_id: str, user_id: int, now: float) -> str:
        """A new authorization code."""
        code = secrets.token_hex(35)
        self.codes[code] = Code(client_id, member_id, user_id, now + CODE_S)
        return code

    def rotate(self, refresh: str, client_id: str, now: float) -> Token | None:
        """A new pair for a refresh token, which is dead from then on; None for a wrong, used or expired one.

        The old access token stays good until it expires.
        """
        old = self.by_refresh.get(refresh)
        if old is None or old.client_id != client_id or old.revoked or old.refresh_expires <= now:
            return None
        del self.by_refresh[refresh]
        self.refreshes += 1
        return self.mint(client_id, old.member_id, old.user_id, now)

    def redeem(self, code: str, client_id: str, now: float) -> Token | None:
        """A pair for an authorization code; None for a wrong, used or expired one."""
        held = self.codes.pop(code, None)
        if held is None or held.client_id != client_id or held.expires <= now:
            return None
        return self.mint(client_id, held.member_id, held.user_id, now)

    def expire(self, client_id: str, member_id: str, now: float, refresh: bool = False) -> int:
        """Let all access tokens of an application on a portal be over (or its refresh tokens); how many it were."""
        touched = [
            token
            for token in self.by_access.values()
            if (token.client_id, token.member_id) == (client_id, member_id)
            and (token.refresh_expires if refresh else token.expires) > now
        ]
        for token in touched:
            if refresh:
                token.refresh_expires = now
            else:
                token.expires = now
        return len(touched)
