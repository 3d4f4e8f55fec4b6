"""Sums over spans of time, of all subjects at once.

When a pane closes, every rule asks of every subject about the same few spans, a week of which is 168 pages. So a span
is added up once, for all subjects and measures together, from sums of whole hours that are kept until an event changes
them.
"""

from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.indicators.windows.days import Span

_SPANS: Final = 16
"""So many spans are kept at most: those of one moment, and some to spare."""


@dataclass(frozen=True, slots=True)
class Sum:
    """totals: slots × measures. heard: slots × feeds, whether any event of the feed was among it."""

    totals: NDArray[np.int64]
    heard: NDArray[np.bool_]


class Sums:
    """`part(hour, first, end)` adds up some of the panes of an hour. `known`: the spans that have been added up."""

    def __init__(self, part: Callable[[int, int, int], Sum], panes: int, shape: tuple[int, int]) -> None:
        self._part = part
        self._panes = panes
        self._measures, self._feeds = shape
        self._hours: dict[int, Sum] = {}
        self.known: dict[Span, Sum] = {}

    def add(self, span: Span, first: int, end: int, hours: Container[int], slots: int) -> Sum:
        """Adds up a span, panes `first` up to `end`; `hours` are those in which there was anything."""
        found = Sum(np.zeros((slots, self._measures), np.int64), np.zeros((slots, self._feeds), np.bool_))
        for hour in range(first // self._panes, -(-end // self._panes)):
            if hour in hours:
                start = hour * self._panes
                part = self._in_hour(hour, max(first - start, 0), min(end - start, self._panes))
                found.totals[: len(part.totals)] += part.totals
                found.heard[: len(part.heard)] |= part.heard
        if len(self.known) >= _SPANS:
            self.known.clear()
        self.known[span] = found
        return found

    def _in_hour(self, hour: int, first: int, end: int) -> Sum:
        if end - first < self._panes:
            return self._part(hour, first, end)
        if hour not in self._hours:
            self._hours[hour] = self._part(hour, first, end)
        return self._hours[hour]

    def changed(self, hour: int) -> None:
        """Something was added to an hour, or it was forgotten."""
        self._hours.pop(hour, None)
        self.known.clear()
