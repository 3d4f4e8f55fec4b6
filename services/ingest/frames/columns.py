"""From rows of several source partitions to one frame for each partition of a subject.

Rows are kept as they come and sorted by partition once, with numpy: some dozen operations on a whole poll instead of a
few for each event.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from schemas.frames import FORMAT, ActorFrame, ChannelFrame
from schemas.rows import ComplaintRow, FloodRow
from services.ingest.frames.breakdown import Breakdown
from services.ingest.frames.murmur import partition_of_name, partitions_of
from services.ingest.frames.parts import (
    NONE,
    Columns,
    Index,
    Int32,
    by_home,
    members,
    new_index,
    placed,
    renumbered,
    slices_of,
)
from services.ingest.frames.pseudonyms import PSEUDONYM_BYTES
from services.runtime.murmur import partition_of

_NOBODY: Final = bytes(PSEUDONYM_BYTES)


@dataclass(slots=True)
class ChannelRows(Columns):
    """Rows for frames.channel: measures are indices into MEASURES; complaints, beside them, name their part."""

    names: Index = field(default_factory=new_index)
    channels: list[int] = field(default_factory=list)
    measures: bytearray = field(default_factory=bytearray)
    complaints: list[ComplaintRow] = field(default_factory=list)
    breakdown: Breakdown = field(default_factory=Breakdown)

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
        complaints, more = self._complaints(partitions), self.breakdown.numbers()
        for partition, chosen in enumerate(by_home(np.array(homes, dtype=np.uint16)[channels], partitions)):
            own = complaints[partition]
            if not len(chosen) and not own:
                continue
            slices, slice_places = slices_of(self.parts, chosen, [each.slice for each in own])
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
                    [placed(each, slice_places) for each in own],
                    *self.breakdown.of_rows(chosen, more),
                ),
            )

    def _complaints(self, partitions: int) -> list[list[ComplaintRow]]:
        found: list[list[ComplaintRow]] = [[] for _ in range(partitions)]
        for each in self.complaints:
            found[partition_of_name(each.channel, partitions)].append(each)
        return found


@dataclass(slots=True)
class ActorRows(Columns):
    """Rows for frames.actor. Actors and accounts are pseudonyms; complaints, beside the clicks, name their part."""

    known_actors: Index = field(default_factory=new_index)
    names: Index = field(default_factory=new_index)
    actors: list[int] = field(default_factory=list)
    accounts: list[bytes | None] = field(default_factory=list)
    channels: list[int] = field(default_factory=list)
    links: list[int] = field(default_factory=list)
    complaints: list[FloodRow] = field(default_factory=list)

    def frames(self, partitions: int) -> Iterator[tuple[int, ActorFrame]]:
        """The frame of each partition that has any row, by partition."""
        if not self.offsets and not self.complaints:
            return
        table = np.frombuffer(b"".join(members(self.known_actors)), dtype="<u4").reshape(-1, PSEUDONYM_BYTES // 4)
        homes = partitions_of(table, partitions)
        places = np.empty(len(table), dtype="<i4")
        those = by_home(homes, partitions)
        for each in those:
            places[each] = np.arange(len(each), dtype="<i4")
        actors = np.array(self.actors, dtype=np.intp)
        local = places[actors]
        numbers = self.numbers()
        refs = np.array((self.channels, self.links), dtype=np.int32)
        names = members(self.names)
        complaints = self._complaints(partitions)
        for partition, chosen in enumerate(by_home(homes[actors], partitions)):
            own = complaints[partition]
            if not len(chosen) and not own:
                continue
            slices, slice_places = slices_of(self.parts, chosen, {each.slice for each in own})
            accounts, account = _accounts([self.accounts[each] for each in chosen.tolist()])
            ref, used = renumbered(refs[:, chosen], len(names))
            offset, at_ms, counts = numbers[:, chosen]
            yield (
                partition,
                ActorFrame(
                    FORMAT,
                    slices,
                    table[those[partition]].tobytes(),
                    accounts,
                    [names[each] for each in used.nonzero()[0].tolist()],
                    offset.tobytes(),
                    at_ms.tobytes(),
                    local[chosen].tobytes(),
                    account.tobytes(),
                    ref[0].tobytes(),
                    ref[1].tobytes(),
                    counts.tobytes(),
                    [placed(each, slice_places) for each in own],
                ),
            )

    def _complaints(self, partitions: int) -> list[list[FloodRow]]:
        found: list[list[FloodRow]] = [[] for _ in range(partitions)]
        for each in self.complaints:
            found[partition_of(each.ip, partitions)].append(each)
        return found


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
