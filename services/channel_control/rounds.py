"""In which order, and how often, settled targets are read again: one after the other, evenly spread over the interval.

What comes while a round is on is read in the next one, so a change is found within two intervals at the latest; with
so many targets that the rate does not allow a round in one interval, the rounds become longer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.channel_control.target import Target


@dataclass(slots=True)
class Rounds:
    """interval_s: of one round. per_s: at most so many readings a second. next_at: when the next one may begin."""

    interval_s: float
    per_s: float
    next_at: float = 0.0
    _left: list[str] = field(default_factory=list)
    _pace_s: float = 0.0

    def take(self, watched: Mapping[str, Target], now: float) -> Target | None:
        """The target to read now, if it is time for one."""
        if now < self.next_at:
            return None
        if not self._left:
            self._left = list(watched)[::-1]
            self._pace_s = max(1.0 / self.per_s, self.interval_s / max(1, len(watched)))
        while self._left:
            target = watched.get(self._left.pop())
            if target is not None:
                self.next_at = now + self._pace_s
                return target
        return None

    def wait(self, now: float) -> None:
        """There is something to watch again: it was read when it settled, so the first reading has time."""
        self.next_at = max(self.next_at, now + self.interval_s / 2)
