"""The files of an archive. Each is complete, is never written again, and says by its name what it holds, so the files
are all that is needed to know how far the archive goes:

    channel-events/day=2026-11-23/0-15000-27311.parquet    partition 0, offsets from 15000 until before 27311
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby, pairwise
from pathlib import PurePosixPath
from typing import Final

from schemas.base import from_ms
from schemas.topics import DAY_MS
from services.ingest.reading.records import Records

_PATH: Final = re.compile(r"([a-z-]+)/day=(\d{4}-\d\d-\d\d)/(\d+)-(\d+)-(\d+)\.parquet")

OTHER_SYSTEM: Final = "the archive goes up to {}, the topic to {}: is it that of another system?"


class ArchiveError(ValueError):
    """An archive that cannot be written or read; the message says why."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One file: the offsets `[first, next)` of a source partition, all appended on one day (UTC)."""

    topic: str
    day: date
    partition: int
    first: int
    next: int

    @property
    def path(self) -> str:
        """Below the archive's folder."""
        return f"{self.topic}/day={self.day}/{self.partition}-{self.first}-{self.next}.parquet"


def piece_of(path: PurePosixPath) -> Piece:
    """The piece of a path below the archive's folder. Raises ArchiveError."""
    match = _PATH.fullmatch(str(path))
    if match is None:
        raise ArchiveError(f"{path} is no file of an archive")
    topic, day, *numbers = match.groups()
    return Piece(topic, date.fromisoformat(day), *map(int, numbers))


class Pieces:
    """What an archive holds, by topic and partition in the order of offsets (`by_source`). Raises ArchiveError where
    two overlap."""

    def __init__(self, found: Iterable[Piece]) -> None:
        self.by_source: dict[tuple[str, int], list[Piece]] = {}
        for piece in sorted(found, key=lambda each: each.first):
            self.by_source.setdefault((piece.topic, piece.partition), []).append(piece)
        for one, other in self._neighbours():
            if other.first < one.next:
                raise ArchiveError(f"{one.path} and {other.path} hold the same offsets")

    def of(self, topic: str, partition: int) -> list[Piece]:
        """Those of one source partition."""
        return self.by_source.get((topic, partition), [])

    def partitions(self, topic: str) -> list[int]:
        """The partitions of a topic."""
        return sorted(partition for each, partition in self.by_source if each == topic)

    def position(self, topic: str, partition: int) -> int | None:
        """Where the archive of a source partition ends; None if nothing of it was ever archived."""
        known = self.of(topic, partition)
        return known[-1].next if known else None

    def gaps(self) -> list[tuple[Piece, Piece]]:
        """Neighbours with offsets between them that were gone before they could be archived."""
        return [(one, other) for one, other in self._neighbours() if one.next < other.first]

    def _neighbours(self) -> Iterator[tuple[Piece, Piece]]:
        for pieces in self.by_source.values():
            yield from pairwise(pieces)


def day_of(stamp_ms: int) -> date:
    """The day of an append time, in UTC: it stays what it is when a policy moves to another time zone."""
    return from_ms(stamp_ms).date()


def by_day(records: Records) -> Iterator[tuple[date, Records]]:
    """The records, cut where the day of their append times changes."""
    days = [stamp // DAY_MS for stamp in records.stamps]
    for _, same in groupby(days):
        count = sum(1 for _ in same)
        yield day_of(records.stamps[0]), records.head(count)
        records = records.tail(count)
