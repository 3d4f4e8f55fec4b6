"""The groups of one partition: which one an alert joins, when to look at each, and the messages that are due.

An alert keeps its groups for its life, whatever the policy becomes, so that whoever heard its opening hears its end.
"""

import heapq
import json
from collections.abc import Iterable
from itertools import count
from typing import Final

from schemas.alerting import Route
from schemas.alerts import AlertState
from schemas.base import HexId, Name, Versioned
from services.alerting.groups.group import Group, Kind, Rung, Scene, Talk
from services.alerting.groups.group_life import acknowledge, consider, ended, join
from services.alerting.groups.routing import UNTIL_TOLD, Rules, group_labels
from services.alerting.telling import SEVERITIES, Due
from services.runtime.ids import derive

GROUP: Final = b"group:"
DUE: Final = b"due:"
PACE: Final = b"pace:"

MOST: Final = 600
"""Alerts of one group, whose record in a snapshot says of each what every receiver was told; then another begins."""

Look = tuple[int, HexId, HexId]
"""When a group is to be looked at, an alert of it, and its id."""


class Pace(Versioned):
    """When the latest groups of a route began, each with the severity of its first alert."""

    route: Name
    begun: list[tuple[int, int]] = []


class Desk:
    """See the module. `due` are the messages to send; `changed` what a snapshot has to write."""

    def __init__(self) -> None:
        self.due: dict[HexId, Due] = {}
        self.changed: dict[bytes, Versioned | None] = {}
        self._groups: dict[HexId, Group] = {}
        self._by_key: dict[str, HexId] = {}
        self._homes: dict[HexId, list[HexId]] = {}
        self._flights: dict[HexId, HexId] = {}
        self._pace: dict[Name, Pace] = {}
        self._looks: list[tuple[int, HexId]] = []

    def next_look(self) -> Look | None:
        """When a group is to be looked at if nothing happens before."""
        while self._looks:
            at_ms, group_id = self._looks[0]
            group = self._groups.get(group_id)
            if group is not None and group.look_ms == at_ms:
                return None if at_ms >= UNTIL_TOLD else (at_ms, group.alerts[0], group_id)
            heapq.heappop(self._looks)
        return None

    def has(self, alert_id: HexId) -> bool:
        """Whether there may be anything to tell of an alert."""
        return alert_id in self._homes

    # -- what happens. Each gives the messages that were due and are not to be sent any more.

    def take(self, alert: AlertState, rules: Rules, scene: Scene, *, route: bool, acknowledged: bool) -> list[Due]:
        """A fact has changed an alert. `route`: see who else has to hear of it."""
        if route:
            self._route(alert, rules, scene)
        dropped: list[Due] = []
        for group_id in list(self._homes.get(alert.alert_id, ())):
            group = self._groups[group_id]
            if acknowledged:
                group = acknowledge(group, alert.alert_id, scene)
            dropped += self._consider(group, scene, alert)
        return dropped

    def look(self, scene: Scene) -> list[Due]:
        """Time has passed."""
        dropped: list[Due] = []
        while (coming := self.next_look()) is not None and coming[0] <= scene.now_ms:
            dropped += self._consider(self._groups[coming[2]], scene)
        return dropped

    def look_at_all(self, scene: Scene) -> list[Due]:
        """Of what people may be told has changed."""
        groups = sorted(self._groups.values(), key=lambda group: group.group_id)
        return [due for group in groups for due in self._consider(group, scene)]

    def end(self, due: Due, scene: Scene, *, arrived: bool) -> list[Due]:
        """A message has arrived, or never will."""
        group = self._groups[self._flights[due.webhook_id]]
        self._drop(due.webhook_id)
        return self._consider(ended(group, due.receiver, arrived=arrived), scene)

    # -- who hears of an alert

    def _route(self, alert: AlertState, rules: Rules, scene: Scene) -> None:
        """An alert that got worse may take routes that it did not take before; nobody hears of it twice."""
        homes = [self._groups[each] for each in self._homes.get(alert.alert_id, ())]
        heard = {name for group in homes for name, talk in group.talks.items() if alert.alert_id in talk.told}
        taken = {group.route for group in homes}
        acked_ms = max((group.acked[alert.alert_id] for group in homes if alert.alert_id in group.acked), default=None)
        for route in rules.routes(alert, scene.now_ms):
            receivers = [name for name in rules.receivers(route, alert) if name not in heard]
            if receivers and route.name not in taken:
                heard.update(receivers)
                group = self._group_for(route, alert, rules, scene)
                self._put(join(group, alert.alert_id, receivers, acked_ms))

    def _group_for(self, route: Route, alert: AlertState, rules: Rules, scene: Scene) -> Group:
        quiet = scene.quiet_until(alert)
        if 0 < quiet < UNTIL_TOLD:
            return self._find_or_begin("held", route, {"until": str(quiet)}, alert)
        labels = group_labels(route, alert)
        key, own = self._find("own", route, labels)
        if own is not None:
            return own
        if quiet:
            return _begin(key, "own", route, labels, alert)
        storm, first = rules.alerting.storm, scene.now_ms - round(rules.alerting.storm.within.total_seconds() * 1000)
        before = self._pace.get(route.name) or Pace(route=route.name)
        recent = [each for each in before.begun if each[0] > first]
        begun = [*recent, (scene.now_ms, SEVERITIES.index(alert.severity))][-storm.alerts :]
        self._pace[route.name] = self.changed[PACE + route.name.encode()] = Pace(route=route.name, begun=begun)
        if len(recent) < storm.alerts:
            return _begin(key, "own", route, labels, alert)
        group = self._find_or_begin("storm", route, {}, alert)
        loudest = max(severity for _, severity in recent)
        news = {
            name: Talk(receiver=name, last_ms=scene.now_ms, loudest=loudest)
            for name in rules.receivers(route, alert)
            if name not in group.talks
        }
        return group.model_copy(update={"talks": {**group.talks, **news}})

    def _find_or_begin(self, kind: Kind, route: Route, labels: dict[str, str], alert: AlertState) -> Group:
        key, group = self._find(kind, route, labels)
        return group or _begin(key, kind, route, labels, alert)

    def _find(self, kind: Kind, route: Route, labels: dict[str, str]) -> tuple[str, Group | None]:
        """The first key of these labels under which there is a group with room, or none yet."""
        keys = (_key(kind, route, labels, part) for part in count())
        found = ((key, self._groups.get(self._by_key.get(key, ""))) for key in keys)
        return next((key, group) for key, group in found if group is None or len(group.alerts) < MOST)

    # -- what is remembered

    def load(self, groups: Iterable[Group], due: Iterable[Due], paces: Iterable[Pace]) -> None:
        """Take over a snapshot. What is due in no group, by an older release, is told anew by the alert's next fact."""
        self._pace = {each.route: each for each in paces}
        for group in sorted(groups, key=lambda group: group.group_id):
            self._put(group)
        self.due = {each.webhook_id: each for each in due if each.webhook_id in self._flights}
        self.changed = {}

    def _consider(self, group: Group, scene: Scene, touched: AlertState | None = None) -> list[Due]:
        outcome = consider(group, scene, touched)
        dropped = [self._drop(each) for each in outcome.dropped]
        for due in outcome.due:
            self.due[due.webhook_id] = self.changed[DUE + due.webhook_id.encode()] = due
        if outcome.group is None:
            self._remove(group)
        elif outcome.group != self._groups.get(group.group_id):
            self._put(outcome.group)
        return dropped

    def _drop(self, webhook_id: HexId) -> Due:
        self.changed[DUE + webhook_id.encode()] = None
        self._flights.pop(webhook_id, None)
        return self.due.pop(webhook_id)

    def _put(self, group: Group) -> None:
        before = self._groups.get(group.group_id)
        self._groups[group.group_id] = self.changed[GROUP + group.group_id.encode()] = group
        self._by_key[group.key] = group.group_id
        gone = set(before.alerts) - set(group.alerts) if before is not None else set()
        for alert_id in gone:
            self._leave(alert_id, group.group_id)
        for alert_id in group.alerts:
            homes = self._homes.setdefault(alert_id, [])
            if group.group_id not in homes:
                homes.append(group.group_id)
                homes.sort()
        for talk in group.talks.values():
            if talk.flight is not None:
                self._flights[talk.flight] = group.group_id
        if group.look_ms is not None:
            heapq.heappush(self._looks, (group.look_ms, group.group_id))

    def _remove(self, group: Group) -> None:
        known = self._groups.pop(group.group_id)
        del self._by_key[group.key]
        self.changed[GROUP + group.group_id.encode()] = None
        for alert_id in known.alerts:
            self._leave(alert_id, group.group_id)

    def _leave(self, alert_id: HexId, group_id: HexId) -> None:
        homes = self._homes[alert_id]
        homes.remove(group_id)
        if not homes:
            del self._homes[alert_id]


def _begin(key: str, kind: Kind, route: Route, labels: dict[str, str], alert: AlertState) -> Group:
    """A new group, called by its first alert: that can begin only one of this key."""
    ladder = [
        Rung(after_ms=round(step.after.total_seconds() * 1000), receivers=list(step.receivers)) for step in route.ladder
    ]
    return Group(
        group_id=derive("group", key, alert.alert_id),
        key=key,
        route=route.name,
        kind=kind,
        labels=labels,
        language=route.language,
        repeat_ms=None if route.repeat is None else round(route.repeat.total_seconds() * 1000),
        ladder=ladder,
    )


def _key(kind: Kind, route: Route, labels: dict[str, str], part: int) -> str:
    return json.dumps([route.name, kind, labels, *([part] if part else [])], sort_keys=True)
