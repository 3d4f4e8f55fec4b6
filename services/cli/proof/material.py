"""The raw records that evidence names, as ingest's own code makes frames of them."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from schemas.commands import Evidence, SourceRange
from schemas.frames import SubjectFrame
from services.ingest.frames.routing import Router, Rows
from services.ingest.reading.records import Records
from services.ingest.sources.quarantine import BadLimit
from services.ingest.sources.source import Source
from services.runtime.murmur import partition_of

_CONTENT: Final = b"content_"
_NEVER_PAUSED: Final = BadLimit(least=2**62)

Raw = tuple[str, int]
"""A raw topic and partition."""
Told = tuple[int, SubjectFrame]
"""Append time (ms) and frame."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What ingest makes of some records of one raw partition, by subject and partition of its frames; `offset` and
    `stamp_ms`, the append time, are those of the first record."""

    offset: int
    stamp_ms: int
    frames: list[tuple[str, int, SubjectFrame]]


class Stretch:
    """A stretch of one raw partition on its way through ingest, in pieces that no edge of a range runs through.

    first: from where on events count. What comes before is only remembered, so that a producer's duplicates are known.
    """

    def __init__(self, raw: Raw, first: int, edges: Iterable[int], router: Router, partitions: int) -> None:
        self._first = first
        self._source = Source(*raw, "wall", _NEVER_PAUSED, first)
        self._edges = sorted({first, *edges}, reverse=True)
        self._router = router
        self._partitions = partitions

    def take(self, records: Records, kinds: Collection[str]) -> Iterator[Piece]:
        """The pieces of the next records, with the frames of some kinds of subject."""
        if "content" in kinds:
            self._cut_at_content(records)
        while len(records):
            before = bisect_left(records.offsets, self._edges[-1]) if self._edges else len(records)
            if before:
                piece = self._piece(records.head(before), kinds)
                if piece.offset >= self._first:
                    yield piece
            if before < len(records):
                self._edges.pop()
            records = records.tail(before)

    def _cut_at_content(self, records: Records) -> None:
        """Each posting of content by itself, so that those of several partitions can be put in order."""
        found = [at for at, value in zip(records.offsets, records.values, strict=True) if _CONTENT in (value or b"")]
        self._edges = sorted({*self._edges, *found, *(at + 1 for at in found)}, reverse=True)

    def _piece(self, records: Records, kinds: Collection[str]) -> Piece:
        rows = Rows()
        self._source.take(records, self._router, rows, seal=lambda raw: "")
        frames = [each for each in rows.frames(self._partitions) if each[0] in kinds]
        return Piece(records.offsets[0], records.stamps[0], frames)


class Material:
    """The pieces that have been read, by raw partition; of each partition in the order of their offsets."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._pieces: dict[Raw, list[Piece]] = defaultdict(list)

    def add(self, raw: Raw, pieces: Iterable[Piece]) -> None:
        """Adds the next ones. Append times never fall within a partition, not even where its leader moved to another
        clock."""
        known = self._pieces[raw]
        for piece in pieces:
            if known and piece.stamp_ms < known[-1].stamp_ms:
                piece = replace(piece, stamp_ms=known[-1].stamp_ms)
            known.append(piece)

    def told(self, evidence: Evidence) -> list[Told]:
        """What the subject's machine was told of the ranges of the evidence."""
        kind, _, name = evidence.subject.partition(":")
        key = bytes.fromhex(name) if kind == "actor" else name.encode()
        home = partition_of(key, self._partitions)
        # The sort is stable, so the order of offsets stays.
        pieces = sorted((piece for each in evidence.sources for piece in self._within(each)), key=_appended)
        return [
            (piece.stamp_ms, frame) for piece in pieces for one, at, frame in piece.frames if (one, at) == (kind, home)
        ]

    def _within(self, wanted: SourceRange) -> list[Piece]:
        pieces = self._pieces[wanted.topic, wanted.partition]
        first, end = (bisect_left(pieces, at, key=lambda piece: piece.offset) for at in (wanted.from_, wanted.to))
        return pieces[first:end]


def _appended(piece: Piece) -> int:
    return piece.stamp_ms


def ranges_of(evidences: Iterable[Evidence]) -> Mapping[Raw, list[SourceRange]]:
    """The ranges to read, by raw partition."""
    found: dict[Raw, list[SourceRange]] = defaultdict(list)
    for evidence in evidences:
        for each in evidence.sources:
            found[each.topic, each.partition].append(each)
    return found


def joined(ranges: Iterable[SourceRange]) -> list[tuple[int, int, set[int]]]:
    """`(first, end, edges)` of each stretch that ranges of one partition make together where they meet or overlap."""
    stretches: list[tuple[int, int, set[int]]] = []
    for each in sorted(ranges, key=lambda one: one.from_):
        edges = {each.from_, each.to}
        if stretches and each.from_ <= stretches[-1][1]:
            first, end, known = stretches[-1]
            stretches[-1] = first, max(end, each.to), known | edges
        else:
            stretches.append((each.from_, each.to, edges))
    return stretches
