"""Where a machine stands: what it has absorbed of each source, and what time it is. All of it comes from the log."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.frames import END_OF_SOURCE, Mark, Slice, int64
from schemas.rows import Row

CLOSE_AFTER_MS = 30_000
"""A pane closes this long after its end, by the clock of the marks."""


class Standing(msgspec.Struct):
    """A point of the log: `offset` is the next record, the rest is what the records before it have said.

    absorbed: by source, the next offset that has not been folded. reads: by source, the time up to which it has been
    read. clock_ms: None until every source of the roster has reported. closed_ms: the end of the newest closed pane.
    newest_ms: the newest event so far.
    """

    offset: int = 0
    absorbed: dict[int, int] = {}
    reads: dict[int, int] = {}
    clock_ms: int | None = None
    closed_ms: int | None = None
    newest_ms: int = -1

    def copy(self) -> "Standing":
        """One that may change on its own."""
        return msgspec.structs.replace(self, absorbed=dict(self.absorbed), reads=dict(self.reads))

    def hear(self, mark: Mark, told_ms: int, pane_ms: int, feeds: frozenset[int]) -> None:
        """Moves the clock: the largest time of each source, the smallest of all; it never goes back.

        told_ms: the mark's append time. No source can have been read further than that on the wall clock, whatever the
        clock of ingest's machine says. feeds: the raw topics, by number, whose sources count: one that this subject has
        no use for must not hold it up. An ended source drops out; when all have ended, the pane is over in which the
        last of them did.
        """
        for read in mark.read:
            ended = read.time_ms >= END_OF_SOURCE
            time = read.time_ms if ended or mark.clock == "events" else min(read.time_ms, told_ms)
            if time > self.reads.get(read.source, -1):
                self.reads[read.source] = time
        times = [self.reads.get(source) for source in mark.roster if source >> 16 in feeds]
        known = [time for time in times if time is not None]
        if not times or len(known) < len(times):
            return
        running = [time for time in known if time < END_OF_SOURCE]
        time = min(running) if running else self._end(max(known) - END_OF_SOURCE, pane_ms)
        self.clock_ms = max(time, self.clock_ms or 0)

    def _end(self, read_ms: int, pane_ms: int) -> int:
        return (max(self.newest_ms, read_ms) // pane_ms + 1) * pane_ms + CLOSE_AFTER_MS

    def last_closable(self, pane_ms: int) -> int | None:
        """The end of the newest pane that is over by the clock."""
        return None if self.clock_ms is None else (self.clock_ms - CLOSE_AFTER_MS) // pane_ms * pane_ms

    def admit(self, slices: Sequence[Slice], offset: bytes) -> "Admission":
        """Takes note of a frame's slices, and says which of its rows are new. Ingest repeats after a restart."""
        floors, repeated = [], False
        for each in slices:
            floor = self.absorbed.get(each.source, 0)
            floors.append(floor)
            if each.first < floor:
                repeated = True
            if each.next > floor:
                self.absorbed[each.source] = each.next
        if not repeated:
            return Admission(floors)
        return Admission(floors, int64(offset), [each.rows for each in slices])


class Admission:
    """Which events of a frame are new: by slice the first new offset, and for the rows a mask (None: all)."""

    __slots__ = ("_offsets", "floors", "rows")

    def __init__(self, floors: list[int], offsets: NDArray[np.int64] | None = None, counts: Sequence[int] = ()) -> None:
        """offsets: of the rows, if not all are new. counts: how many belong to each slice."""
        self.floors = floors
        self._offsets = offsets
        self.rows = None if offsets is None else offsets >= np.repeat(floors, counts)

    def in_time(
        self, slices: Sequence[Slice], at_ms: NDArray[np.int64], oldest_ms: int, ledger: "Ledger | None"
    ) -> NDArray[np.bool_] | None:
        """A mask of the rows that are new and not older than `oldest_ms` (None: all of them), counted in the ledger."""
        if self.rows is None and int(at_ms.min()) >= oldest_ms:
            if ledger is not None:
                for each in slices:
                    ledger.add(each.source, each.rows)
            return None
        new = np.ones(len(at_ms), np.bool_) if self.rows is None else self.rows
        kept = new & (at_ms >= oldest_ms)
        if ledger is not None:
            start = 0
            for each in slices:
                part = slice(start, start := start + each.rows)
                folded = int(np.count_nonzero(kept[part]))
                ledger.add(each.source, folded, int(np.count_nonzero(new[part])) - folded)
                if self._offsets is not None:
                    ledger.repeat(each.source, self._offsets[part][~new[part]])
        return kept


