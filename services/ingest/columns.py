"""From rows of several source partitions to one frame for each partition of a subject.

Rows are kept as they come and divided at the end, with numpy: a dozen operations on a whole poll instead of a few for
each event.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.frames import FORMAT, ActorFrame, ChannelFrame, ComplaintRow, Slice
from services.ingest.murmur import partition_of_name
from services.ingest.pseudonyms import PSEUDONYM_BYTES

NONE = -1
"""In an index column: there is none."""

Index = defaultdict[Any, int]
"""Numbers things in the order of their first appearance: `index[thing]`."""


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


def _slices(
    parts: Sequence[_Part], chosen: NDArray[np.intp], needed: Sequence[int] = ()
) -> tuple[list[Slice], list[int]]:
    """The slices that have any of the chosen rows (ascending) or are needed anyway, and where each part's slice is."""
    ends = np.searchsorted(chosen, [part.rows for part in parts]).tolist()
    slices: list[Slice] = []
    places = []
    before = 0
    for number, (part, end) in enumerate(zip(parts, ends, strict=True)):
        places.append(len(slices))
        if end > before or number in needed:
            slices.append(Slice(part.source, part.first, part.next, end - before))
        before = end
    return slices, places


def _renumbered(column: NDArray[np.int32], size: int) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """A column of indices into a table of `size` as indices into those of its entries that it uses, and which are."""
    used = np.zeros(size + 1, dtype=np.bool_)  # one more, for NONE = -1
    used[column] = True
    number = np.cumsum(used, dtype=np.int32) - np.int32(1)
    number[NONE] = NONE
    return number[column], used[:-1]


@dataclass(slots=True)
class _Rows:
    """Columns that every subject has."""

    parts: list[_Part] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    times: list[int] = field(default_factory=list)

    def close(self, source: int, first: int, next_offset: int) -> None:
        """The rows since the last call belong to the offsets `[first, next_offset)` of this source."""
        self.parts.append(_Part(source, first, next_offset, len(self.offsets)))


@dataclass(slots=True)
class ChannelRows(_Rows):
    """Rows for frames.channel: measures are indices into MEASURES; complaints, beside them, name their part."""

    names: Index = field(default_factory=new_index)
    channels: list[int] = field(default_factory=list)
    measures: bytearray = field(default_factory=bytearray)
    counts: list[int] = field(default_factory=list)
    complaints: list[ComplaintRow] = field(default_factory=list)

    def frames(self, partitions: int) -> Iterator[tuple[int, ChannelFrame]]:
        """The frame of each partition that has any row, by partition."""
        names = members(self.names)
        homes = np.array([partition_of_name(name, partitions) for name in names], dtype=np.int32)
        channels = np.array(self.channels, dtype=np.int32)
        offsets, times, counts = (np.array(each, dtype="<i8") for each in (self.offsets, self.times, self.counts))
        measures = np.frombuffer(self.measures, dtype=np.uint8)
        complaint_homes = [partition_of_name(each.channel, partitions) for each in self.complaints]
        for partition in range(partitions):
            chosen = np.flatnonzero(homes[channels] == partition)
            complaints = [
                each for each, home in zip(self.complaints, complaint_homes, strict=True) if home == partition
            ]
            if not chosen.size and not complaints:
                continue
            slices, places = _slices(self.parts, chosen, [each.slice for each in complaints])
            column, used = _renumbered(channels[chosen], len(names))
            yield (
                partition,
                ChannelFrame(
                    FORMAT,
                    slices,
                    [names[each] for each in np.flatnonzero(used).tolist()],
                    offsets[chosen].tobytes(),
                    times[chosen].tobytes(),
                    column.astype("<i4").tobytes(),
                    measures[chosen].tobytes(),
                    counts[chosen].tobytes(),
                    [_placed(each, places) for each in complaints],
                ),
            )


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
    """Rows for frames.actor. An actor is its pseudonym and its partition in two bytes (`pseudonyms.Actors`)."""

    known_actors: Index = field(default_factory=new_index)
    known_accounts: Index = field(default_factory=new_index)
    names: Index = field(default_factory=new_index)
    actors: list[int] = field(default_factory=list)
    accounts: list[int] = field(default_factory=list)
    channels: list[int] = field(default_factory=list)
    links: list[int] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)

    def frames(self, partitions: int) -> Iterator[tuple[int, ActorFrame]]:
        """The frame of each partition that has any row, by partition."""
        if not self.offsets:
            return
        table = np.frombuffer(b"".join(members(self.known_actors)), dtype=np.uint8).reshape(-1, PSEUDONYM_BYTES + 2)
        homes = table[:, PSEUDONYM_BYTES] | table[:, PSEUDONYM_BYTES + 1].astype(np.int32) << 8
        accounts = np.frombuffer(b"".join(members(self.known_accounts)), dtype=f"V{PSEUDONYM_BYTES}")
        names = members(self.names)
        actor, account, channel, link = (
            np.array(each, dtype=np.int32) for each in (self.actors, self.accounts, self.channels, self.links)
        )
        offsets, times, counts = (np.array(each, dtype="<i8") for each in (self.offsets, self.times, self.counts))
        for partition in range(partitions):
            chosen = np.flatnonzero(homes[actor] == partition)
            if not chosen.size:
                continue
            own_actor, used_actors = _renumbered(actor[chosen], len(table))
            own_account, used_accounts = _renumbered(account[chosen], len(accounts))
            own_names, used_names = _renumbered(np.concatenate([channel[chosen], link[chosen]]), len(names))
            yield (
                partition,
                ActorFrame(
                    FORMAT,
                    _slices(self.parts, chosen)[0],
                    table[used_actors, :PSEUDONYM_BYTES].tobytes(),
                    accounts[used_accounts].tobytes(),
                    [names[each] for each in np.flatnonzero(used_names).tolist()],
                    offsets[chosen].tobytes(),
                    times[chosen].tobytes(),
                    own_actor.astype("<i4").tobytes(),
                    own_account.astype("<i4").tobytes(),
                    own_names[: chosen.size].astype("<i4").tobytes(),
                    own_names[chosen.size :].astype("<i4").tobytes(),
                    counts[chosen].tobytes(),
                ),
            )
