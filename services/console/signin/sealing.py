"""Words that only this console can read and write: what its cookies hold. Encrypted and signed (AES-256-GCM).

Keys turn over without anybody noticing: the first one seals, all of them open.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES: Final = 12
MIN_KEY: Final = 32
MAX_COOKIE: Final = 4000
"""Browsers keep cookies of 4,096 bytes, their name and attributes included."""


class ForgedError(ValueError):
    """Nobody who has one of the keys has written this, or not for this purpose."""


class Keys:
    """The secrets, newest first. Each purpose has keys of its own, so nothing can be used for another."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = tuple(secret.encode() for secret in secrets)
        if not self._secrets:
            raise ValueError("names no key")

    def seal(self, purpose: str, said: bytes, nonce: bytes) -> str:
        """What it says, safe in a cookie. `nonce`: 12 random bytes, never the same twice."""
        sealed = AESGCM(_derived(self._secrets[0], purpose)).encrypt(nonce, said, purpose.encode())
        return base64.urlsafe_b64encode(nonce + sealed).rstrip(b"=").decode()

    def open(self, purpose: str, sealed: str) -> bytes:
        """What was sealed for this purpose. Raises ForgedError."""
        try:
            if len(sealed) > MAX_COOKIE:
                raise ForgedError
            raw = base64.b64decode(sealed + "=" * (-len(sealed) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise ForgedError from None
        for secret in self._secrets:
            try:
                return AESGCM(_derived(secret, purpose)).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], purpose.encode())
            except (InvalidTag, ValueError):
                continue
        raise ForgedError

    def tokens(self, purpose: str, said: str) -> list[str]:
        """A short word that follows from what is said, by each key: the first is given out, all of them are good."""
        return [
            hmac.new(_derived(secret, purpose), said.encode(), hashlib.sha256).hexdigest() for secret in self._secrets
        ]


def _derived(secret: bytes, purpose: str) -> bytes:
    return hmac.digest(secret, b"tidegate console\0" + purpose.encode(), "sha256")
