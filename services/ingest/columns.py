"""From rows of several source partitions to one frame for each partition of a subject.

Rows are kept as they come and sorted by partition once, with numpy: some dozen operations on a whole poll instead of a
few for each event.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from schemas.frames import FORMAT, ActorFrame, ChannelFrame, ComplaintRow, Slice
from services.ingest.murmur import partition_of_name, partitions_of
from services.ingest.pseudonyms import PSEUDONYM_BYTES

NONE: Final = -1
"""In an index column: there is none."""
_NOBODY: Final = bytes(PSEUDONYM_BYTES)

Index = defaultdict[Any, int]
"""Numbers things in the order of their first appearance: `index[thing]`."""
Int32 = NDArray[np.int32]


def new_index() -> Index:
    """An empty index, in which None has the number NONE."""
    index: Index = defaultdict(count().__next__)
    index[None] = NONE
    return index


def members(index: Index) -> list[Any]:
    """What an index holds, by number."""
    return list(index)[1:]


@dataclass(slots=True)
class _Part:
    """One source partition's slice; `rows` of the columns so far end with it."""

    source: int
    first: int
    next: int
    rows: int


@dataclass(slots=True)
class _Rows:
    """Columns that every subject has."""

    parts: list[_Part] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)

    def close(self, source: int, first: int, next_offset: int) -> None:
        """The rows since the last call belong to the offsets `[first, next_offset)` of this source."""
        self.parts.append(_Part(source, first, next_offset, len(self.offsets)))

    def numbers(self) -> NDArray[np.int64]:
        """Offsets, times and counts, one a line."""
        return np.array((self.offsets, self.times, self.counts), dtype="<i8")


def _by_home(homes: NDArray[np.uint16], partitions: int) -> list[NDArray[np.intp]]:
    """The indices that have each home, ascending."""
    if partitions == 1:
        return [np.arange(len(homes))]
    order = homes.argsort(kind="stable")
    cuts = homes[order].searchsorted(np.arange(partitions + 1, dtype=np.uint16)).tolist()
    return [order[begin:end] for begin, end in pairwise(cuts)]


def _slices(
    parts: Sequence[_Part], chosen: NDArray[np.intp], needed: Sequence[int] = ()
) -> tuple[list[Slice], list[int]]:
    """The slices that have any of the chosen rows (ascending) or are needed anyway, and where each part's slice is."""
    ends = chosen.searchsorted([part.rows for part in parts]).tolist()
    slices: list[Slice] = []
    places = []
    before = 0
    for number, (part, end) in enumerate(zip(parts, ends, strict=True)):
        places.append(len(slices))
        if end > before or number in needed:
            slices.append(Slice(part.source, part.first, part.next, end - before))
        before = end
    return slices, places


@dataclass(slots=True)
class ChannelRows(_Rows):
    """Rows for frames.channel: measures are indices into MEASURES; complaints, beside them, name their part."""

    names: Index = field(default_factory=new_index)
    channels: list[int] = field(default_factory=list)
    measures: bytearray = field(default_factory=bytearray)
    complaints: list[ComplaintRow] = field(default_factory=list)

    def frames(self, partitions: int) -> Iterator[tuple[int, ChannelFrame]]:
        """The frame of each partition that has any row, by partition."""
        if not self.offsets and not self.complaints:
            return
        tables: list[list[str]] = [[] for _ in range(partitions)]
        homes, places = [], []
        for name in members(self.names):
            home = partition_of_name(name, partitions)
            homes.append(home)
            places.append(len(tables[home]))
            tables[home].append(name)
        channels = np.array(self.channels, dtype=np.intp)
        local = np.array(places, dtype="<i4")[channels]
        numbers = self.numbers()
        measures = np.frombuffer(self.measures, dtype=np.uint8)
        complaints = self._complaints(partitions)
        for partition, chosen in enumerate(_by_home(np.array(homes, dtype=np.uint16)[channels], partitions)):
            own = complaints[partition]
            if not len(chosen) and not own:
                continue
            slices, slice_places = _slices(self.parts, chosen, [each.slice for each in own])
            offset, at_ms, amount = numbers[:, chosen]
            yield (
                partition,
                ChannelFrame(
                    FORMAT,
                    slices,
                    tables[partition],
                    offset.tobytes(),
                    at_ms.tobytes(),
                    local[chosen].tobytes(),
                    measures[chosen].tobytes(),
                    amount.tobytes(),
                    [_placed(each, slice_places) for each in own],
                ),
            )

    def _complaints(self, partitions: int) -> list[list[ComplaintRow]]:
        by_home: list[list[ComplaintRow]] = [[] for _ in range(partitions)]
        for each in self.complaints:
            by_home[partition_of_name(each.channel, partitions)].append(each)
        return by_home


