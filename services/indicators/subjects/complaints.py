"""The complaints of one channel, each by itself, and how many of them count."""

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from services.indicators.windows.days import Span
from services.indicators.windows.panes import PANE_MS

_TALLIES: Final = 4
"""Running counts kept per channel: today's, and what else was asked lately."""


class Complaint(NamedTuple):
    """One complaint; the smallest of those with one id counts.

    instead: of one that does not count, the source and offset of that which does.
    """

    at_ms: int
    source: int
    offset: int
    id: str
    account: bytes | None
    ip: bytes | None
    one_click: bool
    instead: tuple[int, int] | None = None
    product: str | None = None

    @property
    def anonymous(self) -> bool:
        """A one-click complaint without an account: cheap to send in numbers."""
        return self.one_click and self.account is None


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(list[Complaint])


class _People:
    """Complaints by person: at most `cap` of each count, and all of those by nobody known."""

    __slots__ = ("_by_person", "_cap", "counted")

    def __init__(self, cap: int) -> None:
        self._cap = cap
        self._by_person: dict[bytes, int] = {}
        self.counted = 0

    def add(self, person: bytes | None) -> None:
        if person is not None:
            number = self._by_person[person] = self._by_person.get(person, 0) + 1
            if number > self._cap:
                return
        self.counted += 1


class Tally:
    """How many complaints of a span count: the smaller of two sums, over accounts and over addresses, in each of
    which at most `cap` count per person. Does not depend on the order in which complaints are added."""

    def __init__(self, start_ms: int, cap: int) -> None:
        self.start_ms = start_ms
        self.end_ms = start_ms
        self.cap = cap
        self.opened = 0
        self.anonymous = 0
        self._accounts = _People(cap)
        self._ips = _People(cap)
        self._ips_of_named = _People(cap)

    def add(self, complaint: Complaint) -> None:
        """Counts one more."""
        self.opened += 1
        self._ips.add(complaint.ip)
        if complaint.anonymous:
            self.anonymous += 1
        else:
            self._accounts.add(complaint.account)
            self._ips_of_named.add(complaint.ip)

    def count(self, anonymous_limit: int) -> int:
        """How many count when anonymous ones make up at most so many."""
        by_account = self._accounts.counted + min(self.anonymous, anonymous_limit)
        named = self._ips_of_named.counted
        by_ip = named + min(self._ips.counted - named, anonymous_limit)
        return min(by_account, by_ip)


class Complaints:
    """The complaints of one channel, by pane. One `complaint_id` counts once, at its earliest opening."""

    def __init__(self) -> None:
        self._by_id: dict[str, Complaint] = {}
        self._by_pane: dict[int, set[Complaint]] = {}
        self._panes: list[int] = []
        self._tallies: dict[tuple[int, int], Tally] = {}
        self.dirty: set[int] = set()

    def __len__(self) -> int:
        """The panes with any."""
        return len(self._panes)

    def add(self, complaint: Complaint) -> int | None:
        """The pane that it fell into; None when it changes nothing."""
        known = self._by_id.get(complaint.id)
        if known is not None:
            if known <= complaint:
                self._put(complaint._replace(instead=known[1:3]))
                return None
            self._remove(known)
            self._put(known._replace(instead=complaint[1:3]))
        self._by_id[complaint.id] = complaint
        for tally in self._tallies.values():
            if tally.start_ms <= complaint.at_ms < tally.end_ms:
                tally.add(complaint)
        return self._put(complaint)

    def _put(self, complaint: Complaint) -> int:
        pane = complaint.at_ms // PANE_MS
        if pane not in self._by_pane:
            self._by_pane[pane] = set()
            insort(self._panes, pane)
        self._by_pane[pane].add(complaint)
        self.dirty.add(pane)
        return pane

    def _remove(self, complaint: Complaint) -> None:
        pane = complaint.at_ms // PANE_MS
        self._by_pane[pane].discard(complaint)
        if not self._by_pane[pane]:
            del self._by_pane[pane]
            self._panes.remove(pane)
        self.dirty.add(pane)
        self._tallies.clear()

    def events(self, span: Span) -> Iterator[tuple[int, int]]:
        """Source and offset of all that the count of a span rests on: of complaints that count, and of those because
        of which others do not."""
        for each in self._all_within(span):
            yield each[1:3]
            if each.instead is not None:
                counting = self._by_id.get(each.id)
                yield each.instead if counting is None else counting[1:3]

    def within(self, span: Span) -> Iterator[Complaint]:
        """Those of a span that count, in no particular order."""
        return (each for each in self._all_within(span) if each.instead is None)

    def _all_within(self, span: Span) -> Iterator[Complaint]:
        first, end = span.start // PANE_MS, -(-span.end // PANE_MS)
        for pane in self._panes[bisect_left(self._panes, first) : bisect_left(self._panes, end)]:
            if span.start <= pane * PANE_MS and (pane + 1) * PANE_MS <= span.end:
                yield from self._by_pane[pane]
            else:
                yield from (each for each in self._by_pane[pane] if span.start <= each.at_ms < span.end)

    def tally(self, span: Span, cap: int) -> Tally:
        """The count of a span; one that goes on from where an earlier one ended costs only what is new."""
        known = self._tallies.get((span.start, cap))
        if known is None or known.end_ms > span.end:
            known = Tally(span.start, cap)
            self._tallies.pop((span.start, cap), None)
            if len(self._tallies) >= _TALLIES:
                del self._tallies[next(iter(self._tallies))]
            self._tallies[span.start, cap] = known
        for complaint in self.within(Span(known.end_ms, span.end)):
            known.add(complaint)
        known.end_ms = span.end
        return known

    def panes_from(self, pane: int) -> list[int]:
        """The panes from this one on that have complaints which count, in order."""
        panes = self._panes[bisect_left(self._panes, pane) :]
        return [each for each in panes if any(one.instead is None for one in self._by_pane[each])]

    def evict(self, before_ms: int) -> list[int]:
        """Forgets the panes that ended before; which ones."""
        gone = self._panes[: bisect_left(self._panes, before_ms // PANE_MS)]
        del self._panes[: len(gone)]
        for pane in gone:
            for complaint in self._by_pane.pop(pane):
                if complaint.instead is None:
                    del self._by_id[complaint.id]
        if gone:
            self.dirty.difference_update(gone)
            self._tallies = {key: tally for key, tally in self._tallies.items() if key[0] >= before_ms}
        return gone

    def record(self, pane: int) -> bytes | None:
        """A pane in a snapshot; None when nothing is in it."""
        complaints = self._by_pane.get(pane)
        return _ENCODER.encode(sorted(complaints, key=_order)) if complaints else None

    def load(self, record: bytes) -> None:
        """Takes back what `record` gave."""
        for complaint in _DECODER.decode(record):
            self._put(complaint)
            if complaint.instead is None:
                self._by_id[complaint.id] = complaint
        self.dirty.clear()


def _order(complaint: Complaint) -> tuple[int, int, int]:
    return complaint[:3]
