"""What charts are drawn from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from zoneinfo import ZoneInfo

from services.console.pages.frame.speaking import Language

Show = Callable[[float], str]
"""How a figure is written."""


class Reading(Protocol):
    """What an indicator said of a subject at a moment. value: None where there was nothing to say it of."""

    @property
    def at_ms(self) -> int: ...
    @property
    def value(self) -> float | None: ...
    @property
    def threshold(self) -> float | None: ...
    @property
    def verdict(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Series:
    """A line, with the thresholds of its readings beside it."""

    name: str
    readings: Sequence[Reading]


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of time, such as a hold. until_ms: None where it still lasts. kind: a class of its own in the style."""

    since_ms: int
    until_ms: int | None
    word: str
    about: str
    kind: str = "hold"


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment, such as a trip. lane: the row of marks that it stands in. href: a path of the console's."""

    at_ms: int
    about: str
    lane: int = 0
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """What time a chart shows, and how it speaks. gap_ms: after so long without a reading a line ends."""

    since_ms: int
    until_ms: int
    zone: ZoneInfo
    language: Language
    gap_ms: int
    show: Show = "{:,.4g}".format
