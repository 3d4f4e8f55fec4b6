"""What the rows of all subjects share: from which slices of which sources they come, and where they go."""

from collections import defaultdict
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from itertools import count, pairwise
from typing import Any, Final, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.frames import Slice
from schemas.rows import Row

R = TypeVar("R", bound=Row)

NONE: Final = -1
"""In an index column: there is none."""

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
class Part:
    """One source partition's slice; `rows` of the columns so far end with it."""

    source: int
    first: int
    next: int
    rows: int


@dataclass(slots=True)
class Columns:
    """Columns that every subject has."""

    parts: list[Part] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)

    def close(self, source: int, first: int, next_offset: int) -> None:
        """The rows since the last call belong to the offsets `[first, next_offset)` of this source."""
        self.parts.append(Part(source, first, next_offset, len(self.offsets)))

    def numbers(self) -> NDArray[np.int64]:
        """Offsets, times and counts, one a line."""
        return np.array((self.offsets, self.times, self.counts), dtype="<i8")


def by_home(homes: NDArray[np.uint16], partitions: int) -> list[NDArray[np.intp]]:
    """The indices that have each home, ascending."""
    if partitions == 1:
        return [np.arange(len(homes))]
    order = homes.argsort(kind="stable")
    cuts = homes[order].searchsorted(np.arange(partitions + 1, dtype=np.uint16)).tolist()
    return [order[begin:end] for begin, end in pairwise(cuts)]


def slices_of(
    parts: Sequence[Part], chosen: NDArray[np.intp], needed: Container[int] = ()
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


def placed(row: R, places: Sequence[int]) -> R:
    """The row with the index of its slice in the frame instead of that of its part."""
    return msgspec.structs.replace(row, slice=places[row.slice])


def renumbered(column: Int32, size: int) -> tuple[Int32, NDArray[np.bool_]]:
    """Indices into a table of `size` as indices into those of its entries that are used, and which are."""
    used = np.zeros(size + 1, dtype=np.bool_)  # one more, for NONE = -1
    used[column] = True
    number = used.cumsum(dtype="<i4") - np.int32(1)
    number[NONE] = NONE
    return number[column], used[:-1]
