"""Ids, tokens and their hashes."""

import hashlib
import hmac
import os
import secrets
import time
import uuid

KEY_PREFIX = "hub_"
"""Begins every key of the management API, so that scanners of public code recognise one."""


def new_id() -> str:
    """32 hex characters that sort by their time of making: UUID version 7, whose 12 bits behind the milliseconds are
    their fraction (RFC 9562, 6.2, method 3), a quarter of a microsecond each."""
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    head = milliseconds << 16 | 0x7000 | (rest << 12) // 1_000_000
    tail = bytearray(os.urandom(8))
    tail[0] = 0x80 | tail[0] & 0x3F
    return (head.to_bytes(8, "big") + tail).hex()


def id_at(moment: int) -> str:
    """What ids made later than this moment (µs) are greater than."""
    return f"{max(0, moment) // 1000:012x}"


def new_link_token() -> str:
    """The token of a scenario's link: a random UUID, version 4."""
    return str(uuid.uuid4())


def new_token() -> str:
    """The token of a line or a portal: 32 URL-safe characters, 192 bits."""
    return secrets.token_urlsafe(24)


def new_api_key() -> str:
    """A key of the management API."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What a token is looked up by. Tokens are random enough that a plain SHA-256 cannot be turned back."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def result_token(secret_key: str, run_id: str) -> str:
    """The token in a run's `result_url`; derived, so nothing needs to be stored."""
    return hmac.new(secret_key.encode(), b"result:" + run_id.encode(), hashlib.sha256).hexdigest()[:32]


def same(one: str, other: str) -> bool:
    """Compare two secrets in a time that does not depend on where they differ."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))
