"""In which order, and how often, settled targets are read again: one after the other, evenly spread over the interval.

What comes while a round is on is read in the next one, so a change is found within two intervals at the latest; with
so many targets that the rate does not allow a round in one interval, the rounds become longer. What may not be read at
present waits for its turn, and goes before what was read since; the rest is not held up by it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from services.channel_control.holding.target import Target

LOOK_AGAIN_S: Final = 0.25
"""Until it is asked again of what may not be read, which can be thousands, whether it may."""


@dataclass(slots=True)
class Rounds:
    """interval_s: of one round. per_s: at most so many readings a second. next_at: when the next one may begin.

    Of a round `_left` is to be read, the next at its end; `_held` was its turn and could not be.
    """

    interval_s: float
    per_s: float
    next_at: float = 0.0
    _left: list[str] = field(default_factory=list)
    _held: list[str] = field(default_factory=list)
    _held_until: float = 0.0
    _read: list[str] = field(default_factory=list)
    _pace_s: float = 0.0
    _ends_at: float = 0.0

    def take(self, watched: Mapping[str, Target], now: float, may: Callable[[Target], bool]) -> Target | None:
        """The target to read now, if it is time for one that may be read."""
        if now < self.next_at:
            return None
        if now >= self._held_until:
            self._left += reversed(self._held)
            self._held, self._held_until = [], now + LOOK_AGAIN_S
        target = self._next(watched, may)
        if target is None and (not self._held or now >= self._ends_at):
            self._begin(watched, now)
            target = self._next(watched, may)
        if target is None:
            self.next_at = now + LOOK_AGAIN_S
        else:  # who comes late makes up for it, so that a round takes as long as it should
            self.next_at = max(self.next_at, now - self._pace_s) + self._pace_s
        return target

    def again(self, name: str) -> None:
        """It was taken and not read, since its platform wants to be left alone: once that is over it comes first."""
        if name not in self._left and name not in self._held:
            self._held.insert(0, name)

    def wait(self, now: float) -> None:
        """There is something to watch again: it was read when it settled, so the first reading has time."""
        self.next_at = max(self.next_at, now + self.interval_s / 2)

    def _begin(self, watched: Mapping[str, Target], now: float) -> None:
        waiting = set(self._held)
        later = [name for name in dict.fromkeys([*self._read, *watched]) if name not in waiting]
        self._left, self._read = later[::-1], []
        self._pace_s = max(1.0 / self.per_s, self.interval_s / max(1, len(watched)))
        self._ends_at = now + self.interval_s

    def _next(self, watched: Mapping[str, Target], may: Callable[[Target], bool]) -> Target | None:
        while self._left:
            name = self._left.pop()
            target = watched.get(name)
            if target is not None and may(target):
                self._read.append(name)
                return target
            if target is not None:
                self._held.append(name)
        return None
