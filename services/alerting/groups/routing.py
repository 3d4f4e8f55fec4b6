"""Which routes an alert takes at a moment, and until when nobody is told of it. Pure; moments in ms."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

from schemas.alerting import AlertingPolicy, Hours, Matcher, Route, Silence, Trait
from schemas.alerts import AlertState
from schemas.base import from_ms, to_ms
from schemas.policy import Policy
from services.runtime.calendar import Calendar, moment_ms

UNTIL_TOLD: Final = 2**62
"""No moment is known: only another record can end it."""

_ON: Final = "@"
"""Between product and channel of a promotion."""


def trait(alert: AlertState, name: Trait) -> str:
    """What an alert has of something, the empty text where it has nothing of it."""
    kind, _, about = alert.subject.partition(":")
    if name == "severity":
        return alert.severity
    if name == "indicator":
        return alert.indicator
    if name == "subject":
        return alert.subject
    if name == "team":
        return alert.team or ""
    if kind == "promotion":
        product, _, channel = about.partition(_ON)
        return product if name == "product" else channel
    return about if kind == name else alert.labels.get(name, "")


def matches(matcher: Matcher, alert: AlertState) -> bool:
    """Whether an alert is one of these."""
    traits: tuple[tuple[Trait, Sequence[str]], ...] = (
        ("severity", matcher.severity),
        ("indicator", matcher.indicator),
        ("subject", matcher.subject),
        ("channel", matcher.channel),
        ("product", matcher.product),
        ("team", matcher.team),
    )
    return all(
        (has := trait(alert, name)) != "" and any(fnmatchcase(has, wanted) for wanted in any_of)
        for name, any_of in traits
        if any_of
    )


class Rules:
    """One policy, as far as it is about telling."""

    def __init__(self, policy: Policy | None) -> None:
        self._policy = policy or Policy(version=1)

    @property
    def alerting(self) -> AlertingPolicy:
        """The section itself."""
        return self._policy.alerting

    @cached_property
    def _calendar(self) -> Calendar:
        return Calendar(self._policy.calendar, self._policy.time_zone)

    @cached_property
    def zone(self) -> ZoneInfo:
        """In which people read times."""
        return ZoneInfo(self._policy.time_zone)

    def routes(self, alert: AlertState, now_ms: int) -> Iterator[Route]:
        """Those that the alert takes, in their order."""
        for route in self.alerting.routes:
            if matches(route.match, alert) and (route.hours is None or self._end_of(route.hours, now_ms)):
                yield route
                if not route.also:
                    return

    def receivers(self, route: Route, alert: AlertState) -> list[str]:
        """Those of a route. Of a receiver that is dead the others are told, if need be those of other routes."""
        kind, _, about = alert.subject.partition(":")
        if kind != "receiver":
            return list(dict.fromkeys(route.receivers))
        steps = [step.receivers for each in self.alerting.routes for step in each.ladder]
        elsewhere = [name for names in (*(each.receivers for each in self.alerting.routes), *steps) for name in names]
        for names in (route.receivers, elsewhere):
            if others := [name for name in dict.fromkeys(names) if name != about]:
                return others
        return route.receivers

    def quiet_until(self, alert: AlertState, now_ms: int) -> int:
        """Until when hours, maintenance or the policy's own silences forbid to tell of an alert; 0 if they do not."""
        hours = [self._end_of(each, now_ms) for each in self.alerting.quiet_hours if alert.severity in each.severity]
        planned = [
            to_ms(each.to)
            for each in self.alerting.silences
            if to_ms(each.from_) <= now_ms < to_ms(each.to) and matches(each.match, alert)
        ]
        now = from_ms(now_ms)
        worked_on = [to_ms(each.to) for each in self._policy.maintenance if each.is_open(alert.subject, now)]
        return max([0, *hours, *planned, *worked_on])

    def is_source(self, alert: AlertState) -> bool:
        """Whether others may be inhibited while this alert stands."""
        return any(matches(each.source, alert) for each in self.alerting.inhibit)

    def is_inhibited(self, alert: AlertState, standing: Iterable[AlertState]) -> bool:
        """Whether one of those that stand makes it needless to tell of this one. None inhibits itself, or its like."""
        rules = [each for each in self.alerting.inhibit if matches(each.target, alert)]
        return any(
            source.alert_id != alert.alert_id
            and matches(each.source, source)
            and not matches(each.source, alert)
            and all(trait(source, name) == trait(alert, name) for name in each.equal)
            for each in rules
            for source in standing
        )

    def _end_of(self, hours: Hours, now_ms: int) -> int:
        """When these hours are over if it is one of them now, else 0. A span belongs to the day on which it begins."""
        today = datetime.fromtimestamp(now_ms // 1000, self.zone).date()
        for day in (today - timedelta(days=1), today):
            if hours.days == "all" or self._calendar.day(day).worked == (hours.days == "worked"):
                last = day if hours.to > hours.from_ else day + timedelta(days=1)
                begins, ends = moment_ms(day, hours.from_, self.zone), moment_ms(last, hours.to, self.zone)
                if begins <= now_ms < ends:
                    return ends
        return 0


def silenced_until(alert: AlertState, silences: Mapping[str, Silence], now_ms: int) -> int:
    """Until when people have silenced an alert; 0 if nobody has."""
    return max(
        (
            to_ms(each.until)
            for each in silences.values()
            if each.until is not None
            and to_ms(each.until) > now_ms
            and (each.alert_id == alert.alert_id if each.alert_id else each.subject == alert.subject)
        ),
        default=0,
    )


def group_labels(route: Route, alert: AlertState) -> dict[str, str]:
    """What the alerts of a group have in common."""
    return {name: trait(alert, name) for name in route.group_by}
