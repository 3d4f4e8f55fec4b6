"""The incidents of all alerts that somebody knows, kept up to date as these change."""

from collections.abc import Callable
from typing import Final

from schemas.alerts import AlertState
from services.incidents.grouping import Group, Grouped, Grouping, Seen, order, seen

_LOOK: Final = 1000
"""So many alerts later it looks which it still has to know."""


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
        self._put = 0

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
        self._put += 1
        if self._put % _LOOK == 0:
            self._seen = {each: one for each, one in self._seen.items() if self._known(each) is not None}
            self._stale = True

    def groups(self) -> list[Group]:
        """The incidents as they are now, the one that began last first."""
        return sorted(self.grouped().groups.values(), key=lambda each: order(each.alerts[0]), reverse=True)

    def find(self, incident_id: str) -> Group | None:
        """The incident of this id, or to which the alert of this id has come."""
        return self.grouped().find(incident_id)

    def grouped(self) -> Grouped:
        """All of them; worked out when asked after something has changed."""
        if self._stale:
            self._grouping, self._stale, self._grouped = Grouping(), False, None
            for each in sorted(self._seen.values(), key=order):
                self._grouping.add(each)
        if self._grouped is None:
            self._grouped = self._grouping.grouped()
        return self._grouped
