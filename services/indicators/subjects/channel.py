"""Channels: what happened on each, in panes of five minutes, and its complaints one by one."""

import struct
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

import numpy as np

from schemas.frames import FEED_OF_MEASURE, MEASURES, RAW_TOPIC_ORDER, AnyFrame, ChannelFrame, int32, int64, uint8
from schemas.topics import CHANNEL_EVENTS, COMPLAINT_EVENTS, CONVERSION_EVENTS
from services.indicators.readings.breakdown import break_down
from services.indicators.readings.tallies import MEASURES as TALLIED
from services.indicators.readings.tallies import OF_FRAME, Tallies
from services.indicators.standing import Admission, Ledger, Standing, fresh
from services.indicators.subjects.channel_view import CODE, TOPICS, ChannelView
from services.indicators.subjects.complaints import Complaint, Complaints
from services.indicators.subjects.feeds import Feeds, Silence
from services.indicators.subjects.store import Surroundings, Touched
from services.indicators.windows.panes import HOUR_MS, PANE_MS, Int64, Panes

PANES_KEPT_MS: Final = 9 * 24 * HOUR_MS
"""A week to compare with, the day after it, and a day to spare for late events."""
COMPLAINTS_KEPT_MS: Final = 3 * 24 * HOUR_MS
COMPLAINTS: Final = "complaints"
_ALWAYS: Final = -(2**62)
_TOPICS_BY_FEED: Final = [RAW_TOPIC_ORDER[topic] for topic in TOPICS]
_KEY: Final = struct.Struct(">ci")
_TOPICS_KEY: Final = _KEY.pack(b"t", 0)

_Earliest = dict[int, dict[str, int]]
"""By slot and input, the earliest pane that was touched."""


