"""In which order, and how often, settled targets are read again: one after the other, evenly spread over the interval.

What sells goes before the rest, of which there can be a hundred thousand: addresses and accounts. Each of the two has
rounds of its own, at one rate together. What sells is read as often as its interval asks, the rest in what that leaves;
where that is nothing every tenth reading is still of the rest, so that nothing is left out for ever.

What comes while a round is on is read in the next one, so a change is found within two intervals at the latest; with
so many targets that the rate does not allow a round in one interval, the rounds become longer. What may not be read at
present waits for its turn, and goes before what was read since; others are not held up by it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from services.channel_control.holding.target import Target

SELLS: Final = ("channel:", "promotion:", "product:")
IN_A_ROW: Final = 9
"""So many readings of what sells, and the next is one of the rest."""
LOOK_AGAIN_S: Final = 0.25
"""Until it is asked again of what may not be read, which can be thousands, whether it may."""
ASKED_AT_ONCE: Final = 1000
"""Of so many, in turn; a hundred thousand would take a core."""


@dataclass(slots=True)
class _Line:
    """The rounds of what sells, or of the rest. due_at: when it is time for its next reading, were it alone.

    Of a round `_left` is to be read, the next at its end; `_held` was its turn and could not be.
    """

    sells: bool
    interval_s: float
    due_at: float
    _left: list[str] = field(default_factory=list)
    _held: list[str] = field(default_factory=list)
    _read: list[str] = field(default_factory=list)
    _gap_s: float = 0.0
    _ends_at: float = 0.0

    def take(self, watched: Mapping[str, Target], now: float, may: Callable[[Target], bool]) -> Target | None:
        """The target to read now, if it is time for one that may be read."""
        if now < self.due_at:
            return None
        target = self._next(watched, may)
        if target is None and (not self._held or now >= self._ends_at):
            self._begin(watched, now)
            target = self._next(watched, may)
        if target is not None:  # who comes late makes up for it, so that a round takes as long as it should
            self.due_at = max(self.due_at, now - self._gap_s) + self._gap_s
        elif not self._held:
            self.wait(now)
        return target

    def hold(self, name: str) -> None:
        """It is the first to be read once it may be."""
        if name not in self._left and name not in self._held:
            self._held.insert(0, name)

    def look_again(self) -> None:
        """What could not be read may be by now."""
        self._left += reversed(self._held[:ASKED_AT_ONCE])
        del self._held[:ASKED_AT_ONCE]

    def wait(self, now: float) -> None:
        """There is nothing yet; what settles from now on was read when it did."""
        self.due_at = max(self.due_at, now + self.interval_s / 2)

    def _begin(self, watched: Mapping[str, Target], now: float) -> None:
        waiting, mine = set(self._held), [name for name in watched if name.startswith(SELLS) is self.sells]
        later = [name for name in dict.fromkeys([*self._read, *mine]) if name not in waiting]
        self._left, self._read = later[::-1], []
        self._gap_s = self.interval_s / max(1, len(mine))
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


class Rounds:
    """interval_s: of one round. per_s: at most so many readings a second. next_at: when to take the next one."""

    def __init__(self, interval_s: float, per_s: float, next_at: float = 0.0) -> None:
        self.next_at = next_at
        self._pause_s = 1.0 / per_s
        self._free_at = next_at
        self._look_at = next_at
        self._selling = _Line(True, interval_s, next_at)
        self._rest = _Line(False, interval_s, next_at)
        self._in_a_row = 0

    def take(self, watched: Mapping[str, Target], now: float, may: Callable[[Target], bool]) -> Target | None:
        """The target to read now, if it is time for one that may be read."""
        if now < self.next_at:
            return None
        if now >= self._look_at:
            self._look_at = now + LOOK_AGAIN_S
            self._selling.look_again()
            self._rest.look_again()
        target = self._first(watched, now, may)
        dues = self._selling.due_at, self._rest.due_at
        if target is not None:
            self._free_at = max(self._free_at, now - self._pause_s) + self._pause_s
            self.next_at = max(self._free_at, min(dues))
        else:  # who is due has only what may not be read
            self.next_at = min(due if due > now else self._look_at for due in dues)
        return target

    def again(self, name: str) -> None:
        """It was taken and not read, since its platform wants to be left alone: once that is over it comes first."""
        (self._selling if name.startswith(SELLS) else self._rest).hold(name)

    def wait(self, now: float) -> None:
        """There is something to watch again: it was read when it settled, so the first reading has time."""
        self._selling.wait(now)
        self._rest.wait(now)
        self.next_at = max(self.next_at, min(self._selling.due_at, self._rest.due_at))

    def _first(self, watched: Mapping[str, Target], now: float, may: Callable[[Target], bool]) -> Target | None:
        lines = [self._selling, self._rest]
        for line in lines if self._in_a_row < IN_A_ROW else reversed(lines):
            target = line.take(watched, now, may)
            if target is not None:
                self._in_a_row = self._in_a_row + 1 if line.sells else 0
                return target
        return None
