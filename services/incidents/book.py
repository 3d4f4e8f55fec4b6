"""The incidents of all alerts that somebody knows, kept up to date as these change."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from schemas.alerts import AlertState
from services.incidents.grouping import Grouped, Grouping, Seen, order, seen

_LOOK: Final = 1000
"""So many alerts later it looks which it still has to know."""


@dataclass(frozen=True, slots=True)
class Renewed:
    """All alerts grouped anew, as they were after so many changes."""

    grouping: Grouping
    grouped: Grouped
    changes: int


class Book:
    """known: the alert of an id, None where it is not known any more.

    An alert that opened after all others is added to what there is. Where an older one comes late, or evidence or
    people say something new of one, all are grouped anew when next asked: so in which order they come changes nothing.
    """

    def __init__(self, known: Callable[[str], AlertState | None]) -> None:
        self._known = known
        self._seen: dict[str, Seen] = {}
        self._grouping = Grouping()
        self._grouped: Grouped | None = None
        self._stale = False
        self._changes = 0

    def put(self, alert_id: str) -> None:
        """An alert is new, or has changed, or is known no more."""
        alert = self._known(alert_id)
        before, now = self._seen.get(alert_id), None if alert is None else seen(alert)
        if now == before:
            return
        if now is None:
            del self._seen[alert_id]
        else:
            self._seen[alert_id] = now
        if before is None and now is not None and order(now) > self._grouping.newest and not self._stale:
            self._grouping.add(now)
            self._grouped = None
        else:
            self._stale = True
        self._changes += 1
        if self._changes % _LOOK == 0:
            self._seen = {each: one for each, one in self._seen.items() if self._known(each) is not None}
            self._stale = True

    def to_renew(self) -> Callable[[], Renewed] | None:
        """What to do where all have to be grouped anew: seconds of work with ten thousand alerts, which may be done in
        a thread while others ask. What comes out is for `adopt`."""
        if not self._stale:
            return None
        alerts, changes = list(self._seen.values()), self._changes
        return lambda: _renewed(alerts, changes)

    def adopt(self, renewed: Renewed) -> None:
        """This is how they are grouped now; what has changed since the work was given out is still to come."""
        self._grouping, self._grouped = renewed.grouping, renewed.grouped
        self._stale = renewed.changes != self._changes

    def latest(self) -> Grouped:
        """The incidents as of when they were last grouped anew."""
        if self._grouped is None:
            self._grouped = self._grouping.grouped()
        return self._grouped

    def grouped(self) -> Grouped:
        """The incidents as they are now."""
        work = self.to_renew()
        if work is not None:
            self.adopt(work())
        return self.latest()


def _renewed(alerts: list[Seen], changes: int) -> Renewed:
    grouping = Grouping()
    for each in sorted(alerts, key=order):
        grouping.add(each)
    return Renewed(grouping, grouping.grouped(), changes)
