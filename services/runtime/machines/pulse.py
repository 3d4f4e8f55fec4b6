"""Finds out that the process was frozen: stopped, swapped out, its machine asleep.

The group coordinator gives the partitions of a silent worker to another one, and tells the silent one nothing. When
it wakes it would go on for a while as if it still owned them.
"""

from __future__ import annotations

from collections.abc import Callable


class Pulse:
    """Beats from the thread that also sends the group's heartbeats; a pause in it is a pause in those.

    limit_s: the longest pause after which the group still counts us as alive for certain. clock: seconds, never back,
    counting while the machine sleeps too.
    """

    def __init__(self, limit_s: float, clock: Callable[[], float]) -> None:
        self.limit_s = limit_s
        self._clock = clock
        self._last: float | None = None

    def beat(self) -> float:
        """Note that the thread runs; how long it had not (0 at first), in seconds."""
        pause = self.pause()
        self._last = self._clock()
        return pause

    def pause(self) -> float:
        """Seconds since the last beat; 0 before the first."""
        return 0.0 if self._last is None else self._clock() - self._last

    def lost(self, pause: float) -> bool:
        """Whether after such a pause our partitions may be another's."""
        return pause > self.limit_s


def safe_pause(session_s: float, heartbeat_s: float) -> float:
    """The longest pause that leaves the session intact whenever in the heartbeat's interval it began, with a margin."""
    return max(session_s - heartbeat_s - 1.0, session_s / 3)
