"""The charts of a trial: trips of both policies over the same time, in two rows of marks. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from markupsafe import Markup

from schemas.backtest import Point, Trip
from schemas.base import Bilingual, to_ms
from services.console.jobs.trials import Drawing, Outcome
from services.console.pages.charts.chart_data import Frame, Mark, Series
from services.console.pages.charts.charts import timeline
from services.console.pages.frame.speaking import Language

_MARKS: Final = 250
"""In a row; more would stand on each other."""
_STRETCHES: Final = 720
"""Into so many a backtest cuts its window."""


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A verdict of a backtest as charts want it."""

    at_ms: int
    value: float | None
    threshold: float
    verdict: str


class TrialCharts:
    """Draws an outcome in one language. titles: of the indicators."""

    def __init__(self, outcome: Outcome, titles: Mapping[str, Bilingual], zone: ZoneInfo, language: Language) -> None:
        self._outcome, self._titles, self._language = outcome, titles, language
        since_ms, until_ms = to_ms(outcome.since), to_ms(outcome.until)
        gap_ms = max(600_000, 3 * (until_ms - since_ms) // _STRETCHES)
        self._frame = Frame(since_ms, until_ms, zone, language, gap_ms)

    def all_trips(self) -> Markup:
        """Every trip of both policies."""
        title = {"en": "All trips of both policies", "zh": "两个策略的全部触发"}[self._language]
        return timeline([], None, [], list(self._marks(self._outcome.trips)), title, self._frame)

    def one(self, drawing: Drawing, names: Sequence[str]) -> Markup:
        """One indicator on one subject: its value, the threshold of each policy, and the trips of each."""
        runs = zip(names, drawing.series.runs, strict=False)
        series = [Series(name, [_reading(point) for point in points]) for name, points in runs]
        title = f"{self.title(drawing.series.indicator)}, {self._text(drawing.series.label)}"
        return timeline(series, None, [], list(self._marks(drawing.trips)), title, self._frame)

    def title(self, indicator: str) -> str:
        """What people call an indicator."""
        title = self._titles.get(indicator)
        return indicator if title is None else self._text(title)

    def _marks(self, trips: Sequence[Sequence[Trip]]) -> Iterator[Mark]:
        """Of those that would stand on each other, the first."""
        part_ms = max(1, (self._frame.until_ms - self._frame.since_ms) // _MARKS)
        for lane, side in enumerate(trips):
            taken: set[int] = set()
            for trip in side:
                at_ms = to_ms(trip.tripped or trip.opened)
                if (at_ms - self._frame.since_ms) // part_ms not in taken:
                    taken.add((at_ms - self._frame.since_ms) // part_ms)
                    yield Mark(at_ms, f"{self.title(trip.indicator)}, {self._text(trip.label)}", lane)

    def _text(self, both: Bilingual) -> str:
        return both.zh if self._language == "zh" else both.en


def _reading(point: Point) -> _Drawn:
    if point.value is None:
        return _Drawn(point.at, None, point.threshold, "unsure")
    return _Drawn(point.at, point.value, point.threshold, "breach" if point.value >= point.threshold else "calm")
