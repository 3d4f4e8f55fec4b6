"""The geometry of charts: what of a series is drawn where, and where an axis has its ticks. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from math import floor, log10
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from services.console.pages.charts.chart_data import Reading

_DRAWABLE: Final = 1e15
"""A figure beyond this is taken for none: no chart could show others beside it."""
_LEAST_SPAN: Final = 1e-12
"""Figures closer together are drawn as one: a length divided by their distance may be beyond what a float can hold."""
_STEPS_MIN: Final = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720)
_STEPS_DAYS: Final = (1, 2, 7, 14, 28, 91, 182, 364)
_DAY_MIN: Final = 1440
_MINUTE_MS: Final = 60_000


class Spot(NamedTuple):
    """A moment and a figure, which is drawable."""

    at_ms: int
    figure: float


class Tick(NamedTuple):
    """at: in the unit of its axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Scale:
    """Takes what lies from `low` to `high` to a length, rounded to a tenth; what lies outside to its ends."""

    low: float
    high: float
    length: float

    def place(self, at: float) -> float:
        """How far along."""
        share = (at - self.low) / (self.high - self.low) if self.high > self.low else 0.0
        return round(min(max(share, 0.0), 1.0) * self.length, 1)


def is_drawable(figure: float | None) -> bool:
    """Whether a chart can show it; NaN is no figure."""
    return figure is not None and -_DRAWABLE <= figure <= _DRAWABLE


def spots(figures: Iterable[tuple[int, float | None]]) -> Iterator[Spot | None]:
    """None where there is nothing to draw."""
    for at_ms, figure in figures:
        yield Spot(at_ms, figure) if figure is not None and is_drawable(figure) else None


def stretches(drawn: Iterable[Spot | None], gap_ms: int) -> list[list[Spot]]:
    """What a line connects: it ends where there is nothing, and where nothing was heard for longer than `gap_ms`."""
    found: list[list[Spot]] = [[]]
    for spot in drawn:
        if spot is None or (found[-1] and spot.at_ms - found[-1][-1].at_ms > gap_ms):
            found.append([])
        if spot is not None:
            found[-1].append(spot)
    return [stretch for stretch in found if stretch]


def worst(figures: Iterable[tuple[int, float | None]], since_ms: int, until_ms: int, most: int) -> list[Spot]:
    """At most so many spots: of each equal part of the time the largest, since a larger value is a worse one.

    Boards call this by the hundred, so it is written to be quick.
    """
    parts, kept = most / max(until_ms - since_ms, 1), dict[int, tuple[int, float]]()
    for at_ms, figure in figures:
        if figure is not None and since_ms <= at_ms < until_ms and -_DRAWABLE <= figure <= _DRAWABLE:
            part = int((at_ms - since_ms) * parts)
            known = kept.get(part)
            if known is None or figure >= known[1]:
                kept[part] = at_ms, figure
    return [Spot(*kept[part]) for part in sorted(kept)]


def figure_scale(figures: Iterable[float | None], length: float) -> Scale:
    """From zero, or the least figure if that is less, to a little above the largest."""
    drawn = [figure for figure in figures if figure is not None and is_drawable(figure)]
    low, high = min([0.0, *drawn]), max([0.0, *drawn])
    span = high - low if high - low > _LEAST_SPAN else 1.0
    return Scale(low, high + span * 0.08, length)


def figure_ticks(scale: Scale, most: int = 4) -> list[float]:
    """Round figures on a scale, at most so many above its low end."""
    rough = (scale.high - scale.low) / most
    size = 10.0 ** floor(log10(rough)) if rough > 0 else 1.0
    step = next((size * each for each in (1, 2, 5, 10) if size * each >= rough), size * 10)
    first = floor(scale.low / step)
    found = [(first + number) * step for number in range(most + 3)]
    return [each for each in found if scale.low <= each <= scale.high]


def time_ticks(since_ms: int, until_ms: int, zone: ZoneInfo, most: int = 6) -> list[Tick]:
    """Round times of the zone's clocks: hours and minutes, and the day where one begins."""
    span_min = max(until_ms - since_ms, 1) / _MINUTE_MS
    minutes = next((each for each in _STEPS_MIN if span_min / each <= most), None)
    first = datetime.fromtimestamp(since_ms // 1000, zone).date()
    moments = _days(first, span_min, most) if minutes is None else _minutes(first, minutes, span_min)
    found: dict[int, str] = {}
    for moment in moments:
        at_ms = int(moment.replace(tzinfo=zone).timestamp() * 1000)
        if since_ms <= at_ms <= until_ms:
            found.setdefault(at_ms, moment.strftime("%m-%d" if moment.time() == time.min else "%H:%M"))
    return [Tick(at_ms, label) for at_ms, label in sorted(found.items())]


def _minutes(first: date, step: int, span_min: float) -> Iterator[datetime]:
    """Every so many minutes from the first day's midnight, until past the end on the shortest of days."""
    midnight = datetime.combine(first, time.min)
    count = int((_DAY_MIN * 2 + span_min) / step)
    return (midnight + timedelta(minutes=step * number) for number in range(count))


def _days(first: date, span_min: float, most: int) -> Iterator[datetime]:
    days = span_min / _DAY_MIN
    step = next((each for each in _STEPS_DAYS if days / each <= most), int(days / most) + 1)
    midnight = datetime.combine(first, time.min)
    return (midnight + timedelta(days=step * number) for number in range(int(days / step) + 3))


def steps_of(readings: Sequence[Reading]) -> list[Spot | None]:
    """The thresholds of readings as a line of steps: each holds until the next one."""
    drawn = list(spots((each.at_ms, each.threshold) for each in readings))
    steps: list[Spot | None] = drawn[:1]
    for one, other in pairwise(drawn):
        if one is not None and other is not None and one.figure != other.figure:
            steps.append(Spot(other.at_ms, one.figure))
        steps.append(other)
    return steps
