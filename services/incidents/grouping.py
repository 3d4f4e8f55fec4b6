"""Which alerts are one incident. Incremental over alerts in the order of their opening; bounded by what it is given.

An alert joins every cluster that has an alert much like it (see likeness), and so may unite two. Besides, it follows
one alert, the one most like it. Where people have said to which incident an alert belongs (a label), that decides, and
those that follow it come along: so their word changes nothing of what is alike, only who goes where. An incident is
called by the alert that it began with. All is decided by what was opened before, so the same alerts give the same
incidents.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from schemas.alerts import INCIDENT_LABEL, AlertState
from schemas.base import to_ms
from schemas.topics import DAY_MS
from services.incidents.likeness import HORIZON_MS, TOGETHER, centrality, closeness, explains, rarity, shared
from services.incidents.things import Things, things_of

_WEEK_MS: Final = 7 * DAY_MS
_RECENT: Final = 12
"""With so many of the latest alerts that speak of a thing a new one is compared: in a storm the others are in the same
clusters as these."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What grouping looks at in one alert. pinned: to which incident people said that it belongs."""

    at_ms: int
    alert_id: str
    indicator: str
    things: Things
    pinned: str | None = None


def seen(alert: AlertState) -> Seen:
    """An alert as grouping looks at it."""
    pinned = alert.labels.get(INCIDENT_LABEL)
    return Seen(to_ms(alert.opened_at), alert.alert_id, alert.indicator, things_of(alert), pinned)


def order(alert: Seen) -> tuple[int, str]:
    """In which alerts have to come."""
    return alert.at_ms, alert.alert_id


@dataclass(slots=True)
class Group:
    """One incident. ties: what its alerts share, and how much that said when they joined. pinned: by people's word."""

    key: str
    alerts: list[Seen] = field(default_factory=list)
    pinned: bool = False
    ties: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Grouped:
    """The incidents by key, and the key of each alert's."""

    groups: Mapping[str, Group]
    key_of: Mapping[str, str]

    def find(self, incident_id: str) -> Group | None:
        """The incident to which the alert of this id has come: so old ids lead on after a merge."""
        return self.groups.get(self.key_of.get(incident_id, incident_id))

    def newest_first(self) -> list[Group]:
        """The incidents, the one that began last first."""
        return sorted(self.groups.values(), key=lambda each: order(each.alerts[0]), reverse=True)


def group(alerts: Iterable[Seen]) -> Grouped:
    """The incidents of all these, in whatever order they are given."""
    grouping = Grouping()
    for alert in sorted(alerts, key=order):
        grouping.add(alert)
    return grouping.grouped()


@dataclass(slots=True)
class _Cluster:
    """Alerts that are alike. speakers: how many of them speak of a thing."""

    root: Seen
    alerts: list[Seen] = field(default_factory=list)
    speakers: Counter[str] = field(default_factory=Counter)

    def is_about(self, thing: str) -> float:
        """The share of its alerts that speak of a thing."""
        return self.speakers[thing] / len(self.alerts)


@dataclass(frozen=True, slots=True)
class _Match:
    """How much an alert is like another, and by what."""

    score: float
    other: Seen
    ties: Mapping[str, float]


