"""The brand: how often it is mentioned, how, where and about what, and what people say who are displeased."""

from bisect import insort
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from schemas.frames import RAW_TOPIC_ORDER, AnyFrame, BrandFrame
from schemas.readings import Scope
from schemas.rows import MentionRow
from schemas.topics import MENTION_EVENTS
from services.indicators.readings.tallies import ALL, Tallies, scopes_of
from services.indicators.standing import Ledger, Standing, fresh
from services.indicators.subjects.store import Surroundings, Touched
from services.indicators.windows.days import Span
from services.indicators.windows.panes import HOUR_MS, PANE_MS

KEPT_MS: Final = 3 * 24 * HOUR_MS
BRAND: Final = "brand:all"
MENTIONS: Final = "mentions"
MOST_KEYS: Final = 500
OTHERS: Final = "(others)"
"""Where the mentions of a pane are counted when its sources and products are too many to tell apart: a sender may put
anything there."""
QUOTES: Final = 5
"""Kept of each pane, the worst."""
GRAVE: Final = (
    "骗",
    "亏",
    "退钱",
    "投诉",
    "举报",
    "维权",
    "跑路",
    "爆雷",
    "误导",
    "虚假",
    "律师",
    "起诉",
    "fraud",
    "scam",
    "refund",
)
"""Words that make a quote worse; of equal ones the earlier is kept."""

Quote = tuple[int, int, int, int, str, str]
"""Badness (negative, so that the worst sorts first), time, source, offset, where it was said, and what."""


class MentionPane(msgspec.Struct, array_like=True):
    """Five minutes of mentions.

    by: of each `(source, product)` how many were negative, and how many there were. quotes: the worst. ranges: by raw
    source the offsets `[first, next)`.
    """

    negative: int = 0
    total: int = 0
    by: dict[tuple[str, str], list[int]] = {}
    quotes: list[Quote] = []
    ranges: dict[int, list[int]] = {}

    def add(self, source: int, row: MentionRow) -> None:
        """Counts one mention."""
        bad = row.sentiment == "negative"
        self.total += 1
        self.negative += bad
        key = (row.source, row.product or "")
        if key not in self.by and len(self.by) >= MOST_KEYS:
            key = (OTHERS, "")
        counts = self.by.setdefault(key, [0, 0])
        counts[0] += bad
        counts[1] += 1
        span = self.ranges.setdefault(source, [row.offset, row.offset + 1])
        span[0], span[1] = min(span[0], row.offset), max(span[1], row.offset + 1)
        if row.quote:
            insort(self.quotes, (-_badness(row.quote), row.at_ms, source, row.offset, row.source, row.quote))
            del self.quotes[QUOTES:]


def _badness(quote: str) -> int:
    return sum(word in quote for word in GRAVE)


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(MentionPane)


