"""Panes of many subjects, added up in numpy: for each subject and hour a page of panes × measures.

A page also knows which feeds were heard in which pane, and from which offsets of which source its events came.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from services.indicators.windows.days import Span
from services.indicators.windows.sums import Sum, Sums

PANE_MS: Final = 300_000
PANES: Final = 12
"""Panes of a page; a page is an hour."""
HOUR_MS: Final = PANE_MS * PANES
_UNSET: Final = 2**63 - 1
_WIDTHS: Final = (("<u1", 1 << 8), ("<u2", 1 << 16), ("<u4", 1 << 32))

Int64 = NDArray[np.int64]


class PageRecord(msgspec.Struct, array_like=True):
    """A page in a snapshot: totals in the narrowest integers that hold them, heard as bits, and the offset ranges
    `(source, first, next)`."""

    totals: bytes
    heard: bytes
    ranges: list[tuple[int, int, int]]


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(PageRecord)


class Panes:
    """All pages of one kind of subject. A subject is a slot here, a small integer; an hour is counted from the epoch.

    `feeds` says for each measure which feed it comes from, an integer from 0.
    """

    def __init__(self, feeds: Sequence[int]) -> None:
        self.measures = len(feeds)
        self._feed_of = np.array(feeds, np.int64)
        self.feeds = max(feeds) + 1
        self._sources: dict[int, int] = {}
        self._hours: dict[int, Int64] = {}
        self._slots = 1
        self._at: list[tuple[int, int]] = [(-1, -1)]  # page 0 stands for "none" and stays empty
        self._free: list[int] = []
        self._totals = np.zeros((64, PANES, self.measures), np.int64)
        self._heard = np.zeros((64, self.feeds, PANES), np.bool_)
        self._dirty = np.zeros(64, np.bool_)
        self._used = np.zeros((1, self.measures), np.bool_)
        self._first = np.full((4, 64), _UNSET, np.int64)
        self._next = np.zeros((4, 64), np.int64)
        self._sums = Sums(self._part, PANES, (self.measures, self.feeds))
        self.touched: set[int] = set()
        """The hours that were added to; whoever reads it empties it."""

    def _grow(self) -> None:
        """Room for twice the pages."""
        self._totals, self._heard, self._dirty = map(_doubled, (self._totals, self._heard, self._dirty))
        self._first, self._next = _doubled(self._first.T, _UNSET).T.copy(), _doubled(self._next.T).T.copy()

    def source(self, source: int) -> int:
        """The index of a source, for `add`."""
        index = self._sources.get(source)
        if index is None:
            index = self._sources[source] = len(self._sources)
            if index == len(self._first):
                self._first, self._next = _doubled(self._first, _UNSET), _doubled(self._next)
        return index

    # -- folding

    def add(self, slot: Int64, pane: Int64, measure: Any, amount: Int64, source: Int64, offset: Int64) -> None:
        """Adds rows, columns of equal length: `pane` counted from the epoch, `source` as the index from `source`."""
        page = self._page_of(slot, pane)
        part = pane % PANES
        np.add.at(self._totals.reshape(-1), (page * PANES + part) * self.measures + measure, amount)
        self._heard.reshape(-1)[(page * self.feeds + self._feed_of[measure]) * PANES + part] = True
        self._dirty[page] = True
        self._used[slot, measure] = True
        cell = source * len(self._totals) + page
        np.minimum.at(self._first.reshape(-1), cell, offset)
        np.maximum.at(self._next.reshape(-1), cell, offset + 1)

    def _page_of(self, slot: Int64, pane: Int64) -> Int64:
        hour = pane // PANES
        lowest, highest = int(hour.min()), int(hour.max())
        if lowest == highest:
            return self._pages_in(lowest, slot)
        page = np.empty(len(slot), np.int64)
        for each in np.unique(hour).tolist():
            rows = hour == each
            page[rows] = self._pages_in(each, slot[rows])
        return page

    def _pages_in(self, hour: int, slot: Int64) -> Int64:
        """The pages of some slots in an hour, to add to."""
        self._sums.changed(hour)
        self.touched.add(hour)
        row = self._row(hour, int(slot.max()))
        page = row[slot]
        if not page.all():
            for missing in np.unique(slot[page == 0]).tolist():
                row[missing] = self._new_page(missing, hour)
            page = row[slot]
        return page

    def reserve(self, slots: int) -> None:
        """There are at least so many slots."""
        self._slots = max(self._slots, slots)
        while len(self._used) < self._slots:
            self._used = _doubled(self._used)

    def _row(self, hour: int, slot: int) -> Int64:
        """The page of each slot in an hour, 0 for none."""
        self.reserve(slot + 1)
        row = self._hours.get(hour)
        if row is None or len(row) <= slot:
            grown = np.zeros(2 ** self._slots.bit_length(), np.int64)
            if row is not None:
                grown[: len(row)] = row
            row = self._hours[hour] = grown
        return row

    def _new_page(self, slot: int, hour: int) -> int:
        if self._free:
            page = self._free.pop()
            self._at[page] = (slot, hour)
            return page
        if len(self._at) == len(self._totals):
            self._grow()
        self._at.append((slot, hour))
        return len(self._at) - 1

    # -- looking

    def _pages_over(self, slot: int, span: Span) -> Iterator[tuple[int, int, int]]:
        """`(page, first pane, end pane)` of each page that a span touches."""
        first, end = span.start // PANE_MS, -(-span.end // PANE_MS)
        for hour in range(first // PANES, -(-end // PANES)):
            row = self._hours.get(hour)
            page = 0 if row is None or not 0 <= slot < len(row) else int(row[slot])
            if page:
                yield page, max(first - hour * PANES, 0), min(end - hour * PANES, PANES)

    def _part(self, hour: int, first: int, end: int) -> Sum:
        """Some panes of an hour, of all slots."""
        pages = self._hours[hour]
        heard = np.logical_or.reduce(self._heard[pages, :, first:end], axis=2)
        return Sum(self._totals[pages, first:end].sum(1), heard)

    def _over(self, span: Span) -> Sum:
        """All panes of a span, of all slots."""
        known = self._sums.known.get(span)
        if known is None:
            first, end = span.start // PANE_MS, -(-span.end // PANE_MS)
            known = self._sums.add(span, first, end, self._hours, 2 ** self._slots.bit_length())
        return known

    def total(self, slot: int, measure: int, span: Span) -> int:
        """The sum of a measure over the panes of a span."""
        totals = self._over(span).totals
        return int(totals[slot, measure]) if 0 <= slot < len(totals) else 0

    def hour(self, hour: int) -> tuple[Int64, Int64]:
        """The slots that have a page in an hour, and their totals, slots × measures."""
        pages = self._pages_of(hour)
        slots = np.flatnonzero(pages)
        return slots, self._totals[pages[slots]].sum(1)

    def heard(self, slot: int, feed: int, span: Span) -> bool:
        """Whether any event of a feed fell into the span."""
        heard = self._over(span).heard
        return bool(heard[slot, feed]) if 0 <= slot < len(heard) else False

    def heard_in(self, pane: int) -> NDArray[np.bool_]:
        """Whether each feed was heard in a pane, slots × feeds."""
        return self._heard[self._pages_of(pane // PANES), :, pane % PANES]

    def newest(self, pane: int, hours: int) -> Int64:
        """The newest pane up to this one, within so many hours, in which each feed was heard; -1 for none."""
        found = np.full((self._slots, self.feeds), -1, np.int64)
        for hour in range(pane // PANES, pane // PANES - hours, -1):
            heard = self._heard[self._pages_of(hour), :, : pane + 1 - hour * PANES]
            last = heard.shape[-1] - 1 - heard[..., ::-1].argmax(-1)
            found = np.where((found < 0) & heard.any(-1), hour * PANES + last, found)
        return found

    def _pages_of(self, hour: int) -> Int64:
        """The page of every slot in an hour, 0 for none."""
        pages = np.zeros(self._slots, np.int64)
        row = self._hours.get(hour)
        if row is not None:
            pages[: len(row)] = row[: self._slots]
        return pages

    def heard_from(self, slot: int, pane: int) -> list[int]:
        """The panes from this one on in which any feed was heard, in order."""
        found: list[int] = []
        for hour in sorted(each for each in self._hours if each >= pane // PANES):
            row = self._hours[hour]
            page = int(row[slot]) if slot < len(row) else 0
            found += [hour * PANES + int(each) for each in np.flatnonzero(self._heard[page].any(0))]
        return [each for each in found if each >= pane]

    def earliest_ms(self) -> int | None:
        """The start of the first pane in which anything was heard."""
        if not self._hours:
            return None
        hour = min(self._hours)
        pages = self._hours[hour]
        first = int(np.flatnonzero(self._heard[pages].any((0, 1)))[0])
        return (hour * PANES + first) * PANE_MS

    def ranges(self, slot: int, span: Span) -> Iterator[tuple[int, int, int]]:
        """`(source, first, next)`: offsets between which the events of the span's hours lie."""
        for page, _, _ in self._pages_over(slot, span):
            yield from self._ranges(page)

    def _ranges(self, page: int) -> list[tuple[int, int, int]]:
        first, after = self._first[:, page].tolist(), self._next[:, page].tolist()
        return [(source, first[index], after[index]) for source, index in self._sources.items() if after[index]]

    def used(self, measures: Sequence[int]) -> set[int]:
        """The slots that have had any of these measures, as long as they have any page."""
        return set(np.flatnonzero(self._used[:, measures].any(1)).tolist())

    def slots(self) -> set[int]:
        """The slots that have any page."""
        return {slot for row in self._hours.values() for slot in np.flatnonzero(row).tolist()}

    # -- forgetting, saving, loading

    def evict(self, before_ms: int) -> list[tuple[int, int]]:
        """Forgets the hours that ended before; `(slot, hour)` of each page that went."""
        gone: list[tuple[int, int]] = []
        for hour in [each for each in self._hours if (each + 1) * HOUR_MS <= before_ms]:
            pages = self._hours.pop(hour)
            self._sums.changed(hour)
            pages = pages[pages > 0]
            gone += [self._at[page] for page in pages.tolist()]
            self._totals[pages], self._heard[pages], self._dirty[pages] = 0, False, False
            self._first[:, pages], self._next[:, pages] = _UNSET, 0
            self._free += pages.tolist()
        if gone:
            self._used[list({slot for slot, _ in gone} - self.slots())] = False
        return gone

    def changed(self) -> Iterator[tuple[int, int, bytes]]:
        """`(slot, hour, record)` of each page that changed since the last call."""
        pages = np.flatnonzero(self._dirty)
        if not len(pages):
            return
        self._dirty[:] = False
        largest = self._totals[pages].max(axis=(1, 2)).tolist()
        bits = np.packbits(self._heard[pages].reshape(len(pages), -1), axis=1)
        for index, page in enumerate(pages.tolist()):
            width = next((name for name, limit in _WIDTHS if largest[index] < limit), "<i8")
            totals = self._totals[page].astype(width).tobytes()
            record = PageRecord(totals, bits[index].tobytes(), self._ranges(page))
            yield *self._at[page], _ENCODER.encode(record)

    def load(self, records: Iterable[tuple[int, int, bytes]]) -> None:
        """Takes back what `changed` gave, on a fresh instance. All at once: a restart waits for this."""
        by_size: dict[int, tuple[list[int], list[bytes]]] = {}
        pages, heard = [], []
        for slot, hour, value in records:
            record = _DECODER.decode(value)
            page = self._new_page(slot, hour)
            self._row(hour, slot)[slot] = page
            self._sums.changed(hour)
            numbers, totals = by_size.setdefault(len(record.totals), ([], []))
            numbers.append(page)
            totals.append(record.totals)
            pages.append(page)
            heard.append(record.heard)
            for source, first, after in record.ranges:
                index = self.source(source)
                self._first[index, page], self._next[index, page] = first, after
        self._fill(by_size, pages, heard)

    def _fill(self, by_size: dict[int, tuple[list[int], list[bytes]]], pages: list[int], heard: list[bytes]) -> None:
        cells = PANES * self.measures
        for size, (numbers, totals) in by_size.items():
            width = {1: "<u1", 2: "<u2", 4: "<u4", 8: "<i8"}[size // cells]
            self._totals[numbers] = np.frombuffer(b"".join(totals), width).reshape(-1, PANES, self.measures)
        if pages:
            packed = np.frombuffer(b"".join(heard), np.uint8).reshape(len(pages), -1)
            flags = np.unpackbits(packed, axis=1, count=self.feeds * PANES)
            self._heard[pages] = flags.reshape(len(pages), self.feeds, PANES)
            slots = [self._at[page][0] for page in pages]
            np.logical_or.at(self._used, slots, self._totals[pages].any(1))


def _doubled(old: NDArray[Any], empty: int = 0) -> NDArray[Any]:
    """Twice the length along the first axis, the rest empty."""
    new = np.full((2 * len(old), *old.shape[1:]), empty, old.dtype)
    new[: len(old)] = old
    return new
