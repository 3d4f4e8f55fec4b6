"""The note in a form: that we have written it, and when. It asks for nothing but a little time.

note = issue(key, nonce, now_s)
nonce = read(key, note, now_s)
"""

from typing import Final

from services.runtime.http.signed_notes import ExpiredError, ForgedError, seal, unseal

LIVES_S: Final = 4 * 3600
FILLING_S: Final = 3
"""Nobody reads and fills in the form faster; a program that does not wait is."""
_PURPOSE: Final = "complaint"

__all__ = ["ExpiredError", "ForgedError", "TooFastError", "issue", "read"]


class TooFastError(ValueError):
    """The form has come back sooner than anyone can fill it in."""


def issue(key: bytes, nonce: str, now_s: float) -> str:
    """A note for one form."""
    return seal(key, int(now_s) + LIVES_S, _PURPOSE, nonce)


def read(key: bytes, note: str, now_s: float) -> str:
    """Its nonce. Raises ForgedError, ExpiredError and TooFastError."""
    expires_s, words = unseal(key, note, now_s)
    if len(words) != 2 or words[0] != _PURPOSE:
        raise ForgedError
    if now_s < expires_s - LIVES_S + FILLING_S:
        raise TooFastError
    return words[1]