class BrandView:
    """The brand as its rules see it."""

    def __init__(self, panes: Mapping[int, MentionPane], around: Surroundings) -> None:
        self._panes = panes
        self._around = around
        self._looked: dict[Span, None] = {}

    def today(self, now_ms: int) -> Span:
        """The business day that ends with `now_ms` or has begun before it, so far."""
        return Span(self._around.days.of(now_ms - 1).span.start, now_ms)

    def _within(self, span: Span) -> Iterator[tuple[int, MentionPane]]:
        for number in range(span.start // PANE_MS, -(-span.end // PANE_MS)):
            if pane := self._panes.get(number):
                yield number, pane

    def count(self, span: Span) -> tuple[int, int]:
        """How many mentions were negative, and how many there were."""
        self._looked[span] = None
        panes = [pane for _, pane in self._within(span)]
        return sum(pane.negative for pane in panes), sum(pane.total for pane in panes)

    def report(self, span: Span, shown: int) -> dict[str, Any]:
        """The opinion report: negative and all mentions by source, product and hour, and the worst quotes."""
        by_source: Counter[str] = Counter()
        by_product: Counter[str] = Counter()
        by_hour: Counter[str] = Counter()
        quotes: list[Quote] = []
        for number, pane in self._within(span):
            by_hour[self._around.days.local(number * PANE_MS).strftime("%H:00")] += pane.negative
            quotes += pane.quotes
            for (source, product), (bad, _) in pane.by.items():
                by_source[source] += bad
                by_product[product] += bad
        by_product.pop("", None)
        return {
            "by_source": _most(by_source, shown),
            "by_product": _most(by_product, shown),
            "by_hour": dict(sorted((+by_hour).items())),
            "quotes": [{"source": where, "quote": said} for *_, where, said in sorted(quotes)[:shown]],
        }

    def sources(self) -> list[tuple[int, int, int]]:
        """`(source, from, to)`: where the mentions lie that were looked at through this view."""
        return [
            (source, first, after)
            for span in self._looked
            for _, pane in self._within(span)
            for source, (first, after) in sorted(pane.ranges.items())
        ]


def _most(counts: Counter[str], shown: int) -> dict[str, int]:
    """The largest first, equal ones by name."""
    return dict(sorted((+counts).items(), key=lambda item: (-item[1], item[0]))[:shown])


class BrandStore:
    """All mentions: there is one brand, so they all lie on one partition."""

    kind = "brand"
    pane_ms = PANE_MS
    feeds = frozenset({RAW_TOPIC_ORDER.index(MENTION_EVENTS)})
    rebuilt = False
    inputs = frozenset({MENTIONS})

    def __init__(self) -> None:
        self._panes: dict[int, MentionPane] = {}
        self._dirty: set[int] = set()
        self.tallies = Tallies()

    def watch(self, floors: Mapping[str, int]) -> None:
        """Every mention is judged."""

    def follow(self, subject: str, troubled: bool) -> None:
        """Likewise."""

    def fold(self, offset: int, frame: AnyFrame, standing: Standing, ledger: Ledger | None) -> list[Touched]:
        """Adds the new mentions of a frame."""
        if not isinstance(frame, BrandFrame):
            raise TypeError(f"a {type(frame).__name__} on the log of the brand")
        oldest = 0 if standing.closed_ms is None else standing.closed_ms - KEPT_MS
        touched: list[int] = []
        for source, row in fresh(frame.slices, frame.rows, oldest, standing, ledger):
            number = row.at_ms // PANE_MS
            self._panes.setdefault(number, MentionPane()).add(source, row)
            self._dirty.add(number)
            self._tally(row)
            touched.append(number)
        return [Touched(BRAND, {MENTIONS: self._ends(min(touched))})] if touched else []

    def _tally(self, row: MentionRow) -> None:
        everywhere: tuple[Scope, str] = ("all", ALL)
        for scope, name in (everywhere, *scopes_of(None, row.product)):
            self.tallies.add(row.at_ms, scope, name, "mentions")
            if row.sentiment == "negative":
                self.tallies.add(row.at_ms, scope, name, "negative_mentions")

    def _ends(self, since: int) -> list[int]:
        return [(number + 1) * PANE_MS for number in sorted(self._panes) if number >= since]

    def everything(self, since_ms: int) -> list[Touched]:
        """The newest pane."""
        ends = self._ends(since_ms // PANE_MS)[-1:]
        return [Touched(BRAND, {MENTIONS: ends})] if ends else []

    # -- looking

    def earliest_ms(self) -> int | None:
        """The start of the oldest pane there is."""
        return min(self._panes) * PANE_MS if self._panes else None

    def standing_subjects(self, reads: Collection[str]) -> Iterable[str]:
        """The brand, once it was mentioned."""
        return [BRAND] if self._panes else []

    def waiting(self, horizons: Mapping[str, int]) -> Iterable[str]:
        """None: the brand is judged at every close."""
        return ()

    def idle(self) -> bool:
        """Whether it was never mentioned."""
        return not self._panes

    def later(self, subject: str, end_ms: int) -> list[int]:
        """The ends of later panes with mentions."""
        return self._ends(end_ms // PANE_MS)

    def view(self, subject: str, around: Surroundings) -> BrandView:
        """The brand to look at."""
        return BrandView(self._panes, around)

    # -- forgetting, saving, loading

    def overfull_ms(self, newest_ms: int) -> int | None:
        """Never: mentions are few."""
        return None

    def evict(self, closed_ms: int) -> None:
        """Forgets what is older than any day that counts."""
        first = (closed_ms - KEPT_MS) // PANE_MS
        for number in [each for each in self._panes if each < first]:
            del self._panes[number]
            self._dirty.add(number)

    def oldest_offset(self) -> int | None:
        """Nothing is rebuilt from the log."""
        return None

    def changed(self) -> Iterator[tuple[bytes, bytes | None]]:
        """A record per pane."""
        for number in sorted(self._dirty):
            pane = self._panes.get(number)
            yield b"m%d" % number, None if pane is None else _ENCODER.encode(pane)
        self._dirty.clear()

    def load(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Takes back snapshot records."""
        for key, value in records:
            self._panes[int(key[1:])] = _DECODER.decode(value)
