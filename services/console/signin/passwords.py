"""Passwords, which nobody can read back: argon2id. Pure, and slow on purpose: some 100 ms and 64 MB each."""

import unicodedata
from typing import Annotated, Final

from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY
from pydantic import AfterValidator

SHORTEST: Final = 12
LONGEST: Final = 1000
_LEAST_KIB, _MOST_KIB, _MOST_ROUNDS = 19 * 1024, 256 * 1024, 12
_HASHER: Final = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)


def _check(value: str) -> str:
    """Refuses a hash that is cheap to try passwords against, and one that would take all the memory."""
    try:
        found = extract_parameters(value)
    except InvalidHashError:
        raise ValueError("is no argon2id hash: make one with `tidegate user hash`") from None
    if found.type is not Type.ID or found.memory_cost < _LEAST_KIB:
        raise ValueError("is too cheap to guess: make one with `tidegate user hash`")
    if found.memory_cost > _MOST_KIB or found.time_cost > _MOST_ROUNDS:
        raise ValueError("takes too long to check: make one with `tidegate user hash`")
    return value


PasswordHash = Annotated[str, AfterValidator(_check)]


def hash_of(password: str) -> str:
    """What the users' file keeps of a password."""
    return _HASHER.hash(_normal(password))


def stranger_like(password_hash: str) -> str:
    """What takes as long to check, and is the hash of no password: for names that nobody has."""
    *cost, _, _ = password_hash.split("$")
    return "$".join([*cost, "A" * 22, "A" * 43])


def is_right(password_hash: str, password: str) -> bool:
    """Whether this is the password. An empty one never is, nor one that is too long to be looked at."""
    try:
        said = _normal(password[:LONGEST])
        return _HASHER.verify(password_hash, said) and 0 < len(password) <= LONGEST
    except (VerificationError, InvalidHashError):
        return False


def weakness(password: str, name: str) -> str | None:
    """Why a new password will not do."""
    if not SHORTEST <= len(password) <= LONGEST:
        return f"a password has {SHORTEST} to {LONGEST} characters"
    if name.casefold() in password.casefold() or len(set(password)) < 5:
        return "a password is not made of the name, nor of a few characters again and again"
    return None


def _normal(password: str) -> bytes:
    """The same for the same keys, whichever way a device writes them."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
