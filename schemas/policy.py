"""The policy: the versioned document of thresholds, actions and maturity for every indicator.

A closed document: an unknown key is an error, since a threshold with a typing mistake would silently not apply.
Thresholds are typed by each rule and checked by the registry of rules; here they are a mapping.
"""

from datetime import timedelta
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field

from schemas.alerting import AlertingPolicy
from schemas.base import Maturity, Name, Versioned
from schemas.calendar import CalendarPolicy
from schemas.closed import Closed, Duration
from schemas.content import ContentPolicy
from schemas.directory import Directory
from schemas.goals import DEFAULT_GOALS, Goals
from schemas.governor import Governor
from schemas.maintenance import MaintenanceWindow
from schemas.platform_policy import PlatformsPolicy
from schemas.resuming import ResumePolicy


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("is not a time zone such as Asia/Shanghai") from None
    return value


def _maturity(value: Any) -> Any:
    """Says in one sentence what a union would say in several."""
    words = get_args(Maturity)
    wrong = [value] if not isinstance(value, dict) else value.values()
    if value is not None and not all(isinstance(each, str) and each in words for each in wrong):
        raise ValueError(f"is one of {', '.join(words)}, or a mapping from actions to these")
    return value


def _policy_name(value: str) -> str:
    if "/" in value:
        raise ValueError("has no slash, which stands before the version")
    return value.strip()


MaturityPolicy = Annotated[Maturity | dict[str, Maturity] | None, BeforeValidator(_maturity)]
"""One for all actions, or by action."""
Share = Annotated[float, Field(gt=0, le=1)]


class Clearing(Closed):
    """When an episode ends: the value has been under `below` × its threshold for `hold`, judged at panes' closes."""

    below: Share = 1.0
    hold: Duration = timedelta(0)


class FirePolicy(Closed):
    """When an episode begins: the verdict has been in breach for `hold`, judged at panes' closes."""

    hold: Duration | None = None


class ClearPolicy(Closed):
    """What the policy says of a Clearing."""

    below: Share | None = None
    hold: Duration | None = None


class SubjectPolicy(Closed):
    """What one indicator does with one subject. What is left out is as the indicator does with all others."""

    enabled: bool | None = None
    maturity: MaturityPolicy = None
    fire: FirePolicy = FirePolicy()
    clear: ClearPolicy = ClearPolicy()
    resume: ResumePolicy = ResumePolicy()
    thresholds: dict[str, Any] = {}


class IndicatorPolicy(SubjectPolicy):
    """What one indicator does with all subjects. What is left out is as the rule says.

    overrides: by subject (`channel:douyin`), of the kind that the indicator judges.
    """

    enabled: bool = True
    overrides: dict[Name, SubjectPolicy] = {}


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


GuardedOrder = Literal["guardrail", "unfreeze", "governor", "policy"]


class FourEyes(Closed):
    """What takes several people. `approvals`: so many beside the one who asked, all different; `expire`: how long they
    have. Where nobody is left to agree at night, fewer approvals are a decision of the policy, not of the night.
    """

    orders: list[GuardedOrder] = ["guardrail", "unfreeze", "governor", "policy"]
    """`guardrail`: to let go on what complaints paused, or what was taken down. `governor`: to go beyond it. `policy`:
    one by which more acts by itself, or which asks fewer people; without it one other person suffices."""
    approvals: Annotated[int, Field(ge=1, le=9)] = 2
    expire: Annotated[Duration, AfterValidator(_patience)] = timedelta(hours=4)


def _longest(value: timedelta) -> timedelta:
    if not timedelta(0) < value <= timedelta(days=7):
        raise ValueError("must be more than nothing and at most 7d")
    return value


class Overrides(Closed):
    """Of people who keep a target running. `longest`: for how long at most; then they have to say so again.

    Twelve hours: through a shift and the handover of the next; a day later the reason is somebody else's.
    """

    longest: Annotated[Duration, AfterValidator(_longest)] = timedelta(hours=12)


class Policy(Closed):
    """One version of the policy."""

    v: Literal[1] = 1
    name: Annotated[Name, AfterValidator(_policy_name)] = "default"
    version: Annotated[int, Field(ge=1)]
    time_zone: Annotated[str, AfterValidator(_zone)] = "Asia/Shanghai"
    max_silence: Duration = timedelta(hours=2)
    act_within: ActWithin = ActWithin()
    approvals: Approvals = Approvals()
    four_eyes: FourEyes = FourEyes()
    overrides: Overrides = Overrides()
    governor: Governor = Governor()
    maintenance: list[MaintenanceWindow] = []
    platforms: PlatformsPolicy = PlatformsPolicy()
    shared_addresses: list[Name] = []
    """IP addresses and networks (carrier NAT, offices) that many people share: never an actor."""
    directory: Directory = Directory()
    calendar: CalendarPolicy = CalendarPolicy()
    content: ContentPolicy = ContentPolicy()
    alerting: AlertingPolicy = AlertingPolicy()
    goals: Goals = DEFAULT_GOALS
    """Of the business figures: those not named have the goals that are here by default."""
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
