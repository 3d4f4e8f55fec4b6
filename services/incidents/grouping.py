"""Which alerts are one incident. Incremental over alerts in the order of their opening; bounded by what it is given.

An alert joins every incident that has an alert much like it (services.incidents.likeness), and so may unite two; what
people have put together or apart (a label of the alert) stands, whatever is alike. An incident is called by the
alert that it began with. All is decided by what was opened before, so the same alerts give the same incidents.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from schemas.alerts import INCIDENT_LABEL, AlertState
from schemas.base import to_ms
from schemas.topics import DAY_MS
from services.incidents.likeness import HORIZON_MS, TOGETHER, closeness, explains, rarity, shared
from services.incidents.things import Things, things_of

_WEEK_MS: Final = 7 * DAY_MS
_RECENT: Final = 12
"""With so many of the latest alerts that speak of a thing a new one is compared: in a storm the others are in the same
incidents as these."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What grouping looks at in one alert. pinned: to which incident people said that it belongs."""

    at_ms: int
    alert_id: str
    indicator: str
    things: Things
    pinned: str | None = None


@dataclass(slots=True)
class Group:
    """One incident. ties: what its alerts share, and how much that said when they joined."""

    key: str
    alerts: list[Seen]
    pinned: bool = False
    ties: Counter[str] = field(default_factory=Counter)


def seen(alert: AlertState) -> Seen:
    """An alert as grouping looks at it."""
    pinned = alert.labels.get(INCIDENT_LABEL)
    return Seen(to_ms(alert.opened_at), alert.alert_id, alert.indicator, things_of(alert), pinned)


def order(alert: Seen) -> tuple[int, str]:
    """In which alerts have to come."""
    return alert.at_ms, alert.alert_id


def group(alerts: Iterable[Seen]) -> "Grouping":
    """All of these, in whatever order they are given."""
    grouping = Grouping()
    for alert in sorted(alerts, key=order):
        grouping.add(alert)
    return grouping


class Grouping:
    """The incidents of the alerts that were added, by key."""

    def __init__(self) -> None:
        self.groups: dict[str, Group] = {}
        self.key_of: dict[str, str] = {}
        """By alert."""
        self.newest: tuple[int, str] = (0, "")
        """The order of the alert that was added last."""
        self._recent: dict[str, deque[Seen]] = defaultdict(lambda: deque(maxlen=_RECENT))
        self._spoken: dict[str, dict[str, int]] = defaultdict(dict)
        """By thing, the incidents that speak of it, and when last."""

    def add(self, alert: Seen) -> None:
        """One more, opened after all that were added."""
        self.newest = order(alert)
        home, ties = self._home(alert)
        home.alerts.append(alert)
        home.ties.update(ties)
        self.key_of[alert.alert_id] = home.key
        for thing in alert.things:
            self._recent[thing].append(alert)
            self._spoken[thing][home.key] = alert.at_ms

    def _home(self, alert: Seen) -> tuple[Group, Mapping[str, float]]:
        """The incident that an alert belongs to, and what it shares with it."""
        fixed = alert.pinned or (alert.alert_id if alert.alert_id in self.groups else None)
        if fixed is not None:
            home = self.groups.setdefault(fixed, Group(fixed, []))
            home.pinned = True
            return home, {}
        alike = self._alike(alert)
        if not alike:
            home = self.groups[alert.alert_id] = Group(alert.alert_id, [])
            return home, {}
        best, ties = alike[0]
        for other, more in alike[1:]:
            if not (best.pinned or other.pinned):
                best, ties = self._united(best, other), {**ties, **more}
        return best, ties

    def _alike(self, alert: Seen) -> list[tuple[Group, dict[str, float]]]:
        """The incidents that have an alert much like this one, the most like first, each with what is shared."""
        best: dict[str, tuple[float, dict[str, float]]] = {}
        candidates = {each.alert_id: each for thing in alert.things for each in self._recent.get(thing, ())}
        for other in candidates.values():
            key = self.key_of[other.alert_id]
            ties = self._ties(alert, other, key)
            score = sum(ties.values())
            if score >= TOGETHER and score > best.get(key, (0.0, {}))[0]:
                best[key] = score, ties
        ranked = sorted(best.items(), key=lambda item: (-item[1][0], item[0]))
        return [(self.groups[key], ties) for key, (_, ties) in ranked]

    def _ties(self, alert: Seen, other: Seen, key: str) -> dict[str, float]:
        gap_ms = alert.at_ms - other.at_ms
        if gap_ms > HORIZON_MS:
            return {}
        explained = explains(alert.indicator, other.indicator) or explains(other.indicator, alert.indicator)
        near = closeness(gap_ms)
        return {
            thing: said * near * rarity(self._others(thing, key, alert.at_ms))
            for thing, said in shared(alert.things, other.things, explained).items()
        }

    def _others(self, thing: str, key: str, at_ms: int) -> int:
        """How many other incidents of the last week speak of a thing."""
        spoken = self._spoken[thing]
        for each in [each for each, last_ms in spoken.items() if last_ms < at_ms - _WEEK_MS]:
            del spoken[each]
        return len(spoken) - (key in spoken)

    def _united(self, one: Group, other: Group) -> Group:
        """Two incidents that turned out to be one keep the name of the older."""
        kept, gone = (one, other) if order(one.alerts[0]) < order(other.alerts[0]) else (other, one)
        kept.alerts = sorted((*kept.alerts, *gone.alerts), key=order)
        kept.ties.update(gone.ties)
        del self.groups[gone.key]
        for alert in gone.alerts:
            self.key_of[alert.alert_id] = kept.key
            for thing in alert.things:
                last_ms = self._spoken[thing].pop(gone.key, 0)
                self._spoken[thing][kept.key] = max(last_ms, self._spoken[thing].get(kept.key, 0))
        return kept
