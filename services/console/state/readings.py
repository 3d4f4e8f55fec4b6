"""How every subject has stood: the indicators' readings as series, fine for a day and coarse for a month. Pure, and
bounded whatever comes in."""

from array import array
from bisect import bisect_left
from collections import Counter, OrderedDict
from collections.abc import Iterator
from math import isnan, nan
from typing import Final, NamedTuple, get_args

import numpy as np

from schemas.base import to_ms
from schemas.readings import Reading, ReadingVerdict, Standing

FINE_MS: Final = 300_000
FINE_KEPT_MS: Final = 24 * 3_600_000
COARSE_MS: Final = 3_600_000
COARSE_KEPT_MS: Final = 31 * 24 * 3_600_000
MOST_SERIES: Final = 4_000
"""Those read last; a series takes 37 KB when it is a month old."""
STALE_MS: Final = 3_600_000
"""A subject of which nothing was read for so long is not told of as if it stood so now."""
_VERDICTS: Final[tuple[ReadingVerdict, ...]] = get_args(ReadingVerdict)


class Point(NamedTuple):
    """A reading. value: None while the verdict is `unsure`."""

    at_ms: int
    value: float | None
    threshold: float | None
    verdict: ReadingVerdict


class Line:
    """Readings in the order of time, one for each step; when there are too many the oldest go."""

    def __init__(self, step_ms: int, kept_ms: int) -> None:
        self._step_ms = step_ms
        self._most = kept_ms // step_ms
        self._at = array("q")
        self._values = array("d")
        self._thresholds = array("d")
        self._verdicts = array("b")

    def put(self, point: Point, *, worst: bool) -> None:
        """Adds a reading; of those of one step the last stands, or the worst. An older one than the last is known."""
        if self._at and point.at_ms < self._at[-1]:
            return
        if self._at and point.at_ms // self._step_ms == self._at[-1] // self._step_ms:
            if worst and not _exceeds(point.value, self._values[-1]):
                return
            self._drop(slice(-1, None))
        self._at.append(point.at_ms)
        self._values.append(nan if point.value is None else point.value)
        self._thresholds.append(nan if point.threshold is None else point.threshold)
        self._verdicts.append(_VERDICTS.index(point.verdict))
        if len(self._at) > self._most + self._most // 8:  # now and then, since it moves all the others
            self._drop(slice(0, len(self._at) - self._most))

    def _drop(self, those: slice) -> None:
        for column in (self._at, self._values, self._thresholds, self._verdicts):
            del column[those]

    def first_ms(self) -> int | None:
        """When it begins."""
        return self._at[0] if self._at else None

    def points(self, since_ms: int, until_ms: int) -> Iterator[Point]:
        """The readings of a stretch of time, its end not included."""
        those = slice(bisect_left(self._at, since_ms), bisect_left(self._at, until_ms))
        columns = (self._at[those], self._values[those], self._thresholds[those], self._verdicts[those])
        for at_ms, value, threshold, verdict in zip(*columns, strict=True):
            yield Point(at_ms, _known(value), _known(threshold), _VERDICTS[verdict])

    def largest(self, since_ms: int, until_ms: int, most: int) -> list[tuple[int, float]]:
        """Of each of so many equal parts of a stretch of time its end and the largest value, where there is any."""
        at, values = np.frombuffer(self._at, np.int64), np.frombuffer(self._values, np.float64)
        first, end = np.searchsorted(at, (since_ms, until_ms))
        known = ~np.isnan(values[first:end])
        at, values = at[first:end][known], values[first:end][known]
        if not len(at):
            return []
        parts = (at - since_ms) * most // (until_ms - since_ms)
        begins = np.flatnonzero(np.diff(parts, prepend=-1))
        ends = at[np.append(begins[1:], len(at)) - 1]
        return list(zip(ends.tolist(), np.maximum.reduceat(values, begins).tolist(), strict=True))


def _known(figure: float) -> float | None:
    return None if isnan(figure) else figure


def _exceeds(value: float | None, other: float) -> bool:
    return value is not None and (isnan(other) or value >= other)


