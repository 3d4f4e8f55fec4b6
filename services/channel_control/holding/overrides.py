"""Override: a person keeps a target running until a time. Holds that it masks stand, and act when it ends.

It ends at its time, or when a person withdraws it; a later override takes its place.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import get_args

from schemas.base import Bilingual
from schemas.channels import Hold, HoldGuard, Override
from schemas.commands import Command
from schemas.policy import FourEyes
from services.channel_control.decision import (
    AlertNote,
    Decision,
    Moment,
    in_words,
    not_as_seen,
    noted,
    notes_for,
    refuse,
)
from services.channel_control.holding.holds import acts, counts, why
from services.channel_control.holding.target import Target
from services.channel_control.sentences import both, name
from services.runtime.ids import derive


def keep_running(target: Target, override: Override, command: Command, moment: Moment) -> Decision:
    """The override is in force by this order; an older one goes."""
    after = _under(target, override)
    return Decision(
        "done",
        why(command),
        target=after,
        holds=tuple(hold.hold_id for hold in masked_under(target, override)),
        notes=notes_of_change(target, after, command.issued_by, moment.at, noted(command)),
    )


def alone(override: Override, rule: FourEyes) -> Override:
    """The override of one person: what takes several acts through it, should it come meanwhile."""
    return override.model_copy(update={"spares": [each for each in get_args(HoldGuard) if each in rule.orders]})


def masked_under(target: Target, override: Override) -> list[Hold]:
    """The standing holds that it keeps from acting."""
    return [hold for hold in _under(target, override).holds if hold.masked and counts(hold)]


def _under(target: Target, override: Override) -> Target:
    """Marked here, since of people's holds only those are meant that stood when it was asked for."""
    holds = tuple(hold.model_copy(update={"masked": hold.since <= override.since}) for hold in target.holds)
    return replace(target, override=override).with_holds(holds)


def withdraw(target: Target, command: Command, moment: Moment) -> Decision:
    """A person's `withdraw` of the override that they name: what it masked acts."""
    standing = target.override
    problem = not_as_seen(target, command)
    if problem is None and (standing is None or command.hold_ids != [standing.override_id]):
        problem = both("withdraw does not name the override that stands", "所指的人工放行已不存在")
    if problem is not None:
        return refuse(command, moment, problem)
    after = replace(target, override=None).with_holds(target.holds)
    return Decision(
        "done",
        why(command),
        target=after,
        holds=tuple(hold.hold_id for hold in released(target, after)),
        notes=notes_of_change(target, after, command.issued_by, moment.at, noted(command)),
    )


def released(before: Target, after: Target) -> list[Hold]:
    """The holds that were masked and act now."""
    return _acting_only_in(after, before.holds)


def notes_of_change(
    before: Target, after: Target, by: str, at: datetime, text: Bilingual | None
) -> tuple[AlertNote, ...]:
    """What the alerts are told whose holds no longer act, and those whose holds act again."""
    return (
        *notes_for(_acting_only_in(before, after.holds), after.name, "masked", by, at, text),
        *notes_for(released(before, after), after.name, "ordered", by, at, text),
    )


def masked_by(override: Override) -> Bilingual:
    """Why a hold does not act, in one sentence."""
    until, why_not = in_words(override.until), override.reason
    return both(
        f"masked until {until} by {override.by}: {why_not}", f"{name(override.by)} 人工放行至 {until}：{why_not}"
    )


def _acting_only_in(target: Target, others: Iterable[Hold]) -> list[Hold]:
    """The holds that act here and stand there without acting."""
    idle = {hold.hold_id for hold in others if counts(hold) and hold.masked}
    return [hold for hold in target.holds if acts(hold) and hold.hold_id in idle]


def problem_of(command: Command, moment: Moment) -> Bilingual | None:
    """Why this is no override, whatever stands."""
    if command.expires_at is None:
        return both("override does not say until when", "人工放行未注明截止时间")
    if command.indicators == []:
        return both("override names no indicator", "人工放行未指明指标")
    longest = moment.policy.overrides.longest
    if command.expires_at > moment.at + longest:
        return both(
            f"override is for longer than the policy allows: {longest}", f"人工放行超过策略允许的时长：{longest}"
        )
    return None


def override_of(command: Command, at: datetime) -> Override:
    """What the order asks for."""
    assert command.expires_at is not None  # noqa: S101 - it was asked for before
    return Override(
        override_id=derive(command.command_id, "override"),
        by=command.issued_by,
        since=at,
        until=command.expires_at,
        indicators=command.indicators,
        reason=why(command).en,
    )
