"""The part of the policy about telling: who is told of what, when, and in which language."""

from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from schemas.alerts import Language
from schemas.base import HexId, Instant, Name, Ref, Severity, Text, Versioned
from schemas.calendar import TimeOfDay
from schemas.closed import Closed, Duration

Trait = Literal["severity", "indicator", "subject", "channel", "product", "team"]
"""What an alert can be matched and grouped by."""

SILENCE_KEY: Final = b"silence"
"""The key of a Silence on `alerts`, which is no fact; channel_control writes it to every partition."""
LONGEST_SILENCE: Final = timedelta(days=7)
"""Of a person's: what is to be quiet for longer belongs into the policy, where others see it."""


def _wait(value: timedelta) -> timedelta:
    if not timedelta(0) < value <= timedelta(days=7):
        raise ValueError("must be more than nothing and at most 7d")
    return value


Wait = Annotated[Duration, AfterValidator(_wait)]
_ALIASES = ConfigDict(populate_by_name=True, serialize_by_alias=True)


class Matcher(Closed):
    """Which alerts: each list that is not empty has to hold what the alert has. `*` stands for any characters.

    A channel or product is that of the subject, of a label of that name, or of both parts of a promotion.
    """

    severity: list[Severity] = []
    indicator: list[Name] = []
    subject: list[Name] = []
    channel: list[Name] = []
    product: list[Name] = []
    team: list[Name] = []


class Hours(Closed):
    """Some hours of some days, in the policy's time zone; `to` before `from` is on the next day, the same is all day.

    worked: the days that the policy's calendar counts as worked; free: the others.
    """

    model_config = _ALIASES

    days: Literal["all", "worked", "free"] = "all"
    from_: Annotated[TimeOfDay, Field(alias="from")]
    to: TimeOfDay


class QuietHours(Hours):
    """Hours in which nobody is told of these severities; what still stands at their end is told then."""

    severity: Annotated[list[Severity], Field(min_length=1)] = ["info", "warning"]


class Step(Closed):
    """A step of a ladder: who else is told when nobody has acknowledged for so long."""

    after: Wait
    receivers: Annotated[list[Name], Field(min_length=1)]


class Route(Closed):
    """Who is told of which alerts. The first route that matches is taken, and with `also` the next one too.

    hours: when the route is taken at all. group_by: alerts with the same of these are told together; by nothing: all.
    repeat: what still fires so long after an acknowledgement rings again.
    """

    name: Name = "default"
    match: Matcher = Matcher()
    hours: Hours | None = None
    receivers: Annotated[list[Name], Field(min_length=1)] = ["default"]
    group_by: list[Trait] = ["subject"]
    language: Language = "both"
    repeat: Wait | None = None
    ladder: list[Step] = []
    also: bool = False

    @model_validator(mode="after")
    def _goes_up(self) -> "Route":
        waits = [step.after for step in self.ladder]
        if waits != sorted(set(waits)):
            raise ValueError("each step of a ladder comes later than the one before")
        return self


class Storm(Closed):
    """When groups are no longer told one by one: so many new ones on a route within such a time."""

    alerts: Annotated[int, Field(ge=1)] = 5
    within: Wait = timedelta(minutes=1)


class PlannedSilence(Closed):
    """A silence that the policy names."""

    model_config = _ALIASES

    match: Matcher
    author: Name
    reason: Text
    from_: Annotated[Instant, Field(alias="from")]
    to: Instant


class Inhibition(Closed):
    """While an alert of `source` stands, nobody is told of those of `target` that have the same of `equal`."""

    source: Matcher
    target: Matcher
    equal: list[Trait] = ["subject"]


class AlertingPolicy(Closed):
    """Who is told of what. gather: how long followers of a group are collected after a message, before the next one."""

    routes: Annotated[list[Route], Field(min_length=1)] = [Route()]
    gather: Wait = timedelta(seconds=15)
    storm: Storm = Storm()
    silences: list[PlannedSilence] = []
    inhibit: list[Inhibition] = []
    quiet_hours: list[QuietHours] = []

    @model_validator(mode="after")
    def _names_differ(self) -> "AlertingPolicy":
        names = [route.name for route in self.routes]
        if len(set(names)) < len(names):
            raise ValueError("two routes have the same name")
        return self


class Silence(Versioned):
    """A person's silence of one alert, or of a subject. A newer one of the same scope takes its place.

    until: None ends it.
    """

    silence_id: HexId
    alert_id: HexId | None = None
    subject: Ref
    by: Name
    reason: Text | None = None
    since: Instant
    until: Instant | None