class ChannelStore:
    """The windows of all channels of one partition."""

    kind = "channel"
    pane_ms = PANE_MS
    feeds = frozenset(map(RAW_TOPIC_ORDER.index, (CHANNEL_EVENTS, COMPLAINT_EVENTS, CONVERSION_EVENTS)))
    rebuilt = False
    inputs = frozenset({COMPLAINTS, *MEASURES})

    def __init__(self) -> None:
        self._slots: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._free: list[int] = []
        self._panes = Panes([TOPICS.index(topic) for topic in FEED_OF_MEASURE])
        self._feeds = Feeds(self._panes)
        self._complaints: dict[int, Complaints] = defaultdict(Complaints)
        self._watched: set[str] = set()
        self._gone: list[bytes] = []
        self.tallies = Tallies()

    def __len__(self) -> int:
        return len(self._slots)

    def watch(self, floors: Mapping[str, int]) -> None:
        """Which inputs are judged at once."""
        self._watched = set(floors)

    def follow(self, subject: str, troubled: bool) -> None:
        """Every channel is judged with every event anyway."""

    def _slot(self, name: str) -> int:
        slot = self._slots.get(name)
        if slot is None:
            slot = self._free.pop() if self._free else len(self._slots)
            self._slots[name], self._names[slot] = slot, name
        return slot

    # -- folding

    def fold(self, offset: int, frame: AnyFrame, standing: Standing, ledger: Ledger | None) -> list[Touched]:
        """Adds the new events of a frame."""
        if not isinstance(frame, ChannelFrame):
            raise TypeError(f"a {type(frame).__name__} on the log of channels")
        admission = standing.admit(frame.slices, frame.offset)
        touched: _Earliest = {}
        if frame.offset:
            self._fold_rows(frame, admission, standing, ledger, touched)
        if frame.complaints:
            self._fold_complaints(frame, admission, standing, ledger, touched)
        return self._ends(touched) if touched else []

    def _fold_rows(
        self, frame: ChannelFrame, admission: Admission, standing: Standing, ledger: Ledger | None, touched: _Earliest
    ) -> None:
        at = int64(frame.at_ms)
        mask = admission.in_time(frame.slices, at, _oldest(standing, PANES_KEPT_MS), ledger)
        source = np.repeat(
            [self._panes.source(each.source) for each in frame.slices], [each.rows for each in frame.slices]
        )
        if frame.parted:
            break_down(frame, mask, self.tallies)
        local, measure = int32(frame.channel), uint8(frame.measure)
        amount, offset = int64(frame.amount), int64(frame.offset)
        if mask is not None:
            if not mask.any():
                return
            at, amount, offset, source = at[mask], amount[mask], offset[mask], source[mask]
            local, measure = local[mask], measure[mask]
        slot = self._slots_of(frame.channels, local, partial=mask is not None)
        standing.newest_ms = max(standing.newest_ms, int(at.max()))
        pane = at // PANE_MS
        self._panes.add(slot, pane, measure, amount, source, offset)
        if len(self._watched) > (COMPLAINTS in self._watched):
            self._note_measures(slot, pane, measure, touched)

    def _slots_of(self, names: list[str], local: np.ndarray, *, partial: bool) -> Int64:
        """The slot of each row; a channel of whose rows none is new gets none."""
        slots: list[int | None] = list(map(self._slots.get, names))
        if None in slots:
            used = set(local.tolist()) if partial else range(len(names))
            slots = [self._slot(name) if index in used else 0 for index, name in enumerate(names)]
        rows: Int64 = np.array(slots, np.int64)[local]
        return rows

    def _note_measures(self, slot: Int64, pane: Int64, measure: np.ndarray, touched: _Earliest) -> None:
        for name in self._watched - {COMPLAINTS}:
            rows = measure == CODE[name]
            for each, at in zip(slot[rows].tolist(), pane[rows].tolist(), strict=True):
                _note(touched, each, name, at)

    def _fold_complaints(
        self, frame: ChannelFrame, admission: Admission, standing: Standing, ledger: Ledger | None, touched: _Earliest
    ) -> None:
        oldest = _oldest(standing, COMPLAINTS_KEPT_MS)
        for source, row in fresh(frame.slices, frame.complaints, oldest, standing, ledger, admission):
            slot = self._slot(row.channel)
            who = row.account, row.ip, row.one_click
            complaint = Complaint(row.at_ms, source, row.offset, row.complaint_id, *who, product=row.product)
            pane = self._complaints[slot].add(complaint)
            if pane is not None and COMPLAINTS in self._watched:
                _note(touched, slot, COMPLAINTS, pane)

    def _ends(self, touched: _Earliest) -> list[Touched]:
        """From the earliest pane that was touched to the newest."""
        found = []
        for slot, by_input in touched.items():
            ends = {
                name: [(each + 1) * PANE_MS for each in self._panes_from(slot, name, pane)]
                for name, pane in by_input.items()
            }
            found.append(Touched(f"channel:{self._names[slot]}", ends))
        return sorted(found, key=lambda each: each.subject)

    def _panes_from(self, slot: int, name: str, pane: int) -> list[int]:
        if name == COMPLAINTS:
            return self._complaints[slot].panes_from(pane)
        return self._panes.heard_from(slot, pane)

    def everything(self, since_ms: int) -> list[Touched]:
        """The newest pane of each channel and input that ends after `since_ms`."""
        first = since_ms // PANE_MS
        found = []
        for slot, name in sorted(self._names.items(), key=lambda item: item[1]):
            ends = {name: self._panes_from(slot, name, first)[-1:] for name in sorted(self._watched)}
            ends = {name: [(each + 1) * PANE_MS for each in panes] for name, panes in ends.items() if panes}
            if ends:
                found.append(Touched(f"channel:{name}", ends))
        return found

    # -- looking

    def earliest_ms(self) -> int | None:
        """The start of the oldest pane there is."""
        panes = [pane * PANE_MS for each in self._complaints.values() for pane in each.panes_from(_ALWAYS)[:1]]
        hour = self._panes.earliest_ms()
        return min(panes + ([] if hour is None else [hour]), default=None)

    def standing_subjects(self, reads: Collection[str]) -> Iterable[str]:
        """All channels that have any of it: they are few, and ratios change without an event."""
        slots = self._panes.used([CODE[name] for name in reads if name != COMPLAINTS])
        if COMPLAINTS in reads:
            slots |= {slot for slot, complaints in self._complaints.items() if len(complaints)}
        return [f"channel:{self._names[slot]}" for slot in slots]

    def waiting(self, horizons: Mapping[str, int]) -> Iterable[str]:
        """None: a channel is judged at every close."""
        return ()

    def idle(self) -> bool:
        """Whether there is no channel."""
        return not self._slots

    def later(self, subject: str, end_ms: int) -> list[int]:
        """The ends of the channel's later panes in which anything happened."""
        slot, pane = self._slots.get(subject.removeprefix("channel:")), end_ms // PANE_MS
        if slot is None:
            return []
        panes = {*self._complaints[slot].panes_from(pane), *self._panes.heard_from(slot, pane)}
        return [(each + 1) * PANE_MS for each in sorted(panes)]

    def view(self, subject: str, around: Surroundings) -> ChannelView:
        """One channel to look at."""
        slot = self._slots.get(subject.removeprefix("channel:"), -1)
        return ChannelView(slot, self._panes, self._complaints.get(slot) or Complaints(), around)

    def touched_hours(self) -> set[int]:
        """The hours in which sums have changed since the last call."""
        touched, self._panes.touched = self._panes.touched, set()
        return touched

    def hour_sums(self, hour: int) -> Iterator[tuple[str, list[int]]]:
        """Each channel's sums of an hour, in the order of a tally's measures."""
        slots, totals = self._panes.hour(hour)
        rows = np.zeros((len(slots), len(TALLIED)), np.int64)
        rows[:, OF_FRAME] = totals
        return zip((self._names[slot] for slot in slots.tolist()), rows.tolist(), strict=True)

    def silences(self, end_ms: int, max_silence_ms: int) -> list[Silence]:
        """The feeds that are dead at the close of a pane; panes come in order."""
        self._feeds.close(end_ms)
        return self._feeds.dead(max_silence_ms, _TOPICS_BY_FEED, self._names)

    # -- forgetting, saving, loading

    def overfull_ms(self, newest_ms: int) -> int | None:
        """Never: sums take the same room however many events they add up."""
        return None

    def evict(self, closed_ms: int) -> None:
        """Forgets what is older than any window."""
        pages = self._panes.evict(closed_ms - PANES_KEPT_MS)
        self._gone += [self._key(b"h", hour, slot) for slot, hour in pages]
        emptied = {slot for slot, _ in pages}
        for slot, complaints in self._complaints.items():
            if panes := complaints.evict(closed_ms - COMPLAINTS_KEPT_MS):
                self._gone += [self._key(b"c", pane, slot) for pane in panes]
                emptied.add(slot)
        if emptied:
            self._forget(emptied - self._panes.slots())

    def _forget(self, slots: set[int]) -> None:
        for slot in sorted(slots):
            if not len(self._complaints.get(slot, ())):
                self._complaints.pop(slot, None)
                if self._feeds.forget(slot):
                    self._gone.append(self._key(b"f", 0, slot))
                del self._slots[self._names.pop(slot)]
                self._free.append(slot)

    def oldest_offset(self) -> int | None:
        """Nothing is rebuilt from the log."""
        return None

    def _key(self, kind: bytes, number: int, slot: int) -> bytes:
        return _KEY.pack(kind, number) + self._names[slot].encode()

    def changed(self) -> Iterator[tuple[bytes, bytes | None]]:
        """A record per channel and hour, one per channel and pane with complaints, one per channel's feeds."""
        gone, self._gone = self._gone, []
        records: dict[bytes, bytes | None] = dict.fromkeys(gone)
        for slot, hour, value in self._panes.changed():
            records[self._key(b"h", hour, slot)] = value
        for slot, complaints in self._complaints.items():
            for pane in sorted(complaints.dirty):
                records[self._key(b"c", pane, slot)] = complaints.record(pane)
            complaints.dirty.clear()
        for feeds, record in self._feeds.changed():
            records[_TOPICS_KEY if feeds is None else self._key(b"f", 0, feeds)] = record
        yield from records.items()

    def load(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Takes back snapshot records."""
        pages: list[tuple[int, int, bytes]] = []
        for key, value in records:
            kind, number = _KEY.unpack_from(key)
            if key == _TOPICS_KEY:
                self._feeds.load(None, value)
                continue
            slot = self._slot(key[_KEY.size :].decode())
            if kind == b"h":
                pages.append((slot, number, value))
            elif kind == b"f":
                self._feeds.load(slot, value)
            else:
                self._complaints[slot].load(value)
        self._panes.load(pages)


def _oldest(standing: Standing, kept_ms: int) -> int:
    """The oldest event time that is still taken: what has not been forgotten."""
    return _ALWAYS if standing.closed_ms is None else (standing.closed_ms - kept_ms) // HOUR_MS * HOUR_MS


def _note(touched: _Earliest, slot: int, name: str, pane: int) -> None:
    by_input = touched.setdefault(slot, {})
    by_input[name] = min(pane, by_input.get(name, pane))
