"""The market: monthly and quarterly readings by series, and changes of policy, each as it was known at a moment."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from heapq import nlargest
from typing import Final, NamedTuple

import msgspec

from schemas.frames import RAW_TOPIC_ORDER, AnyFrame, MarketFrame
from schemas.topics import MARKET_EVENTS
from services.indicators.standing import Ledger, Standing, fresh
from services.indicators.subjects.store import OnlyByEvents, Surroundings, Touched
from services.indicators.windows.days import Span

PANE_MS: Final = 300_000
KEPT_MS: Final = 5 * 365 * 86_400_000
"""Readings are few, and one may come, or be corrected, years after its month."""
READINGS: Final = "readings"


class Reading(NamedTuple):
    """One reading, or a policy change (which has a title). Of two for one period the later event counts."""

    at_ms: int
    source: int
    offset: int
    period: str | None
    percent: str | None
    title: str | None
    url: str | None


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(list[Reading])


class MarketView:
    """One series as its rules see it."""

    def __init__(self, series: str, readings: list[Reading]) -> None:
        self.series = series
        self._readings = readings
        self._looked: set[Reading] = set()

    def latest(self, now_ms: int, count: int) -> dict[str, Decimal]:
        """What is known at a moment of the last periods of which anything is, in their order."""
        known = {each.period: each for each in self._readings[: bisect_left(self._readings, (now_ms,))] if each.period}
        newest = {period: known[period] for period in sorted(nlargest(count, known))}
        self._looked.update(newest.values())
        return {period: Decimal(each.percent or "0") for period, each in newest.items()}

    def changes(self, span: Span) -> list[Reading]:
        """The policy changes of a span."""
        start, end = (bisect_left(self._readings, (at,)) for at in (span.start, span.end))
        found = [each for each in self._readings[start:end] if each.title is not None]
        self._looked.update(found)
        return found

    def in_a_row(self, now_ms: int, gap_ms: int) -> int:
        """How many policy changes there were up to a moment, back to the first pause that is longer."""
        number, last_ms = 0, now_ms
        for each in reversed(self._readings[: bisect_left(self._readings, (now_ms,))]):
            if last_ms - each.at_ms > gap_ms:
                break
            if each.title is not None:
                number, last_ms = number + 1, each.at_ms
        return number

    def sources(self) -> list[tuple[int, int, int]]:
        """`(source, from, to)`: where the readings lie that were looked at through this view."""
        return [(each.source, each.offset, each.offset + 1) for each in sorted(self._looked)]


class MarketStore(OnlyByEvents):
    """The readings of all series of one partition; nothing changes without a reading."""

    kind = "market"
    pane_ms = PANE_MS
    feeds = frozenset({RAW_TOPIC_ORDER.index(MARKET_EVENTS)})
    rebuilt = False
    inputs = frozenset({READINGS})

    def __init__(self) -> None:
        self._series: dict[str, list[Reading]] = {}
        self._dirty: set[str] = set()

    def watch(self, floors: Mapping[str, int]) -> None:
        """Every reading is judged."""

    def follow(self, subject: str, troubled: bool) -> None:
        """Likewise."""

    def fold(self, offset: int, frame: AnyFrame, standing: Standing, ledger: Ledger | None) -> Iterator[Touched]:
        """Adds the new readings of a frame, each to be judged before the next: a later one may correct it."""
        if not isinstance(frame, MarketFrame):
            raise TypeError(f"a {type(frame).__name__} on the log of the market")
        oldest = 0 if standing.closed_ms is None else standing.closed_ms - KEPT_MS
        for source, row in fresh(frame.slices, frame.rows, oldest, standing, ledger):
            reading = Reading(row.at_ms, source, row.offset, row.period, row.percent, row.title, row.url)
            insort(self._series.setdefault(row.series, []), reading)
            self._dirty.add(row.series)
            yield self._touched(row.series, row.at_ms)

    def _touched(self, series: str, at_ms: int) -> Touched:
        """Right after this reading, and as of now: a late one may change what the newest stand for."""
        return Touched(f"market:{series}", {READINGS: sorted({at_ms + 1, self._series[series][-1].at_ms + 1})})

    def everything(self, since_ms: int) -> list[Touched]:
        """The newest reading of each series: figures that have changed may find it in trouble as it stands."""
        return [self._touched(series, readings[-1].at_ms) for series, readings in sorted(self._series.items())]

    # -- looking

    def earliest_ms(self) -> int | None:
        """The start of the oldest pane there is."""
        return min((each[0].at_ms // PANE_MS * PANE_MS for each in self._series.values()), default=None)

    def later(self, subject: str, end_ms: int) -> list[int]:
        """Right after each later reading of the series."""
        readings = self._series.get(subject.removeprefix("market:"), [])
        return sorted({each.at_ms + 1 for each in readings if each.at_ms >= end_ms})

    def view(self, subject: str, around: Surroundings) -> MarketView:
        """One series to look at."""
        series = subject.removeprefix("market:")
        return MarketView(series, self._series.get(series, []))

    # -- forgetting, saving, loading

    def overfull_ms(self, newest_ms: int) -> int | None:
        """Never: readings are few."""
        return None

    def evict(self, closed_ms: int) -> None:
        """Forgets readings of long ago, the newest of a series never."""
        for series, readings in self._series.items():
            old = min(bisect_left(readings, (closed_ms - KEPT_MS,)), len(readings) - 1)
            if old:
                del readings[:old]
                self._dirty.add(series)

    def oldest_offset(self) -> int | None:
        """Nothing is rebuilt from the log."""
        return None

    def changed(self) -> Iterator[tuple[bytes, bytes | None]]:
        """A record per series."""
        for series in sorted(self._dirty):
            yield b"s" + series.encode(), _ENCODER.encode(self._series[series])
        self._dirty.clear()

    def load(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Takes back snapshot records."""
        for key, value in records:
            self._series[key[1:].decode()] = _DECODER.decode(value)
