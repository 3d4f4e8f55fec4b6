"""The reconciler's reports: what the platform has confirmed, and what it has failed to do."""

from dataclasses import replace
from typing import Final

from schemas.commands import Command
from services.channel_control.decision import Decision, Moment, noted, notes_for, refuse
from services.channel_control.enforcing.drift import BY, drifted, is_back, left, over
from services.channel_control.holding.target import Target
from services.channel_control.sentences import STATUSES, both, cut

MAX_ERROR: Final = 300


def report(target: Target, command: Command, moment: Moment) -> Decision:
    """What a report changes: never the holds, so never the generation."""
    generation = command.expected_generation
    if generation is None:
        return refuse(command, moment, both("a report without the generation that it is about", "报告未注明版本"))
    if generation > target.generation:
        return refuse(command, moment, both(f"generation {generation} is not known here", f"没有第 {generation} 版"))
    if command.command == "drifted":
        if generation != target.confirmed_generation or generation < target.generation:
            return Decision("recorded", both("a reading of what has changed since", "读取之后对象已变化"))
        return drifted(target, command, moment)
    if target.confirmed_generation is not None and generation <= target.confirmed_generation:
        if command.command == "confirmed" and is_back(target, command.observed):
            return left(target, moment)
        text = both("this generation, or a newer one, is confirmed already", "该版本或更新的版本已确认")
        return Decision("recorded", text)
    if command.command == "confirmed":
        return _confirmed(target, command, generation, moment)
    return _failed(target, command, generation, moment)


def _confirmed(target: Target, command: Command, generation: int, moment: Moment) -> Decision:
    seen = command.observed
    if seen is None or seen.target != target.name or seen.generation != generation:
        problem = both(
            "a confirmation without what the platform answered for that generation", "确认未附平台对该版本的答复"
        )
        return refuse(command, moment, problem)
    current = generation == target.generation
    if current and seen != target.wanted():
        return refuse(command, moment, both("what the platform answered is not what is wanted", "平台的答复与要求不符"))
    new = target.acting_since(target.confirmed_generation or 0, generation)
    confirmed = replace(
        target,
        confirmed=seen.status,
        confirmed_generation=generation,
        confirmed_at=moment.at,
        error=None if current else target.error,
        drift=None if current else target.drift,
    )
    text = both(f"the platform says {seen.status}", f"平台显示为“{STATUSES[seen.status]}”")
    notes = notes_for(new, target.name, "confirmed", BY, moment.at) + (over(target, moment) if current else ())
    return Decision("confirmed", text, confirmed, tuple(hold.hold_id for hold in new), notes)


def _failed(target: Target, command: Command, generation: int, moment: Moment) -> Decision:
    if generation < target.generation:
        return Decision("recorded", both("a failure with an older generation", "较早版本的失败报告"))
    error = cut(noted(command) or both("the platform did not do it", "平台未执行"), MAX_ERROR)
    waiting = target.acting_since(target.confirmed_generation or 0, generation)
    notes = notes_for(waiting, target.name, "failed", BY, moment.at, error)
    return Decision("failed", error, replace(target, error=error), tuple(hold.hold_id for hold in waiting), notes)
