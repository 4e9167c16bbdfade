"""Secrets at rest: AES-GCM, bound to the table, column and row they stand in, with a list of keys for rotation.

A stored secret reads `v1:<key id>:<nonce and ciphertext>`. It opens only where it was written, so that swapping two
rows gives an error and never somebody else's token.
"""

import base64
import hashlib
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class SecretError(Exception):
    """A stored secret cannot be opened: the key is missing or the row was tampered with."""


class SecretBox:
    """Seals with the first key, opens with any of them. Keys are any texts of at least 16 characters."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._ciphers: dict[str, AESGCM] = {}
        for key in keys:
            derived = hashlib.sha256(b"hubline secrets v1:" + key.encode()).digest()
            self._ciphers[hashlib.sha256(derived).hexdigest()[:8]] = AESGCM(derived)
        self._writer = next(iter(self._ciphers))

    def seal(self, plain: str, *, table: str, column: str, row: str) -> str:
        """Encrypt for exactly this place."""
        nonce = os.urandom(12)
        sealed = self._ciphers[self._writer].encrypt(nonce, plain.encode(), _place(table, column, row))
        return f"v1:{self._writer}:{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, *, table: str, column: str, row: str) -> str:
        """Decrypt. Raises SecretError."""
        try:
            version, key_id, data = sealed.split(":")
            blob = base64.urlsafe_b64decode(data)
            if version != "v1":
                raise ValueError(version)
            opened = self._ciphers[key_id].decrypt(blob[:12], blob[12:], _place(table, column, row))
        except (ValueError, KeyError, InvalidTag):
            raise SecretError(f"a secret in {table}.{column} cannot be opened with the keys at hand") from None
        return opened.decode()

    def written_by_first_key(self, sealed: str) -> bool:
        """False for a secret that rotation should seal again."""
        return sealed.split(":")[1] == self._writer


def _place(table: str, column: str, row: str) -> bytes:
    return "\x1f".join((table, column, row)).encode()
