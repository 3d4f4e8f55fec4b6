"""Which orders have been seen: their ids, for as long as the log keeps them, in chunks that snapshots write whole.

A chunk holds the ids of up to 256 orders in the order of the log, so a snapshot rewrites one small record however
many orders there have been, and a month later the chunk goes as a whole.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

CHUNK: Final = 256
_FORMAT: Final = 1


@dataclass(slots=True)
class _Chunk:
    newest_ms: int = 0
    ids: list[str] = field(default_factory=list)


class SeenIds:
    """Ids with the append time of their order, forgotten `keep_ms` later (at the earliest)."""

    def __init__(self, keep_ms: int) -> None:
        self._keep_ms = keep_ms
        self._ids: set[str] = set()
        self._chunks: dict[int, _Chunk] = {}  # by rising number
        self._last = -1
        self._changed: set[int] = set()
        self.newest_ms = 0
        """The latest append time of any order."""

    def __contains__(self, id_: str) -> bool:
        return id_ in self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, id_: str, at_ms: int) -> None:
        """Remembers an id that is not known yet, and forgets the chunks that are past their time."""
        self._forget(at_ms - self._keep_ms)
        if self._last not in self._chunks or len(self._chunks[self._last].ids) >= CHUNK:
            self._last += 1
            self._chunks[self._last] = _Chunk()
        chunk = self._chunks[self._last]
        chunk.ids.append(id_)
        chunk.newest_ms = max(chunk.newest_ms, at_ms)
        self.newest_ms = max(self.newest_ms, at_ms)
        self._ids.add(id_)
        self._changed.add(self._last)

    def _forget(self, before_ms: int) -> None:
        # The last chunk stays, since the next one's number follows from it.
        while len(self._chunks) > 1:
            number = next(iter(self._chunks))
            if self._chunks[number].newest_ms >= before_ms:
                return
            self._ids.difference_update(self._chunks.pop(number).ids)
            self._changed.add(number)

    def changed(self) -> Iterator[tuple[str, bytes | None]]:
        """Snapshot records `(name, value)` since the last call; None for a chunk that is gone."""
        for number in sorted(self._changed):
            chunk = self._chunks.get(number)
            yield str(number), None if chunk is None else _encode(chunk)
        self._changed.clear()

    def load(self, records: Mapping[str, bytes]) -> None:
        """Takes over a snapshot's records, on a fresh instance. Raises ValueError for another format."""
        for name in sorted(records, key=int):
            stored = json.loads(records[name])
            if stored["format"] != _FORMAT:
                raise ValueError(f"seen ids in format {stored['format']}, this release reads {_FORMAT}")
            self._last = int(name)
            self._chunks[self._last] = _Chunk(stored["newest_ms"], stored["ids"])
            self._ids.update(stored["ids"])
            self.newest_ms = max(self.newest_ms, stored["newest_ms"])


def _encode(chunk: _Chunk) -> bytes:
    return json.dumps({"format": _FORMAT, "newest_ms": chunk.newest_ms, "ids": chunk.ids}).encode()
