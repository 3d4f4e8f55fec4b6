"""How one target stands, for people: what holds it and why, what asks something of them, and how bad it is. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from schemas.alerts import AlertState
from schemas.base import Bilingual
from schemas.channels import ChannelState, Hold, TargetStatus
from services.console.pages.frame.indicators import called

Flag = Literal["drift", "failed", "unconfirmed", "waits", "override", "opening"]
"""`drift`: the platform shows something else than it had confirmed. `failed`: it was not carried out. `unconfirmed`:
not confirmed yet. `waits`: people have to decide. `opening`: a hold opens by itself."""
Part = Literal["acts", "opening", "waits", "masked", "over"]
"""What a hold does. `over`: it was rejected, or nobody decided in time: a record only."""

SEVERITY: Final[dict[TargetStatus, int]] = {"running": 0, "throttled": 1, "paused": 2, "frozen": 3, "taken_down": 4}
_PARTS: Final[tuple[Part, ...]] = ("acts", "opening", "waits", "masked", "over")
_STRENGTH: Final = {"take_down": 0, "freeze": 1, "pause": 2, "throttle": 3}
FindAlert = Callable[[str], AlertState | None]


@dataclass(frozen=True, slots=True)
class Reason:
    """A hold in words. by: a person's name, None where Tidegate placed it. until: when it ends, or the next step, or
    until when people may decide."""

    hold: Hold
    part: Part
    said: Bilingual
    by: str | None
    until: datetime | None

    @property
    def is_beyond(self) -> bool:
        """Whether it waits because the governor has let enough be stopped."""
        return self.part == "waits" and self.hold.claim == "declined"


def reasons(state: ChannelState | None, alert: FindAlert) -> list[Reason]:
    """All holds: those that act first, the strictest first."""
    found = [_reason(hold, alert) for hold in ([] if state is None else state.holds)]
    return sorted(found, key=lambda each: (_PARTS.index(each.part), _STRENGTH[each.hold.kind], each.hold.since))


def _reason(hold: Hold, alert: FindAlert) -> Reason:
    behind = alert(hold.alert_id or "")
    if behind is not None and hold.indicator is not None:
        said = behind.title
    else:
        said = Bilingual.of(hold.reason, hold.reason_zh) or called(hold.indicator or hold.by)
    part = part_of(hold)
    until = {"waits": hold.decide_by, "opening": hold.ramp.next_at if hold.ramp else None}.get(part, hold.until)
    return Reason(hold, part, said, person(hold.by), until)


def part_of(hold: Hold) -> Part:
    """What it does."""
    if hold.approval in ("rejected", "expired"):
        return "over"
    if hold.approval == "waiting":
        return "waits"
    if hold.masked:
        return "masked"
    return "opening" if hold.ramp is not None and hold.ramp.state == "opening" else "acts"


def person(who: str) -> str | None:
    """The name of a person, None for a part of Tidegate."""
    kind, _, name = who.partition(":")
    return name if kind == "person" else None


def flags(state: ChannelState | None) -> tuple[Flag, ...]:
    """What there is to see of a target beside its status, the worst first."""
    return () if state is None else tuple(_flags(state))


def _flags(state: ChannelState) -> Iterable[Flag]:
    platform = state.platform
    if platform.drift is not None:
        yield "drift"
    elif not is_confirmed(state):
        yield "failed" if platform.error else "unconfirmed"
    if state.requests or any(_asks_people(hold) for hold in state.holds):
        yield "waits"
    if state.override is not None:
        yield "override"
    if any(part_of(hold) == "opening" for hold in state.holds):
        yield "opening"


def _asks_people(hold: Hold) -> bool:
    """What still asks the governor, for milliseconds, asks nobody else."""
    return hold.approval == "waiting" and hold.claim != "asked"


def is_confirmed(state: ChannelState) -> bool:
    """Whether the platform shows what is wanted, or was never asked for anything but to run."""
    platform = state.platform
    never_asked = platform.confirmed is None and platform.wanted == "running" and not platform.error
    return never_asked or platform.confirmed_generation == state.generation


def badness(state: ChannelState | None, told: Iterable[int] = ()) -> tuple[int, ...]:
    """The larger, the sooner people look at it: what is not as it should be, what they are asked, what is stopped, and
    then what is `told`, such as how many critical alerts are open."""
    if state is None:
        return (0, 0, 0, *told)
    found = flags(state)
    wrong = 2 * ("drift" in found or "failed" in found) + ("unconfirmed" in found)
    return (wrong, "waits" in found, SEVERITY[state.status], *told)
