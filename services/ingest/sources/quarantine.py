"""Bad records: the dead letter of each, and the limit past which a source partition is not read on."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from schemas.base import from_ms
from schemas.dead_letters import DeadLetter, Problem

KEPT_BYTES: Final = 64 * 1024
"""How much of a bad record its dead letter keeps."""

Seal = Callable[[bytes], str]
"""Encrypts part of a record, which may hold personal data."""


def dead_letter(
    topic: str, partition: int, offset: int, at_ms: int, value: bytes | None, problems: list[Problem], seal: Seal
) -> DeadLetter:
    """The dead letter of one record."""
    raw = value or b""
    return DeadLetter(
        topic=topic,
        partition=partition,
        offset=offset,
        at=from_ms(at_ms),
        errors=problems,
        size=len(raw),
        raw=seal(raw[:KEPT_BYTES]),
    )


@dataclass(frozen=True, slots=True)
class BadLimit:
    """When a partition is paused: `least` of its last `stretch` records are bad, and at least the share of them.

    It is tried again after `pause_s`, then after twice that, up to `longest_pause_s`.
    """

    stretch: int = 1_000
    least: int = 200
    share: float = 0.5
    pause_s: float = 30.0
    longest_pause_s: float = 3_600.0


class BadShare:
    """Watches the share of bad records of one source partition. Starts anew with every process."""

    def __init__(self, limit: BadLimit) -> None:
        self._limit = limit
        self._seen = 0
        self._bad: deque[int] = deque()
        self._pauses = 0

    def note(self, count: int, bad: Sequence[int]) -> int | None:
        """Takes in `count` records of which those with the indices `bad` (ascending) are bad.

        The number of them after which the limit is reached, None if it is not. Those after it count as not seen.
        """
        for index in bad:
            number = self._seen + index + 1
            self._bad.append(number)
            while self._bad[0] <= number - self._limit.stretch:
                self._bad.popleft()
            among = min(number, self._limit.stretch)
            if len(self._bad) >= self._limit.least and len(self._bad) >= self._limit.share * among:
                self._seen = number
                return index + 1
        self._seen += count
        if self._seen >= self._limit.stretch and (not self._bad or self._bad[-1] <= self._seen - self._limit.stretch):
            self._pauses = 0  # a whole stretch without a bad one: it has recovered
        return None

    def pause(self) -> float:
        """The limit was reached: for how long (seconds) to leave the partition alone. The count starts anew."""
        seconds = min(self._limit.pause_s * 2.0**self._pauses, self._limit.longest_pause_s)
        self._pauses = min(self._pauses + 1, 60)
        self._seen = 0
        self._bad.clear()
        return seconds