class Subject:
    """One indicator on one subject."""

    def __init__(self) -> None:
        self.last: Point | None = None
        self._fine = Line(FINE_MS, FINE_KEPT_MS)
        self._coarse = Line(COARSE_MS, COARSE_KEPT_MS)

    def put(self, point: Point) -> None:
        """Adds a reading."""
        if self.last is None or point.at_ms >= self.last.at_ms:
            self.last = point
            self._fine.put(point, worst=False)
            self._coarse.put(point, worst=True)

    def series(self, since_ms: int) -> list[Point]:
        """The readings since then: of the last day one each five minutes, before that the worst of each hour."""
        fine_ms = self._fine.first_ms() or since_ms
        return [*self._coarse.points(since_ms, fine_ms), *self._fine.points(max(since_ms, fine_ms), 2**62)]

    def largest(self, since_ms: int, until_ms: int, most: int) -> list[tuple[int, float]]:
        """Of equal parts of the last day, the largest values."""
        return self._fine.largest(since_ms, until_ms, most)


class Readings:
    """All series, and the counts of subjects that are not told one by one."""

    def __init__(self) -> None:
        self._series: OrderedDict[tuple[str, str], Subject] = OrderedDict()
        self._counts: dict[str, tuple[int, dict[str, dict[str, int]]]] = {}
        self.newest_ms = 0
        """The newest end of a pane that any reading tells of."""

    def fold(self, reading: Reading) -> None:
        """Takes in one reading; what was read before changes nothing."""
        at_ms = to_ms(reading.at)
        self.newest_ms = max(self.newest_ms, at_ms)
        if (reading.counts or reading.writer in self._counts) and at_ms >= self._counts.get(reading.writer, (0, {}))[0]:
            self._counts[reading.writer] = at_ms, reading.counts
        for indicator, subjects in reading.values.items():
            for subject, standing in subjects.items():
                self._put(indicator, subject, at_ms, standing)
        while len(self._series) > MOST_SERIES:
            self._series.popitem(last=False)

    def _put(self, indicator: str, subject: str, at_ms: int, standing: Standing) -> None:
        key = indicator, subject
        known = self._series.get(key)
        if known is None:
            known = self._series[key] = Subject()
        self._series.move_to_end(key)
        known.put(Point(at_ms, *standing))

    def series(self, indicator: str, subject: str, since_ms: int) -> list[Point]:
        """The readings of a subject since then, oldest first."""
        known = self._series.get((indicator, subject))
        return [] if known is None else known.series(since_ms)

    def last(self, indicator: str, subject: str) -> Point | None:
        """The newest reading of a subject."""
        known = self._series.get((indicator, subject))
        return None if known is None else known.last

    def largest(self, indicator: str, subject: str, since_ms: int, until_ms: int, most: int) -> list[tuple[int, float]]:
        """Of each of so many equal parts of a stretch of the last day, its end and the largest value: boards ask this
        by the hundred."""
        known = self._series.get((indicator, subject))
        return [] if known is None else known.largest(since_ms, until_ms, most)

    def subjects(self, indicator: str) -> list[str]:
        """The subjects of an indicator that have any reading, sorted."""
        return sorted(subject for name, subject in self._series if name == indicator)

    def latest(self) -> Iterator[tuple[str, str, Point]]:
        """Indicator, subject and last reading of all that were read of lately."""
        for (indicator, subject), known in self._series.items():
            if known.last is not None and known.last.at_ms >= self.newest_ms - STALE_MS:
                yield indicator, subject, known.last

    def counts(self, indicator: str) -> dict[str, int]:
        """Of an indicator whose subjects are only counted: how many stand how. Empty where nothing was read of it."""
        found: Counter[str] = Counter()
        for _, counts in self._counts.values():
            found.update(counts.get(indicator, {}))
        return dict(found)

    def counted(self) -> list[str]:
        """The indicators whose subjects are only counted."""
        return sorted({indicator for _, counts in self._counts.values() for indicator in counts})
