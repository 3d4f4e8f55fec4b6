"""Texts within the limits of those who show them: the first line and the links stay, the rest is cut."""

from bisect import bisect_right
from collections.abc import Callable
from typing import Final

Measure = Callable[[str], int]

MORE: Final = "…"


def utf8(text: str) -> int:
    """Bytes."""
    return len(text.encode())


def utf16(text: str) -> int:
    """Code units, as browsers and Java count characters: never fewer than there are."""
    return len(text.encode("utf-16-le")) // 2


def cut(text: str, limit: int, measure: Measure = len) -> str:
    """As much of the beginning as fits, with `…` where something is missing; nothing where not even that fits.

    measure: of the text or of what becomes of it, such as a line with the escaped text in it; a longer text is never
    smaller.
    """
    if measure(text) <= limit:
        return text
    kept = bisect_right(range(len(text)), limit, key=lambda size: measure(text[:size] + MORE)) - 1
    return text[:kept] + MORE if kept >= 0 else ""


def fit(first: str, details: str, last: str, limit: int, measure: Measure = len) -> str:
    """The three below each other; `details` is cut before `first`, and `last` (the links) never."""
    first = cut(first, limit, lambda text: measure(_lines(text, last)))
    details = cut(details, limit, lambda text: measure(_lines(first, text, last)))
    return _lines(first, details, last)


def _lines(*parts: str) -> str:
    return "\n".join(part for part in parts if part)
