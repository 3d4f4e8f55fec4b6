"""Lines and spans over time, as SVG that stretches to any width, with its labels beside it as text."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from html import escape
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

from schemas.base import to_ms
from services.cli.backtest.figures import clock, figure, lasting
from services.cli.backtest.model import Point, Report, Series, Trip

_WIDTH: Final = 1000
_HEIGHT: Final = 200
_HEADROOM: Final = 1.15
_TALLEST: Final = 5
"""A value may be drawn so many times as tall as its threshold; what is more is cut off, so that both can be seen."""
_TICKS: Final = 6
_MINUTES: Final = (1, 5, 15, 30, 60, 180, 360, 720)
_DAYS: Final = (1, 2, 7, 14, 30, 90, 365)
_STEPS: Final = tuple(timedelta(minutes=each) for each in (*_MINUTES, *(1440 * days for days in _DAYS)))


class Axis:
    """The window of a report, from left to right."""

    def __init__(self, report: Report) -> None:
        self._start, self._end = to_ms(report.window.from_), to_ms(report.window.to)
        self._zone = ZoneInfo(report.time_zone)
        self._name = report.time_zone

    def share(self, at_ms: int) -> float:
        """How far to the right a moment lies: 0 to 1."""
        return min(1.0, max(0.0, (at_ms - self._start) / max(self._end - self._start, 1)))

    def ticks(self) -> str:
        """Round times below the picture."""
        return f'<div class="axis">{"".join(self._labels())}</div>'

    def _labels(self) -> Iterator[str]:
        start = datetime.fromtimestamp(self._start / 1000, self._zone)
        span = timedelta(milliseconds=self._end - self._start)
        step = next((each for each in _STEPS if span <= each * _TICKS), _STEPS[-1])
        at = start.replace(hour=0, minute=0, second=0, microsecond=0)
        while (left := to_ms(at)) < self._end:
            if left >= self._start:
                whole = step >= timedelta(days=1) or (at.hour, at.minute) == (0, 0)
                yield f'<span style="left:{self.share(left):.2%}">{at:{"%m-%d" if whole else "%H:%M"}}</span>'
            at += step

    def lanes(self, by_run: Sequence[Iterable[Trip]]) -> str:
        """For each policy a strip on which its episodes are marked."""
        strips = (
            f'<div class="lane run{run}">{"".join(map(self._bar, trips))}</div>' for run, trips in enumerate(by_run)
        )
        return "".join(strips)

    def _bar(self, trip: Trip) -> str:
        left, right = self._reach(trip)
        title = f"{trip.label.en}: {clock(trip.opened, self._name)}, {lasting(trip.seconds)}"
        warned = "" if trip.tripped else ' class="warned"'
        return f'<b{warned} style="left:{left:.3%};width:{right - left:.3%}" title="{escape(title)}"></b>'

    def _reach(self, trip: Trip) -> tuple[float, float]:
        end = 1.0 if trip.resolved is None else self.share(to_ms(trip.resolved))
        return self.share(to_ms(trip.opened)), end

    # -- a series

    def plot(self, series: Series, by_run: Sequence[Sequence[Trip]]) -> str:
        """Values and thresholds of a series, with its episodes as spans behind them."""
        top = _top(series)
        spans = "".join(self._span(run, trip) for run, trips in enumerate(by_run) for trip in trips if trip.tripped)
        lines = "".join(
            self._lines(run, points, top, alone=_values(points) != _values(series.runs[0]) or run == 0)
            for run, points in enumerate(series.runs)
        )
        limits = dict.fromkeys(point.threshold for points in series.runs for point in points)
        labels = "".join(
            f'<span class="y" style="bottom:{limit / top:.2%}">{figure(limit, limit)}</span>'
            for limit in list(limits)[:3]
            if limit <= top
        )
        svg = (
            f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" aria-hidden="true">{spans}{lines}</svg>'
        )
        return f'<div class="canvas">{svg}{labels}</div>{self.lanes(by_run)}{self.ticks()}'

    def _span(self, run: int, trip: Trip) -> str:
        left, right = self._reach(trip)
        width = max((right - left) * _WIDTH, 2)
        return f'<rect class="run{run}" x="{left * _WIDTH:.1f}" y="0" width="{width:.1f}" height="{_HEIGHT}"/>'

    def _lines(self, run: int, points: Sequence[Point], top: float, *, alone: bool) -> str:
        found = ""
        if alone:
            for known, group in groupby(points, lambda point: point.value is not None):
                stretch = list(group)
                if known:
                    after = next((each.at for each in points if each.at > stretch[-1].at), self._end)
                    found += self._line(run, stretch, after, top)
        limit = self._steps([(self._start, points[0].threshold)] if points else [], top)
        limit += self._steps([(point.at, point.threshold) for point in points], top, first=not limit)
        return found + (f'<path class="limit run{run}" d="{limit}H{_WIDTH}"/>' if points else "")

    def _line(self, run: int, stretch: Sequence[Point], after_ms: int, top: float) -> str:
        path = self._steps([(point.at, point.value or 0.0) for point in stretch], top)
        right = f"H{self.share(after_ms) * _WIDTH:.1f}"
        left = self.share(stretch[0].at) * _WIDTH
        area = f'<path class="area run{run}" d="{path}{right}V{_HEIGHT}H{left:.1f}Z"/>'
        return f'{area}<path class="value run{run}" d="{path}{right}"/>'

    def _steps(self, places: Sequence[tuple[int, float]], top: float, *, first: bool = True) -> str:
        """A path that keeps each value until the next."""
        path, before = "", None
        for at_ms, value in places:
            y = f"{_HEIGHT * (1 - min(max(value / top, 0.0), 1.0)):.1f}"
            if y != before:
                x = f"{self.share(at_ms) * _WIDTH:.1f}"
                path += f"M{x} {y}" if first and not path else f"H{x}V{y}"
                before = y
        return path


def _values(points: Sequence[Point]) -> list[tuple[int, float | None]]:
    return [(point.at, point.value) for point in points]


def _top(series: Series) -> float:
    """The value at the upper edge."""
    points = [point for points in series.runs for point in points]
    limit = max((point.threshold for point in points), default=1.0) or 1.0
    value = max((point.value or 0.0 for point in points), default=0.0)
    return max(limit, min(value, limit * _TALLEST)) * _HEADROOM