R = TypeVar("R", bound=Row)


def fresh(
    slices: Sequence[Slice],
    rows: Iterable[R],
    oldest_ms: int,
    standing: Standing,
    ledger: "Ledger | None",
    admission: Admission | None = None,
) -> Iterator[tuple[int, R]]:
    """`(source, row)` of the rows that are new and not older than `oldest_ms`, counted in the ledger.

    A frame that has columns besides its rows has been admitted already; of others its slices are taken note of here.
    """
    floors = (admission or standing.admit(slices, b"")).floors
    for row in rows:
        source, late = slices[row.slice].source, row.at_ms < oldest_ms
        if row.offset < floors[row.slice]:
            if ledger is not None:
                ledger.repeat(source, np.array([row.offset]))
            continue
        if ledger is not None:
            ledger.add(source, not late, late)
        if not late:
            standing.newest_ms = max(standing.newest_ms, row.at_ms)
            yield source, row


class Ledger:
    """By source, how many events were folded, and how many came too late, since ingest's books begin.

    After somebody has set ingest's offset back, ingest routes again what this machine has absorbed long ago. Such
    events are neither; they are `known`, once in a book: of what comes again after a restart of ingest, ingest counts
    only one.
    """

    def __init__(
        self, counts: Iterable[tuple[int, int, int]] = (), anew: Iterable[tuple[int, int, int, int]] = ()
    ) -> None:
        self._counts = {source: [folded, late] for source, folded, late in counts}
        self._anew = {source: _Anew(since_ms, reached, known) for source, since_ms, reached, known in anew}

    def add(self, source: int, folded: int, late: int = 0) -> None:
        """Counts events of one source."""
        counts = self._counts.setdefault(source, [0, 0])
        counts[0] += folded
        counts[1] += late

    def repeat(self, source: int, offsets: NDArray[np.int64]) -> None:
        """Counts events that have been absorbed already, where ingest has begun its books anew."""
        if (anew := self._anew.get(source)) is not None:
            anew.known += int(np.count_nonzero(offsets >= anew.reached))

    def reach(self, slices: Iterable[Slice]) -> None:
        """A frame has been counted."""
        for each in slices if self._anew else ():
            if (anew := self._anew.get(each.source)) is not None:
                anew.reached = max(anew.reached, each.next)

    def hear(self, mark: Mark) -> None:
        """Begins anew where ingest has. An ingest that has not heard yet that it is another's turn changes nothing."""
        for told in mark.anew:
            known = self._anew.get(told.source)
            if known is None or told.since_ms > known.since_ms:
                self._anew[told.source] = _Anew(told.since_ms, told.base, 0)
                self._counts.pop(told.source, None)

    def totals(self) -> tuple[int, int]:
        """Folded and too late, of all sources."""
        return sum(each[0] for each in self._counts.values()), sum(each[1] for each in self._counts.values())

    def rows(self) -> list[tuple[int, int, int]]:
        """`(source, folded, too late)`, sorted."""
        return [(source, folded, late) for source, (folded, late) in sorted(self._counts.items())]

    def anew(self) -> list[tuple[int, int, int, int]]:
        """`(source, since_ms, reached, known)` of the sources whose books were begun anew, sorted."""
        return [(source, each.since_ms, each.reached, each.known) for source, each in sorted(self._anew.items())]


@dataclass(slots=True)
class _Anew:
    """reached: the offset from which on nothing has been counted since."""

    since_ms: int
    reached: int
    known: int
