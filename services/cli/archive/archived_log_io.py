"""The raw topics as an archive has them, between two times and in the order in which records were appended."""

import heapq
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path

from schemas.topics import RAW_TOPICS
from services.cli.archive.pieces import Piece, day_of
from services.cli.archive.rows import Restoring
from services.cli.backtest.pipeline import RawRecord
from services.cli.backtest.reach import Reach


class ArchivedLog:
    """What was appended from `start_ms` until before `end_ms`. Raises ArchiveError.

    total: about how many records that is, for a progress bar. gaps: between which offsets some were never archived,
    as `topic/partition first-next (day – day)`. positions: up to which offset it goes, by source partition. The events
    carry pseudonyms, see `naming.router`.
    """

    def __init__(self, folder: Path, start_ms: int, end_ms: int) -> None:
        from services.cli.archive import parquet_io

        self._read = parquet_io.read
        self._folder = folder
        self._span = start_ms, end_ms
        found = parquet_io.pieces_in(folder)
        self._chosen = {
            (topic, partition): [piece for piece in found.of(topic, partition) if self._touches(piece)]
            for topic in RAW_TOPICS
            for partition in found.partitions(topic)
        }
        self.positions = {at: pieces[-1].next for at, pieces in found.by_source.items()}
        self.reach = Reach("archive")
        chosen = [piece for pieces in self._chosen.values() for piece in pieces]
        self.total = sum(piece.next - piece.first for piece in chosen)
        self.gaps = [
            f"{one.topic}/{one.partition} {one.next}-{other.first} ({one.day} – {other.day})"
            for one, other in found.gaps()
            if self._touches(one) or self._touches(other)
        ]

    def _touches(self, piece: Piece) -> bool:
        start_ms, end_ms = self._span
        return day_of(start_ms) <= piece.day <= day_of(end_ms)

    def records(self) -> Iterator[RawRecord]:
        """All of them, partitions merged; of two with the same stamp, as a cluster's log would be read."""
        return heapq.merge(*self.sources().values(), key=attrgetter("stamp_ms"))

    def sources(self) -> dict[tuple[str, int], Iterator[RawRecord]]:
        """The same, each source partition by itself."""
        return {(topic, partition): self._source(topic, pieces) for (topic, partition), pieces in self._chosen.items()}

    def _source(self, topic: str, pieces: list[Piece]) -> Iterator[RawRecord]:
        """Stamps never fall within a partition, not even where its leader moved to another clock."""
        restore = Restoring(topic).record
        (start_ms, end_ms), reached = self._span, 0
        for piece in pieces:
            for row in self._read(self._folder, piece):
                row["appended_at"] = reached = max(reached, row["appended_at"])
                if start_ms <= reached < end_ms:
                    self.reach.saw(reached)
                    yield restore(row)