class Grouping:
    """Takes alerts in, one after the other."""

    def __init__(self) -> None:
        self.newest: tuple[int, str] = (0, "")
        """The order of the alert that was added last."""
        self._clusters: dict[str, _Cluster] = {}
        """By alert."""
        self._leaders: dict[str, Seen | None] = {}
        """By alert in the order of opening, the one that it follows."""
        self._ties: dict[str, Mapping[str, float]] = {}
        self._alerts: list[Seen] = []
        self._recent: dict[str, deque[Seen]] = defaultdict(lambda: deque(maxlen=_RECENT))
        self._spoken: dict[str, dict[str, int]] = defaultdict(dict)
        """By thing, the clusters that speak of it, and when last."""

    def add(self, alert: Seen) -> None:
        """One more, opened after all that were added."""
        self.newest = order(alert)
        self._alerts.append(alert)
        matches = self._matches(alert)
        home = self._clusters[matches[0].other.alert_id] if matches else _Cluster(alert)
        self._leaders[alert.alert_id] = matches[0].other if matches else None
        self._ties[alert.alert_id] = {thing: said for match in reversed(matches) for thing, said in match.ties.items()}
        for match in matches[1:]:
            home = self._united(home, matches[0].other, match.other)
        self._clusters[alert.alert_id] = home
        home.alerts.append(alert)
        home.speakers.update(dict.fromkeys(alert.things, 1))
        for thing in alert.things:
            self._recent[thing].append(alert)
            self._spoken[thing][home.root.alert_id] = alert.at_ms

    def grouped(self) -> Grouped:
        """The incidents as they are now."""
        groups: dict[str, Group] = {}
        key_of: dict[str, str] = {}
        for alert in self._alerts:
            key = self._key(alert, key_of)
            one = groups.setdefault(key, Group(key))
            one.alerts.append(alert)
            one.pinned = one.pinned or alert.pinned is not None
            one.ties.update(self._ties[alert.alert_id])
        return Grouped(groups, key_of)

    def _key(self, alert: Seen, key_of: dict[str, str]) -> str:
        """The incident of an alert: by people's word, or that of the alert which it follows, or one of its own."""
        way: list[str] = []
        at: Seen | None = alert
        key = alert.alert_id
        while at is not None:
            key = key_of.get(at.alert_id) or at.pinned or at.alert_id
            way.append(at.alert_id)
            at = None if at.alert_id in key_of or at.pinned else self._leaders[at.alert_id]
        key_of.update(dict.fromkeys(way, key))
        return key

    def _matches(self, alert: Seen) -> list[_Match]:
        """Of each cluster that has an alert much like this one the most alike, the best first."""
        self._forget_before(alert)
        best: dict[str, _Match] = {}
        candidates = {each.alert_id: each for thing in alert.things for each in self._recent[thing]}
        for other in candidates.values():
            home = self._clusters[other.alert_id]
            ties = self._shared(alert, other, home)
            score, root = sum(ties.values()), home.root.alert_id
            if score >= TOGETHER and (root not in best or score > best[root].score):
                best[root] = _Match(score, other, ties)
        return sorted(best.values(), key=lambda match: (-match.score, order(match.other)))

    def _forget_before(self, alert: Seen) -> None:
        """Of what this alert speaks of, what lies too far back to say anything."""
        for thing in alert.things:
            recent, spoken = self._recent[thing], self._spoken[thing]
            while recent and alert.at_ms - recent[0].at_ms > HORIZON_MS:
                recent.popleft()
            for each in [each for each, last_ms in spoken.items() if last_ms < alert.at_ms - _WEEK_MS]:
                del spoken[each]

    def _shared(self, alert: Seen, other: Seen, home: _Cluster) -> dict[str, float]:
        explained = explains(alert.indicator, other.indicator) or explains(other.indicator, alert.indicator)
        near = closeness(alert.at_ms - other.at_ms)
        return {
            thing: said * near * rarity(self._others(thing, home)) * centrality(home.is_about(thing))
            for thing, said in shared(alert.things, other.things, explained).items()
        }

    def _others(self, thing: str, home: _Cluster) -> int:
        """How many other clusters of the last week speak of a thing."""
        spoken = self._spoken[thing]
        return len(spoken) - (home.root.alert_id in spoken)

    def _united(self, one: _Cluster, in_one: Seen, in_other: Seen) -> _Cluster:
        """Two clusters that turned out to be one: the root of the younger follows an alert of the older."""
        other = self._clusters[in_other.alert_id]
        older_first = order(one.root) < order(other.root)
        kept, gone, leader = (one, other, in_one) if older_first else (other, one, in_other)
        self._leaders[gone.root.alert_id] = leader
        kept.alerts += gone.alerts
        kept.speakers.update(gone.speakers)
        for alert in gone.alerts:
            self._clusters[alert.alert_id] = kept
        for thing in gone.speakers:
            last_ms = self._spoken[thing].pop(gone.root.alert_id, 0)
            self._spoken[thing][kept.root.alert_id] = max(last_ms, self._spoken[thing].get(kept.root.alert_id, 0))
        return kept
