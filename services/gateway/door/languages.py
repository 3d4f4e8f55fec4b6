"""In which language a page speaks. Pure."""

from collections.abc import Sequence
from typing import Literal

Language = Literal["en", "zh"]


def chosen(asked: str | None, accepted: str, offered: Sequence[Language]) -> Language:
    """What was asked for, else what the browser likes best (`Accept-Language`) of what is offered, else the first."""
    for language in offered:
        if language == asked:
            return language
    wishes = sorted((_wish(part) for part in accepted[:200].split(",")), key=lambda wish: -wish[1])
    for name, weight in wishes:
        for language in offered:
            if weight > 0 and name.partition("-")[0] == language:
                return language
    return offered[0]


def _wish(part: str) -> tuple[str, float]:
    name, _, weight = part.strip().lower().partition(";q=")
    try:
        return name, float(weight or 1)
    except ValueError:
        return name, 0.0
