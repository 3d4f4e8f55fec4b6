"""Sealed pieces of bad records: Fernet tokens (AES and HMAC), which only the holder of the key can read."""

from cryptography.fernet import Fernet, InvalidToken


class SealError(ValueError):
    """A key that is none, or a token that was not sealed with this key."""


class Sealer:
    """Seals and opens with one key: 32 bytes in URL-safe base64. Raises SealError for anything else.

    Each token has random bytes of its own, as it must: the same record sealed twice gives two tokens.
    """

    def __init__(self, key: str) -> None:
        try:
            self._fernet = Fernet(key)
        except ValueError:
            raise SealError("must be 32 bytes in URL-safe base64") from None

    def seal(self, data: bytes) -> str:
        """The token of some bytes."""
        return self._fernet.encrypt(data).decode()

    def open(self, token: str) -> bytes:
        """The bytes in a token. Raises SealError."""
        try:
            return self._fernet.decrypt(token)
        except InvalidToken:
            raise SealError("was not sealed with this key") from None
