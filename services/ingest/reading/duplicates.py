"""A producer's own duplicates: the same `event_id` again in the same source partition, shortly after.

The window is in the broker's append time, so what is a duplicate is a function of the log and a replay decides the
same. Every sighting counts, of a duplicate too: one that is sent every 50 seconds stays one.
"""

from collections.abc import Sequence
from typing import Final

WINDOW_MS: Final = 60_000
"""On `channel-events`, of which there are many."""
SMALL_WINDOW_MS: Final = 600_000
"""On the other raw topics."""


def window_of(topic: str) -> int:
    """For how long (ms) ids are remembered on a raw topic."""
    return WINDOW_MS if topic == "channel-events" else SMALL_WINDOW_MS


class Duplicates:
    """The ids of valid records of one source partition in the last `window_ms`.

    Ids are kept in generations of half a window, dropped as a whole: no id is ever looked at to be evicted. The usual
    case, a slice without any known id, is decided in C.
    """

    def __init__(self, window_ms: int) -> None:
        self._window = window_ms
        self._generations: list[dict[str, int]] = [{}]
        self._began: int | None = None
        self._newest: list[int] = [0]

    def __len__(self) -> int:
        return sum(map(len, self._generations))

    @property
    def began(self) -> bool:
        """Whether anything has been noted."""
        return self._began is not None

    def note(self, ids: Sequence[str], stamps: Sequence[int]) -> list[int]:
        """Remembers valid records in their order; the indices of those that are duplicates.

        stamps: their append times, which do not fall.
        """
        if not ids:
            return []
        self._turn_over(stamps[0])
        fresh = dict(zip(ids, stamps, strict=True))
        if len(fresh) == len(ids) and all(known.keys().isdisjoint(fresh) for known in self._generations):
            self._generations[-1].update(fresh)
            found = []
        else:
            found = [index for index, each in enumerate(ids) if self._seen(each, stamps[index])]
        self._newest[-1] = max(self._newest[-1], stamps[-1])
        return found

    def _seen(self, event_id: str, stamp: int) -> bool:
        """Notes one sighting; whether there was another in the window before."""
        earliest = stamp - self._window
        seen = any(known.get(event_id, earliest - 1) >= earliest for known in self._generations)
        self._generations[-1][event_id] = stamp
        return seen

    def _turn_over(self, stamp: int) -> None:
        if self._began is None or stamp - self._began > self._window // 2:
            self._began = stamp
            self._generations.append({})
            self._newest.append(stamp)
        while len(self._generations) > 1 and self._newest[0] < stamp - self._window:
            del self._generations[0], self._newest[0]
