"""Which targets are read again: those that the platform has confirmed as wanted, addresses and accounts not for ever.

They are frozen by the thousand and most never come back. One that runs again, without a hold, an override or a request,
is read for one more day of the log's time and is then the platform's own affair, as if it had never been touched.

Its state is kept, 400 bytes in a snapshot: the platform refuses a generation older than the last that it was told, and
people name the one that `channel-state` shows them. A target that began anew at 0 would be in force nowhere, and out of
people's reach.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from typing import Final

from services.channel_control.holding.target import Target

PASSING: Final = ("actor:", "account:")
LONGER: Final = timedelta(days=1)


class Watching:
    """The targets to read, by name, as of a time of the log. A function of the targets and that time alone, so that a
    snapshot and a replay come to the same."""

    def __init__(self) -> None:
        self._targets: dict[str, Target] = {}
        self._ends: list[tuple[datetime, str]] = []  # a heap; where a target has changed since, its entry means nothing
        self._now = datetime.min.replace(tzinfo=UTC)

    @property
    def targets(self) -> Mapping[str, Target]:
        """Their pictures never change."""
        return self._targets

    def note(self, target: Target) -> None:
        """It stands so from now on."""
        end = _end(target)
        if not target.touched or not target.settled() or (end is not None and end <= self._now):
            self._targets.pop(target.name, None)
            return
        self._targets[target.name] = target
        if end is not None:
            heappush(self._ends, (end, target.name))

    def advance(self, now: datetime) -> None:
        """The log has come to this time, which never falls."""
        self._now = now
        while self._ends and self._ends[0][0] <= now:
            target = self._targets.get(heappop(self._ends)[1])
            if target is not None:
                self.note(target)


def _end(target: Target) -> datetime | None:
    """Until when a target that stands so is read; None: for as long as it does."""
    in_force = target.holds or target.override or target.requests or target.drift
    if in_force or target.confirmed_at is None or not target.name.startswith(PASSING):
        return None
    return target.confirmed_at + LONGER
