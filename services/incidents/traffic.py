"""What a target moved in an hour before it was held: on this rests what is said of the cost of holding it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

COUNTED: Final = ("impressions", "clicks", "purchases", "accounts_opened")
TRAFFIC: Final = (*COUNTED, "spend")
"""What is told of a target's traffic, in this order; spend in CNY."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """The mean of full hours. per_hour: by what is in `TRAFFIC`, as far as there was any. hours: how many of them.

    at_most: it was no more than that, and may have been less.
    """

    per_hour: Mapping[str, float]
    hours: int
    at_most: bool = False


Before = Callable[[str, datetime], Traffic | None]
"""What a target moved in the last full hours before a moment; None where that is not known."""


def unknown(_target: str, _at: datetime) -> Traffic | None:
    """Of whoever has no figures."""
    return None
