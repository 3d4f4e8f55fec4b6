"""Rows of the subjects whose events are few and each a row of its own: complaints, content, mentions, readings."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, Generic

import numpy as np

from schemas.frames import FORMAT, BrandFrame, ComplaintFrame, ContentFrame, MarketFrame, RowFrame, Slice
from schemas.rows import CaseRow, ContentRow, MentionRow, ReadingRow
from services.ingest.frames.murmur import partition_of_name
from services.ingest.frames.parts import Part, R, placed, slices_of

BRAND: Final = "all"
"""All mentions are about one brand."""
_NO_COLUMNS: Final = np.empty(0, np.intp)


@dataclass(slots=True)
class RowList(Generic[R]):
    """The rows of one subject. home: the name whose partition a row belongs to."""

    frame: Callable[[int, list[Slice], list[R]], RowFrame]
    home: Callable[[R], str]
    parts: list[Part] = field(default_factory=list)
    rows: list[R] = field(default_factory=list)

    def close(self, source: int, first: int, next_offset: int) -> None:
        """The rows since the last call belong to the offsets `[first, next_offset)` of this source."""
        self.parts.append(Part(source, first, next_offset, 0))

    def frames(self, partitions: int) -> Iterator[tuple[int, RowFrame]]:
        """The frame of each partition that has any row, by partition."""
        by_home: dict[int, list[R]] = {}
        for row in self.rows:
            by_home.setdefault(partition_of_name(self.home(row), partitions), []).append(row)
        for partition, own in sorted(by_home.items()):
            slices, places = slices_of(self.parts, _NO_COLUMNS, {row.slice for row in own})
            yield partition, self.frame(FORMAT, slices, [placed(row, places) for row in own])


def cases() -> RowList[CaseRow]:
    """For frames.complaint."""
    return RowList(ComplaintFrame, lambda row: row.complaint_id)


def contents() -> RowList[ContentRow]:
    """For frames.content."""
    return RowList(ContentFrame, lambda row: row.content_id)


def mentions() -> RowList[MentionRow]:
    """For frames.brand."""
    return RowList(BrandFrame, lambda row: BRAND)


def readings() -> RowList[ReadingRow]:
    """For frames.market."""
    return RowList(MarketFrame, lambda row: row.series)
