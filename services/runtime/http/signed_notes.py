"""A few words in a link that only the holder of a key can have written, and that are of no use after a while.

token = seal(key, expires_s, "ack", alert_id)
"ack", alert_id = unseal(key, token, now_s)
"""

import base64
import binascii
import hmac
from typing import Final

MIN_KEY: Final = 32
MAX_TOKEN: Final = 600
_MAC: Final = 16
_TIME: Final = 5


class ForgedError(ValueError):
    """Nobody with the key has written this."""


class ExpiredError(ValueError):
    """It was good once."""


def seal(key: bytes, expires_s: int, *words: str) -> str:
    """A token, safe in a link, that says these words until then (seconds since the epoch)."""
    said = expires_s.to_bytes(_TIME, "big") + "\0".join(words).encode()
    return base64.urlsafe_b64encode(_mac(key, said) + said).rstrip(b"=").decode()


def unseal(key: bytes, token: str, now_s: float) -> tuple[int, tuple[str, ...]]:
    """When it expires and what it says. Raises ForgedError and ExpiredError."""
    try:
        if len(token) > MAX_TOKEN:
            raise ForgedError
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ForgedError from None
    mac, said = raw[:_MAC], raw[_MAC:]
    if len(said) < _TIME or not hmac.compare_digest(mac, _mac(key, said)):
        raise ForgedError
    expires_s = int.from_bytes(said[:_TIME], "big")
    if now_s >= expires_s:
        raise ExpiredError
    return expires_s, tuple(said[_TIME:].decode().split("\0"))


def _mac(key: bytes, said: bytes) -> bytes:
    return hmac.digest(key, b"tidegate signed note\0" + said, "sha256")[:_MAC]
