"""The dead letters that were read: which record was rejected, why, and how many like it. Pure and bounded.

What was in the record stays sealed: it is not even kept here, and the console has no key for it.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from schemas.dead_letters import DeadLetter, Problem

CAPACITY: Final = 5_000
"""So many of the newest are kept; `counts` goes on counting."""
MAX_REASONS: Final = 500
OTHERS: Final = Problem(field="", problem="…")

Place = tuple[str, int, int]
"""Source topic, partition, offset."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A record that is no valid event. kept: whether the dead letter holds all of it."""

    topic: str
    partition: int
    offset: int
    at: datetime
    errors: tuple[Problem, ...]
    size: int

    @property
    def place(self) -> Place:
        """Where the record stands."""
        return self.topic, self.partition, self.offset


@dataclass(slots=True)
class Pile:
    """Letters with the same first problem, of one topic."""

    topic: str
    problem: Problem
    count: int
    newest: datetime


class Letters:
    """Folds the topic `dead-letters`; a letter that comes again, as after a death of ingest, is one."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._letters: dict[Place, Letter] = {}
        self._piles: dict[tuple[str, Problem], Pile] = {}

    def fold(self, value: bytes) -> None:
        """Takes in one record. Raises ValueError for what is no dead letter."""
        read = DeadLetter.model_validate_json(value)
        letter = Letter(read.topic, read.partition, read.offset, read.at, tuple(read.errors), read.size)
        if letter.place in self._letters:
            return
        self._letters[letter.place] = letter
        self._count(letter)
        if len(self._letters) > self._capacity:
            del self._letters[next(iter(self._letters))]

    def _count(self, letter: Letter) -> None:
        key = (letter.topic, letter.errors[0] if letter.errors else OTHERS)
        if key not in self._piles and len(self._piles) >= MAX_REASONS:
            key = (letter.topic, OTHERS)
        pile = self._piles.setdefault(key, Pile(*key, count=0, newest=letter.at))
        pile.count += 1
        pile.newest = max(pile.newest, letter.at)

    def get(self, place: Place) -> Letter | None:
        """One, if it is among the newest."""
        return self._letters.get(place)

    def piles(self) -> list[Pile]:
        """What is wrong, the newest first."""
        return sorted(self._piles.values(), key=lambda pile: pile.newest, reverse=True)

    def counts(self) -> Counter[str]:
        """By source topic."""
        found: Counter[str] = Counter()
        for pile in self._piles.values():
            found[pile.topic] += pile.count
        return found

    def newest(self, wanted: Callable[[Letter], bool]) -> Iterator[Letter]:
        """Of those that are kept, in the order in which they were rejected, the newest first."""
        return (letter for letter in reversed(self._letters.values()) if wanted(letter))
