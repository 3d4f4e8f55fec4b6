"""What people say to let more through: `resume`, `override`, `withdraw`. One that four eyes guard becomes a request."""

from schemas.base import Bilingual
from schemas.commands import Command
from services.channel_control.decision import Decision, Moment, not_as_seen, refuse
from services.channel_control.holding import overrides
from services.channel_control.holding.lifting import lift
from services.channel_control.holding.target import Target
from services.channel_control.people import four_eyes
from services.channel_control.sentences import both


def resume(target: Target, command: Command, moment: Moment) -> Decision:
    """Lifts the named holds, or all, if they are what the person saw."""
    problem = not_as_seen(target, command) or _problem_of_resume(target, command)
    if problem is not None:
        return refuse(command, moment, problem)
    named = [hold for hold in target.holds if command.hold_ids is None or hold.hold_id in command.hold_ids]
    ids = [hold.hold_id for hold in named]
    if four_eyes.guarded(named, moment.policy.four_eyes):
        return four_eyes.ask(target, command, moment, ids, None)
    return lift(target, ids, command, moment)


def _problem_of_resume(target: Target, command: Command) -> Bilingual | None:
    if not target.holds:
        return both("no hold stands on this target", "该对象没有措施")
    if command.hold_ids is None:
        return None
    if not command.hold_ids:
        return both("resume names no hold", "未指明要解除的措施")
    if not set(command.hold_ids) <= {hold.hold_id for hold in target.holds}:
        return both("resume names a hold that does not stand", "所指的措施已不存在")
    return None


def override(target: Target, command: Command, moment: Moment) -> Decision:
    """Keeps a target running, if it is about what the person saw and no longer than the policy allows."""
    problem = overrides.problem_of(command, moment) or not_as_seen(target, command)
    if problem is not None:
        return refuse(command, moment, problem)
    masking = overrides.override_of(command, moment.at)
    masked = overrides.masked_under(target, masking)
    guarded = four_eyes.guarded(masked, moment.policy.four_eyes)
    if guarded:
        return four_eyes.ask(target, command, moment, [hold.hold_id for hold in guarded], masking)
    return overrides.keep_running(target, overrides.alone(masking, moment.policy.four_eyes), command, moment)


def withdraw(target: Target, command: Command, moment: Moment) -> Decision:
    """Takes back the override, or the person's own request, that it names."""
    request = four_eyes.named(target, command)
    if request is not None:
        return four_eyes.withdraw(target, request, command, moment)
    return overrides.withdraw(target, command, moment)
