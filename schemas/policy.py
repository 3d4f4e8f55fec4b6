"""The policy: the versioned document of thresholds, actions and maturity for every indicator.

A closed document: an unknown key is an error, since a threshold with a typing mistake would silently not apply.
Thresholds are typed by each rule and checked by the registry of rules; here they are a mapping.
"""

from datetime import timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from schemas.base import Maturity, Name, Versioned
from schemas.calendar import CalendarPolicy
from schemas.closed import Closed, Duration
from schemas.content import ContentPolicy
from schemas.directory import Directory


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("is not a time zone such as Asia/Shanghai") from None
    return value


class Clearing(Closed):
    """When an episode ends: the value has been under `below` × its threshold for `hold`, judged at panes' closes."""

    below: Annotated[float, Field(gt=0, le=1)] = 1.0
    hold: Duration = timedelta(0)


class IndicatorPolicy(Closed):
    """What one indicator does. `maturity` by action, or one for all; what it does not name has the rule's default."""

    enabled: bool = True
    maturity: Maturity | dict[str, Maturity] | None = None
    clear: Clearing | None = None
    thresholds: dict[str, Any] = {}


class ActWithin(Closed):
    """How old a verdict may be for its command still to act; an older one is recorded and told, not done."""

    usual: Duration = timedelta(minutes=15)
    guardrail: Duration = timedelta(hours=24)


def _patience(value: timedelta) -> timedelta:
    if not timedelta(0) < value <= timedelta(days=30):
        raise ValueError("must be more than nothing and at most 30d")
    return value


class Approvals(Closed):
    """Of orders with the maturity `approve`. `expire`: how long one waits for a person.

    Four hours: longer than a meeting, a meal or the way to the office; but half a shift later the figures that speak
    for the order are those of another part of the day. If things got worse meanwhile, the next level has asked anew.
    """

    expire: Annotated[Duration, AfterValidator(_patience)] = timedelta(hours=4)


class Policy(Closed):
    """One version of the policy."""

    v: Literal[1] = 1
    name: Annotated[Name, AfterValidator(str.strip)] = "default"
    version: Annotated[int, Field(ge=1)]
    time_zone: Annotated[str, AfterValidator(_zone)] = "Asia/Shanghai"
    max_silence: Duration = timedelta(hours=2)
    act_within: ActWithin = ActWithin()
    approvals: Approvals = Approvals()
    shared_addresses: list[Name] = []
    """IP addresses and networks (carrier NAT, offices) that many people share: never an actor."""
    directory: Directory = Directory()
    calendar: CalendarPolicy = CalendarPolicy()
    content: ContentPolicy = ContentPolicy()
    indicators: dict[str, IndicatorPolicy] = {}

    @property
    def label(self) -> str:
        """`name/version`, the policy's key on its topic."""
        return f"{self.name}/{self.version}"


class PolicyRef(Versioned):
    """The value of the key `active` on the `policy` topic."""

    name: Name
    version: int


class PolicyInForce(Versioned):
    """Written by the policy command to every partition of `channel-commands` and `alerts`, key `policy`.

    From that point of the log on this policy holds, so a replay finds it at the same place.
    """

    policy: Policy
