"""How fast a receiver may be told. Pure; times in seconds of a clock that never goes back."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """At most `count` messages in any stretch of `per_s` seconds."""

    count: int
    per_s: float


class Pacer:
    """Remembers when messages went, and says when the next may go."""

    def __init__(self, paces: Iterable[Pace]) -> None:
        self._sent = [(pace, deque[float](maxlen=pace.count)) for pace in paces]

    def pause(self, now: float) -> float:
        """Seconds until one may go; 0 for at once."""
        waits = [sent[0] + pace.per_s - now for pace, sent in self._sent if len(sent) == pace.count]
        return max([0.0, *waits])

    def went(self, now: float) -> None:
        """One has gone."""
        for _, sent in self._sent:
            sent.append(now)
