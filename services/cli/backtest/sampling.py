"""How indicators stood over time, in a bounded number of points: of each stretch of the window its worst verdict."""

from collections.abc import Mapping
from typing import Final

from schemas.backtest import Point
from services.indicators.registry import all_rules
from services.indicators.seen import Latest
from services.indicators.windows.days import Days, Span

POINTS: Final = 720
"""Of a series at most: two a pixel on a phone."""
Key = tuple[str, str]
"""The rule's name and the subject."""
_Known = tuple[int, float | None, float]
"""As in a Point."""


class Sampler:
    """Looks at what a machine has seen last, each time that panes have closed."""

    def __init__(self, window: Span, zone: str) -> None:
        self._window = window
        self._days = Days(zone)
        self._daily = {rule.name for rule in all_rules() if rule.per_day}
        self._newest: dict[Key, Latest] = {}
        self._points: dict[Key, dict[int, _Known]] = {}

    def look(self, seen: Mapping[Key, Latest]) -> None:
        """Takes note of what was judged since the last look."""
        for key, latest in seen.items():
            known = self._newest.get(key)
            if known is not latest:
                if known is not None and key[0] in self._daily:
                    self._midnight(key, known, latest.end_ms)
                self._newest[key] = latest
                self._add(key, latest)

    def _midnight(self, key: Key, known: Latest, until_ms: int) -> None:
        """Counts of a day begin anew, which nobody judges."""
        end_ms = self._days.of(known.end_ms - 1).span.end
        if end_ms < until_ms and self._window.start <= end_ms <= self._window.end:
            # In a stretch of its own, since it would not be the worst of the one before midnight.
            self._points.setdefault(key, {})[self._stretch(end_ms) + 1] = end_ms, 0.0, known.threshold

    def _stretch(self, at_ms: int) -> int:
        start, end = self._window
        return (at_ms - start) * POINTS // max(end - start, 1)

    def _add(self, key: Key, latest: Latest) -> None:
        start, end = self._window
        if not start <= latest.end_ms <= end:
            return
        value = None if latest.verdict == "unsure" else latest.value
        points = self._points.setdefault(key, {})
        stretch = self._stretch(latest.end_ms)
        known = points.get(stretch)
        if known is None or known[1] is None or (value is not None and value >= known[1]):
            points[stretch] = latest.end_ms, value, latest.threshold

    def finish(self) -> None:
        """Nothing more comes: lines go on to the end, those of days to midnight."""
        for key, latest in self._newest.items():
            if key[0] in self._daily:
                self._midnight(key, latest, self._window.end)

    def keys(self, rule: str) -> list[Key]:
        """Of which series of a rule there is any point."""
        return [key for key in self._points if key[0] == rule]

    def points(self, key: Key) -> list[Point]:
        """A series in order of time."""
        found = sorted(self._points.get(key, {}).values(), key=lambda known: known[0])
        return [Point(at=at, value=value, threshold=threshold) for at, value, threshold in found]

    def nearness(self, key: Key) -> float:
        """How near it came to its threshold: 1 is there."""
        points = self._points.get(key, {}).values()
        return max((value / threshold for _, value, threshold in points if value and threshold), default=0.0)
