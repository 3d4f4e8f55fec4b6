"""Products: how often each is searched for and bought, and which channels carry it."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

import msgspec

from schemas.frames import MEASURES, RAW_TOPIC_ORDER, AnyFrame, ProductFrame, int32, int64, uint8
from schemas.topics import CHANNEL_EVENTS, CONVERSION_EVENTS
from services.indicators.standing import Ledger, Standing
from services.indicators.subjects.named import TOPICS, Columns, NamedPanes
from services.indicators.subjects.store import Surroundings, Touched
from services.indicators.windows.days import Span
from services.indicators.windows.panes import HOUR_MS, PANE_MS

KEPT_MS: Final = 2 * 24 * HOUR_MS
"""An hour, the day before it, and what is left for late events."""
_CODE: Final = {name: code for code, name in enumerate(MEASURES)}
_FEED: Final = {topic: TOPICS.index(RAW_TOPIC_ORDER.index(topic)) for topic in (CHANNEL_EVENTS, CONVERSION_EVENTS)}
_LAST: Final = (2**62, 0)
_FEED_OF: Final = {"searches": CHANNEL_EVENTS, "purchases": CONVERSION_EVENTS}

Carried = dict[int, dict[str, tuple[int, int]]]
"""By hour from the epoch, the channels that carried a product, each with the first event by which that is known:
source and offset."""


class ProductView:
    """One product as its rules see it."""

    def __init__(self, slot: int, named: NamedPanes, carried: Carried, around: Surroundings) -> None:
        self._slot = slot
        self._named = named
        self._carried = carried
        self._around = around
        self._looked: dict[tuple[int, str, Span], None] = {}
        self._seen: set[tuple[int, int]] = set()

    def trailing(self, now_ms: int, hours: int) -> Span:
        """The last hours."""
        return Span(now_ms - hours * HOUR_MS, now_ms)

    def before(self, span: Span, hours: int) -> Span:
        """The hours that end where a span begins."""
        return Span(span.start - hours * HOUR_MS, span.start)

    def total(self, measure: str, span: Span) -> int:
        """The sum of `searches` or `purchases` over the panes of a span."""
        self._looked[self._slot, _FEED_OF[measure], span] = None
        return self._named.panes.total(self._slot, _CODE[measure], span)

    def reaches(self, span: Span) -> bool:
        """Whether the product was searched for in the older half of a span: what is known reaches back over half of it
        or more."""
        older = Span(span.start, (span.start + span.end) // 2 + PANE_MS)
        return self._named.panes.total(self._slot, _CODE["searches"], older) > 0

    def silent(self, topic: str, now_ms: int) -> bool:
        """Whether nothing of a raw topic was heard of any product for longer than the policy's `max_silence`.

        Of any: that nobody buys this one may be just what is to be found.
        """
        return not self.heard(topic, Span(now_ms - self._around.max_silence_ms, now_ms))

    def heard(self, topic: str, span: Span) -> bool:
        """Whether anything of a raw topic was heard of any product in a span."""
        panes = self._named.panes
        slots = map(self._named.find, sorted(self._named))  # not by slot: that order is another after a restart
        heard = next((slot for slot in slots if panes.heard(slot, _FEED[topic], span)), None)
        if heard is not None:
            self._looked[heard, topic, span] = None
        return heard is not None

    def carriers(self, now_ms: int, hours: int) -> list[str]:
        """The channels that carried the product in the last hours, the one that has begun included; sorted."""
        newest = (now_ms - 1) // HOUR_MS
        shown = [self._carried.get(hour, {}) for hour in range(newest - hours + 1, newest + 1)]
        self._seen.update(first for channels in shown for first in channels.values())
        return sorted({channel for channels in shown for channel in channels})

    def sources(self) -> list[tuple[int, int, int]]:
        """`(source, from, to)`: where the events lie that were looked at through this view."""
        carried = [(source, offset, offset + 1) for source, offset in self._seen]
        return carried + [
            each
            for slot, topic, span in self._looked
            for each in self._named.panes.ranges(slot, span)
            if each[0] >> 16 == RAW_TOPIC_ORDER.index(topic)
        ]


class ProductStore:
    """The windows of all products of one partition."""

    kind = "product"
    pane_ms = PANE_MS
    feeds = frozenset(map(RAW_TOPIC_ORDER.index, (CHANNEL_EVENTS, CONVERSION_EVENTS)))
    rebuilt = False
    inputs = frozenset({"searches", "purchases"})

    def __init__(self) -> None:
        self._named = NamedPanes()
        self._carried: dict[str, Carried] = {}
        self._dirty: set[str] = set()
        self._gone: list[bytes] = []

    def watch(self, floors: Mapping[str, int]) -> None:
        """Products are judged when panes close only."""

    def follow(self, subject: str, troubled: bool) -> None:
        """All products are judged at every close anyway."""

    def fold(self, offset: int, frame: AnyFrame, standing: Standing, ledger: Ledger | None) -> list[Touched]:
        """Adds the new events of a frame."""
        if not isinstance(frame, ProductFrame):
            raise TypeError(f"a {type(frame).__name__} on the log of products")
        admission = standing.admit(frame.slices, frame.offset)
        if frame.offset:
            columns = Columns(
                frame.slices,
                frame.products,
                int64(frame.at_ms),
                int32(frame.product),
                uint8(frame.measure),
                int64(frame.amount),
                int64(frame.offset),
            )
            self._named.add(columns, admission, KEPT_MS, standing, ledger)
        self._carry(frame, 0 if standing.closed_ms is None else (standing.closed_ms - KEPT_MS) // HOUR_MS)
        return []

    def _carry(self, frame: ProductFrame, oldest_hour: int) -> None:
        columns = (frame.carried_product, frame.carried_channel, frame.carried_hour, frame.carried_slice)
        numbers = [int32(column).tolist() for column in columns]
        for product, channel, hour, place, offset in zip(*numbers, int64(frame.carried_offset).tolist(), strict=True):
            if hour < oldest_hour:
                continue
            name, carrier, event = (
                frame.products[product],
                frame.channels[channel],
                (frame.slices[place].source, offset),
            )
            channels = self._carried.setdefault(name, {}).setdefault(hour, {})
            if event < channels.get(carrier, _LAST):
                channels[carrier] = event
                self._dirty.add(name)

    def everything(self, since_ms: int) -> list[Touched]:
        """Nothing is judged at once."""
        return []

    # -- looking

    def earliest_ms(self) -> int | None:
        """The start of the oldest pane there is."""
        return self._named.panes.earliest_ms()

    def standing_subjects(self, reads: Collection[str]) -> Iterable[str]:
        """All products that have any of it: they are few, and ratios change without an event."""
        return [
            f"product:{self._named.names[slot]}" for slot in self._named.panes.used([_CODE[name] for name in reads])
        ]

    def waiting(self, horizons: Mapping[str, int]) -> Iterable[str]:
        """None: a product is judged at every close."""
        return ()

    def idle(self) -> bool:
        """Whether there is no product."""
        return not self._named

    def later(self, subject: str, end_ms: int) -> list[int]:
        """None: a product is judged at every close."""
        return []

    def view(self, subject: str, around: Surroundings) -> ProductView:
        """One product to look at."""
        name = subject.removeprefix("product:")
        return ProductView(self._named.find(name), self._named, self._carried.get(name, {}), around)

    # -- forgetting, saving, loading

    def overfull_ms(self, newest_ms: int) -> int | None:
        """Never: sums take the same room however many events they add up."""
        return None

    def evict(self, closed_ms: int) -> None:
        """Forgets what is older than any window."""
        pages = self._named.panes.evict(closed_ms - KEPT_MS)
        self._gone += [self._named.key(b"h", hour, slot) for slot, hour in pages]
        if pages:
            self._named.forget({slot for slot, _ in pages} - self._named.panes.slots())
        oldest = (closed_ms - KEPT_MS) // HOUR_MS
        for name in [name for name, hours in self._carried.items() if min(hours) < oldest]:
            hours = {hour: channels for hour, channels in self._carried[name].items() if hour >= oldest}
            self._dirty.add(name)
            if hours:
                self._carried[name] = hours
            else:
                del self._carried[name]

    def oldest_offset(self) -> int | None:
        """Nothing is rebuilt from the log."""
        return None

    def changed(self) -> Iterator[tuple[bytes, bytes | None]]:
        """A record per product and hour, and one per product with the channels that carry it."""
        gone, self._gone = self._gone, []
        records: dict[bytes, bytes | None] = dict.fromkeys(gone)
        for slot, hour, page in self._named.panes.changed():
            records[self._named.key(b"h", hour, slot)] = page
        for name in sorted(self._dirty):
            hours = self._carried.get(name)
            value = (
                msgspec.msgpack.encode(
                    {hour: dict(sorted(channels.items())) for hour, channels in sorted(hours.items())}
                )
                if hours
                else None
            )
            records[b"c" + name.encode()] = value
        self._dirty.clear()
        yield from records.items()

    def load(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Takes back snapshot records."""
        pages: list[tuple[int, int, bytes]] = []
        for key, value in records:
            if key[:1] == b"c":
                self._carried[key[1:].decode()] = msgspec.msgpack.decode(value, type=Carried)
            else:
                _, hour, slot = self._named.read_key(key)
                pages.append((slot, hour, value))
        self._named.panes.load(pages)