def _placed(row: ComplaintRow, places: Sequence[int]) -> ComplaintRow:
    """The row with the index of its slice in the frame instead of that of its part."""
    return ComplaintRow(
        places[row.slice],
        row.offset,
        row.at_ms,
        row.channel,
        row.complaint_id,
        row.account,
        row.ip,
        row.one_click,
    )


@dataclass(slots=True)
class ActorRows(_Rows):
    """Rows for frames.actor. Actors and accounts are pseudonyms."""

    known_actors: Index = field(default_factory=new_index)
    names: Index = field(default_factory=new_index)
    actors: list[int] = field(default_factory=list)
    accounts: list[bytes | None] = field(default_factory=list)
    channels: list[int] = field(default_factory=list)
    links: list[int] = field(default_factory=list)

    def frames(self, partitions: int) -> Iterator[tuple[int, ActorFrame]]:
        """The frame of each partition that has any row, by partition."""
        if not self.offsets:
            return
        table = np.frombuffer(b"".join(members(self.known_actors)), dtype="<u4").reshape(-1, PSEUDONYM_BYTES // 4)
        homes = partitions_of(table, partitions)
        places = np.empty(len(table), dtype="<i4")
        by_home = _by_home(homes, partitions)
        for those in by_home:
            places[those] = np.arange(len(those), dtype="<i4")
        actors = np.array(self.actors, dtype=np.intp)
        local = places[actors]
        numbers = self.numbers()
        refs = np.array((self.channels, self.links), dtype=np.int32)
        names = members(self.names)
        for partition, chosen in enumerate(_by_home(homes[actors], partitions)):
            if not len(chosen):
                continue
            accounts, account = _accounts([self.accounts[each] for each in chosen.tolist()])
            ref, used = _renumbered(refs[:, chosen], len(names))
            offset, at_ms, counts = numbers[:, chosen]
            yield (
                partition,
                ActorFrame(
                    FORMAT,
                    _slices(self.parts, chosen)[0],
                    table[by_home[partition]].tobytes(),
                    accounts,
                    [names[each] for each in used.nonzero()[0].tolist()],
                    offset.tobytes(),
                    at_ms.tobytes(),
                    local[chosen].tobytes(),
                    account.tobytes(),
                    ref[0].tobytes(),
                    ref[1].tobytes(),
                    counts.tobytes(),
                ),
            )


def _accounts(wanted: list[bytes | None]) -> tuple[bytes, Int32]:
    """The table of the accounts of some rows, and each row's index into it: an account is hardly ever in two rows."""
    own = np.arange(len(wanted), dtype="<i4")
    if None not in wanted:
        return b"".join(wanted), own  # type: ignore[arg-type]
    missing = [each is None for each in wanted]
    if all(missing):
        return b"", np.full(len(wanted), NONE, dtype="<i4")
    own[missing] = NONE
    return b"".join(each or _NOBODY for each in wanted), own


def _renumbered(column: Int32, size: int) -> tuple[Int32, NDArray[np.bool_]]:
    """Indices into a table of `size` as indices into those of its entries that are used, and which are."""
    used = np.zeros(size + 1, dtype=np.bool_)  # one more, for NONE = -1
    used[column] = True
    number = used.cumsum(dtype="<i4") - np.int32(1)
    number[NONE] = NONE
    return number[column], used[:-1]
