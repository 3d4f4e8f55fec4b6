"""One channel as its rules see it."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from schemas.frames import FEED_OF_MEASURE, MEASURES, RAW_TOPIC_ORDER
from services.indicators.subjects.complaints import Complaints, Tally
from services.indicators.subjects.store import Surroundings
from services.indicators.windows.baselines import Baseline, baseline
from services.indicators.windows.days import Span
from services.indicators.windows.panes import HOUR_MS, PANE_MS, Panes

CODE: Final = {name: code for code, name in enumerate(MEASURES)}
TOPICS: Final = tuple(sorted(set(FEED_OF_MEASURE)))
"""The feeds of the panes, in their order: indices into RAW_TOPIC_ORDER."""
_FEED: Final = {RAW_TOPIC_ORDER[topic]: feed for feed, topic in enumerate(TOPICS)}


class ChannelView:
    """One channel as its rules see it."""

    def __init__(self, slot: int, panes: Panes, complaints: Complaints, around: Surroundings) -> None:
        self._slot = slot
        self._panes = panes
        self._complaints = complaints
        self._around = around
        self._looked: dict[tuple[int | None, Span], None] = {}

    def today(self, now_ms: int) -> Span:
        """The business day that ends with `now_ms` or has begun before it, so far."""
        return Span(self._around.days.of(now_ms - 1).span.start, now_ms)

    def trailing(self, now_ms: int, hours: int) -> Span:
        """The last hours."""
        return Span(now_ms - hours * HOUR_MS, now_ms)

    def before(self, span: Span, hours: int) -> Span:
        """The hours that end where a span begins."""
        return Span(span.start - hours * HOUR_MS, span.start)

    def baseline(self, now_ms: int, topics: Iterable[str]) -> Baseline:
        """The days to compare the 24 hours until `now_ms` with: those alike, of which all these topics tell."""
        return baseline(
            self._around.calendar, now_ms, usable=lambda span: all(self._heard(topic, span) for topic in topics)
        )

    def total(self, measure: str, span: Span) -> int:
        """The sum of one of MEASURES over the panes of a span; spend is in millionths of CNY."""
        code = CODE[measure]
        self._looked[FEED_OF_MEASURE[code], span] = None
        return self._panes.total(self._slot, code, span)

    def complaints(self, span: Span, *, per_person: int) -> Tally:
        """The complaints of a span, of which at most so many count per account or address."""
        self._looked[None, span] = None
        return self._complaints.tally(span, per_person)

    def complained_of(self, span: Span) -> Counter[str]:
        """How many complaints of a span name which product, whether they count or are too many of one person."""
        return Counter(each.product for each in self._complaints.within(span) if each.product is not None)

    def silent(self, topic: str, now_ms: int) -> bool:
        """Whether nothing of a raw topic was heard for longer than the policy's `max_silence`."""
        return not self._heard(topic, Span(now_ms - self._around.max_silence_ms, now_ms))

    def reaches(self, topic: str, span: Span) -> bool:
        """Whether a raw topic was heard in the older half of a span, its middle pane included: what is known of it
        then reaches back over half of the span or more."""
        return self._heard(topic, Span(span.start, (span.start + span.end) // 2 + PANE_MS))

    def _heard(self, topic: str, span: Span) -> bool:
        feed = _FEED[topic]
        self._looked[TOPICS[feed], span] = None
        return self._panes.heard(self._slot, feed, span)

    def sources(self) -> list[tuple[int, int, int]]:
        """`(source, from, to)`: where the events lie that were looked at through this view."""
        found: list[tuple[int, int, int]] = []
        for feed, span in self._looked:
            if feed is None:
                found += [(source, offset, offset + 1) for source, offset in self._complaints.events(span)]
            else:
                found += [each for each in self._panes.ranges(self._slot, span) if each[0] >> 16 == feed]
        return found
