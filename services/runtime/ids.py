"""Ids that repeat: the same parts give the same id, in every process and every replay."""

from hashlib import blake2b


def derive(*parts: str) -> str:
    """32 hex digits (BLAKE2b, 128 bits) for these parts, in this order.

    Each part goes in with its length, so `("ab", "c")` and `("a", "bc")` differ. A lone surrogate, which no UTF-8
    text has, raises UnicodeEncodeError.
    """
    digest = blake2b(digest_size=16)
    for part in parts:
        data = part.encode()
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()
