"""Health is progress, not a ping: every part of a process says how it fares, and one that stands still is found out.

Two questions, as Kubernetes and the launcher ask them: *live* is no when a restart would help (a part is stuck, or has
said that it is beyond repair); *ready* is no while the process cannot do its work (starting, waiting for the broker).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class PartState:
    """How one part is: `reason` is empty when all is well."""

    name: str
    live: bool
    ready: bool
    reason: str


class Part:
    """One part of the process, as it last said. Made by `Health.part`."""

    def __init__(self, name: str, stall_after: float | None, clock: Callable[[], float]) -> None:
        self._name = name
        self._stall_after = stall_after
        self._clock = clock
        self._status: Literal["ok", "waiting", "broken"] = "waiting"
        self._reason = "starting"
        self._position: int | None = None
        self._moved_at = clock()

    def ok(self, note: str = "") -> None:
        """All is well, now; the note is for people."""
        self._say("ok", note)

    def wait(self, reason: str) -> None:
        """It cannot work now and a restart would not help: not ready, but live."""
        self._say("waiting", reason)

    def broken(self, reason: str) -> None:
        """It will not recover by itself: neither ready nor live."""
        self._say("broken", reason)

    def progress(self, position: int, target: int) -> None:
        """It is at `position` on the way to `target` (offsets: the next one to read, and the high-water mark).

        Well as long as the position changes or the target is reached; saying the same position again is no progress.
        """
        moved = position != self._position or position >= target or self._status != "ok"
        self._position = position
        if moved:
            self._say("ok", f"at {position} of {target}" if position < target else "")

    def state(self) -> PartState:
        """How it is at this moment."""
        idle = self._clock() - self._moved_at
        if self._status != "broken" and self._stall_after is not None and idle > self._stall_after:
            said = f" ({self._reason})" if self._reason else ""
            return PartState(self._name, live=False, ready=False, reason=f"no progress for {idle:.0f} s{said}")
        return PartState(self._name, self._status != "broken", self._status == "ok", self._reason)

    def _say(self, status: Literal["ok", "waiting", "broken"], reason: str) -> None:
        self._status = status
        self._reason = reason
        self._moved_at = self._clock()


class Health:
    """The parts of one process. `clock` counts seconds and never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._parts: dict[str, Part] = {}

    def part(self, name: str, *, stall_after: float | None = None) -> Part:
        """A new part, waiting at first; it takes the place of an earlier one of that name.

        With `stall_after` (seconds) it must report that often, or move, to count as live.
        """
        part = Part(name, stall_after, self._clock)
        self._parts[name] = part
        return part

    def drop(self, name: str) -> None:
        """Forgets a part, such as a partition that was given up."""
        self._parts.pop(name, None)

    def states(self) -> list[PartState]:
        """All parts by name."""
        return [self._parts[name].state() for name in sorted(self._parts)]

    def live(self) -> bool:
        """Whether every part is live."""
        return all(state.live for state in self.states())

    def ready(self) -> bool:
        """Whether every part is ready; no, while there is none."""
        return bool(self._parts) and all(state.ready for state in self.states())
