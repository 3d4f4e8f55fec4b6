"""Lines and spans over time, as SVG that stretches to any width, with its labels beside it as text."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from html import escape
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

from schemas.backtest import Point, Report, Series, Trip
from schemas.base import to_ms
from services.cli.backtest.markup import say
from services.cli.backtest.readable import clock, figure, lasting

_WIDTH: Final = 1000
_HEIGHT: Final = 200
_HEADROOM: Final = 1.15
_TALLEST: Final = 5
"""A value may be drawn so many times as tall as its threshold; what is more is cut off, so that both can be seen."""
_APART: Final = 20
_TICKS: Final = 6
_LAST_LABEL: Final = 0.95
"""Further to the right there is no room for one."""
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
            if left >= self._start and self.share(left) < _LAST_LABEL:
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
        runs = [scaled(points) if is_mixed(series) else points for points in series.runs]
        top = _top(runs)
        spans = "".join(dict.fromkeys(self._span(trip) for trips in by_run for trip in trips if trip.tripped))
        lines, seen = "", set[str]()
        for run, points in enumerate(runs):
            for path, mark in self._lines(run, points, top):
                lines += mark if path not in seen else ""
                seen.add(path)
        svg = (
            f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" aria-hidden="true">{spans}{lines}</svg>'
        )
        labels = "".join(_labels(series, runs, top))
        return f'<div class="canvas">{svg}{labels}</div>{self.lanes(by_run)}{self.ticks()}'

    def _span(self, trip: Trip) -> str:
        left, right = self._reach(trip)
        width = max((right - left) * _WIDTH, 2)
        return f'<rect x="{left * _WIDTH:.1f}" y="0" width="{width:.1f}" height="{_HEIGHT}"/>'

    def _lines(self, run: int, points: Sequence[Point], top: float) -> Iterator[tuple[str, str]]:
        """Paths and the marks they make: a policy whose line is that of another adds nothing."""
        following = [*(point.at for point in points[1:]), self._end]
        known = [(point, after) for point, after in zip(points, following, strict=True)]
        for has_value, group in groupby(known, lambda each: each[0].value is not None):
            stretch = list(group)
            if has_value:
                path = self._steps([(point.at, point.value or 0.0) for point, _ in stretch], stretch[-1][1], top)
                left = self.share(stretch[0][0].at) * _WIDTH
                area = f'<path class="area run{run}" d="{path}V{_HEIGHT}H{left:.1f}Z"/>'
                yield path, f'{area}<path class="value run{run}" d="{path}"/>'
        if points:
            limits = [(self._start, points[0].threshold), *((point.at, point.threshold) for point in points)]
            path = self._steps(limits, self._end, top)
            yield path, f'<path class="limit run{run}" d="{path}"/>'

    def _steps(self, places: Sequence[tuple[int, float]], end_ms: int, top: float) -> str:
        """A path that keeps each value until the next, and the last until the end."""
        path, before = "", None
        for at_ms, value in places:
            y = f"{_HEIGHT * (1 - min(max(value / top, 0.0), 1.0)):.1f}"
            if y != before:
                x = f"{self.share(at_ms) * _WIDTH:.1f}"
                path += f"H{x}V{y}" if path else f"M{x} {y}"
                before = y
        return f"{path}H{self.share(end_ms) * _WIDTH:.1f}"


def is_mixed(series: Series) -> bool:
    """Whether thresholds are of different kinds (a rise of 20 %, a ceiling of 380): no one scale would show both."""
    limits = [point.threshold for points in series.runs for point in points if point.threshold > 0]
    return bool(limits) and max(limits) > min(limits) * _APART


def scaled(points: Sequence[Point]) -> list[Point]:
    """Values as parts of their thresholds."""
    return [
        Point(at=point.at, value=point.value and point.value / (point.threshold or 1.0), threshold=1.0)
        for point in points
    ]


def _labels(series: Series, runs: Sequence[Sequence[Point]], top: float) -> Iterator[str]:
    """What the lines of thresholds stand for."""
    limits = dict.fromkeys((run, point.threshold) for run, points in enumerate(runs) for point in points)
    told = set[float]()
    for run, limit in limits:
        if limit <= top and limit not in told:
            told.add(limit)
            text = say("limit", "阈值") if is_mixed(series) else figure(limit, limit)
            yield f'<span class="y run{run}" style="bottom:{limit / top:.2%}">{text}</span>'


def _top(runs: Sequence[Sequence[Point]]) -> float:
    """The value at the upper edge."""
    points = [point for points in runs for point in points]
    limit = max((point.threshold for point in points), default=1.0) or 1.0
    value = max((point.value or 0.0 for point in points), default=0.0)
    return max(limit, min(value, limit * _TALLEST)) * _HEADROOM
