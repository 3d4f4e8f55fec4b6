"""Names by the minute of a moment that each has: by the hundred thousand, and cheap to ask for those of a stretch."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from typing import Final

MINUTE_MS: Final = 60_000


class Minutes:
    """A name may be added at several moments; whoever adds it also removes it."""

    def __init__(self) -> None:
        self._names: dict[int, dict[str, int]] = {}
        self._order: list[int] = []

    def add(self, name: str, at_ms: int) -> None:
        """Adds a name."""
        minute = at_ms // MINUTE_MS
        names = self._names.get(minute)
        if names is None:
            names = self._names[minute] = {}
            insort(self._order, minute)
        names[name] = at_ms

    def remove(self, name: str, at_ms: int) -> None:
        """Takes a name away that was added at this moment."""
        minute = at_ms // MINUTE_MS
        names = self._names[minute]
        del names[name]
        if not names:
            del self._names[minute]
            del self._order[bisect_left(self._order, minute)]

    def between(self, after_ms: int, until_ms: int) -> Iterator[str]:
        """The names with a moment after the first and not after the second."""
        first = bisect_left(self._order, after_ms // MINUTE_MS)
        end = bisect_right(self._order, until_ms // MINUTE_MS)
        for minute in self._order[first:end]:
            for name, at_ms in self._names[minute].items():
                if after_ms < at_ms <= until_ms:
                    yield name

    def pop_before(self, before_ms: int) -> list[str]:
        """Takes away the names of all minutes that lie before."""
        end = bisect_left(self._order, before_ms // MINUTE_MS)
        gone, self._order = self._order[:end], self._order[end:]
        return [name for minute in gone for name in self._names.pop(minute)]

    def earliest_ms(self) -> int | None:
        """The beginning of the first minute that has any."""
        return self._order[0] * MINUTE_MS if self._order else None
