"""Dead feeds: a raw topic on which a channel was always heard, and is not any more although time goes on.

A silence is measured in the feed's own time: by the panes in which it was heard a week before (a day before, until it
is a week old) and is not now. So a quiet night or weekend counts for nothing, a busy feed is missed within
`max_silence`, one that delivers once an hour after as many deliveries, and one with a few events a week never.

When in a pane fewer than half of the feeds of a topic that are usually heard then are heard, it is the topic that is
missed and none of them alone: the failure of whatever brings them all is one trouble and not two hundred.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from services.indicators.windows.panes import HOUR_MS, PANE_MS, Int64, Panes

_DAY: Final = 24 * HOUR_MS // PANE_MS
_WEEK: Final = 7 * _DAY
_FORGET_AFTER: Final = 9 * _DAY
"""As long as panes are kept: what has been silent for longer is expected no more."""
_LATE_HOURS: Final = 3
"""An event counts as a sign of life while it is from one of so many hours, the running one included."""
_LEAST: Final = 12
"""However short `max_silence` is: fewer missed panes than this may be chance."""


@dataclass(frozen=True, slots=True)
class Silence:
    """A topic that is missed: of one channel, or of most of `known` (None). `silent` of them were not heard since."""

    topic: str
    channel: str | None
    since_ms: int
    silent: int = 1
    known: int = 1

    @property
    def about(self) -> str:
        """What it is about, as troubles are named."""
        return f"dead_feed:{self.topic}" if self.channel is None else f"dead_feed:{self.topic}/{self.channel}"


class FeedRecord(msgspec.Struct, array_like=True):
    """In a snapshot, by feed: the first and the newest pane in which it was heard (-1: never), and how many panes it
    has been missed for."""

    first: list[int]
    newest: list[int]
    missed: list[int]


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(FeedRecord)


class Feeds:
    """The feeds of all slots of some panes, slots × feeds, and the topics as a whole."""

    def __init__(self, panes: Panes) -> None:
        self._panes = panes
        self._first, self._newest, self._missed, self._dirty = _empty(0, panes.feeds)
        self._topics = FeedRecord([-1] * panes.feeds, [-1] * panes.feeds, [0] * panes.feeds)
        self._topics_dirty = False

    def close(self, end_ms: int) -> None:
        """Takes note of the pane that ends here, as far as it is known now; panes come in order."""
        pane = end_ms // PANE_MS - 1
        newest = self._panes.newest(pane, _LATE_HOURS)
        self._grow(len(newest))
        heard = newest > self._newest
        self._first = np.where(self._first < 0, newest, self._first)
        self._newest = np.maximum(self._newest, newest)
        a_week_old = self._first <= pane - _WEEK
        usual = np.where(a_week_old, self._panes.heard_in(pane - _WEEK), self._panes.heard_in(pane - _DAY))
        enough = self._close_topics(pane, heard.sum(0), usual.sum(0))
        missed = usual & ~heard & enough
        over = self._newest < pane - _FORGET_AFTER
        self._dirty |= (heard | missed | (over & (self._newest >= 0))).any(1)
        self._missed = np.where(heard | over, 0, self._missed + missed)
        self._first[over] = self._newest[over] = -1
        self._expect_no_more()

    def _expect_no_more(self) -> None:
        """A topic that no channel is known to have any more is not missed."""
        missed = self._topics.missed
        for feed in np.flatnonzero((self._newest >= 0).sum(0) == 0).tolist():
            if missed[feed]:
                missed[feed], self._topics_dirty = 0, True

    def _close_topics(self, pane: int, heard: Int64, usual: Int64) -> NDArray[np.bool_]:
        """By feed, whether at least half of those that are usually heard were."""
        enough = 2 * heard >= usual
        topics = self._topics
        for feed in np.flatnonzero(~enough | (heard > 0)).tolist():
            if enough[feed]:
                topics.newest[feed], topics.missed[feed] = pane, 0
            else:
                topics.missed[feed] += 1
            self._topics_dirty = True
        return enough

    def dead(self, max_silence_ms: int, topics: Sequence[str], names: Mapping[int, str]) -> list[Silence]:
        """What is missed for too long now, sorted; `topics` by feed, `names` by slot."""
        longest = max(max_silence_ms // PANE_MS, _LEAST)
        found = [
            Silence(topics[feed], names[slot], (int(self._newest[slot, feed]) + 1) * PANE_MS)
            for slot, feed in zip(*map(np.ndarray.tolist, np.nonzero(self._missed >= longest)), strict=True)
        ]
        for feed, missed in enumerate(self._topics.missed):
            if missed >= longest:
                since = self._topics.newest[feed] + 1
                known = self._newest[:, feed] >= 0
                silent = known & (self._newest[:, feed] < since)
                found.append(Silence(topics[feed], None, since * PANE_MS, int(silent.sum()), int(known.sum())))
        return sorted(found, key=lambda each: each.about)

    def forget(self, slot: int) -> bool:
        """A slot is free for another channel; whether there may be a record of it."""
        if slot >= len(self._first):
            return False
        known = bool(self._dirty[slot]) or bool((self._first[slot] >= 0).any())
        self._first[slot] = self._newest[slot] = -1
        self._missed[slot], self._dirty[slot] = 0, False
        return known

    def _grow(self, slots: int) -> None:
        more = slots - len(self._first)
        if more > 0:
            first, newest, missed, dirty = _empty(more, self._panes.feeds)
            self._first, self._newest = np.vstack((self._first, first)), np.vstack((self._newest, newest))
            self._missed, self._dirty = np.vstack((self._missed, missed)), np.concatenate((self._dirty, dirty))

    # -- snapshots

    def changed(self) -> Iterator[tuple[int | None, bytes | None]]:
        """`(slot, record)` of each slot that changed since the last call, and of the topics (None)."""
        for slot in np.flatnonzero(self._dirty).tolist():
            known = (self._first[slot] >= 0).any()
            rows = (each[slot].tolist() for each in (self._first, self._newest, self._missed))
            yield slot, _ENCODER.encode(FeedRecord(*rows)) if known else None
        self._dirty[:] = False
        if self._topics_dirty:
            self._topics_dirty = False
            yield None, _ENCODER.encode(self._topics)

    def load(self, slot: int | None, value: bytes) -> None:
        """Takes back one record."""
        record = _DECODER.decode(value)
        if slot is None:
            self._topics = record
            return
        self._panes.reserve(slot + 1)
        self._grow(slot + 1)
        self._first[slot], self._newest[slot], self._missed[slot] = record.first, record.newest, record.missed


def _empty(slots: int, feeds: int) -> tuple[Int64, Int64, Int64, NDArray[np.bool_]]:
    """First, newest, missed and dirty of slots that were never heard."""
    never = np.full((slots, feeds), -1, np.int64)
    return never, never.copy(), np.zeros((slots, feeds), np.int64), np.zeros(slots, np.bool_)
