"""Claims: a stop that automation orders on a channel or promotion acts when the governor has granted it its share.

A claimed hold stands as one that waits. What the governor declines waits for two people instead; what they approve, and
what is lifted, the governor is told.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from schemas import resuming
from schemas.channels import Hold
from schemas.commands import Command
from schemas.governor import GOVERNOR, Claim
from schemas.policy import Policy
from services.channel_control.decision import Decision, Moment, noted, notes_for
from services.channel_control.holding.holds import MAX_REASON, Placing, asked_of, is_record, reason, reason_of, waits
from services.channel_control.holding.target import Target
from services.channel_control.ramps.resuming import ended
from services.channel_control.sentences import both, cut
from services.runtime.ids import derive

BY: Final = "governor"
GOVERNED: Final = ("channel:", "promotion:")


def must_claim(command: Command, policy: Policy) -> bool:
    """Whether an order that holds is one that the governor has a say in."""
    automatic = command.is_from_indicator() and command.maturity == "auto"
    return automatic and policy.governor.enabled and command.target.startswith(GOVERNED)


def as_request(command: Command) -> Command:
    """The order as one that has to ask, since until it is granted it acts no more than that."""
    return command.model_copy(update={"maturity": "approve"})


def claimed(placing: Placing) -> Placing:
    """What has been placed by such an order asks the governor, unless it found its answer there."""
    hold = placing.hold
    if placing.how == "covered" or not waits(hold):
        return placing
    asked = hold.model_copy(update={"claim": "asked"})
    return Placing(tuple(asked if each is hold else each for each in placing.holds), asked, placing.how)


def answered(target: Target, command: Command, moment: Moment) -> Decision:
    """The governor's `granted` or `declined`."""
    hold = next((each for each in target.holds if _is_answered(each, command)), None)
    if hold is None:
        return Decision("recorded", both("nothing of it asks the governor any more", "已没有待总闸决定的措施"))
    if command.command == "granted" and moment.asks_because is None:
        return _granted(target, hold)
    declined = command.command == "declined"
    because = noted(command) if declined else moment.asks_because
    said = both("", "") if because is None else because
    text = both(f"held back, since {said.en}", f"暂不执行：{said.zh}")
    if declined:
        text = both(f"held back by the governor: {said.en}", f"被总闸拦下：{said.zh}")
    before = reason_of(hold)
    update = {
        "claim": "declined",
        "approvals_needed": _approvals(moment.policy) if declined else 1,
        "decide_by": moment.at + moment.policy.approvals.expire,
        **reason(cut(both(f"{before.en}. {text.en}", f"{before.zh}。{text.zh}"), MAX_REASON)),
    }
    after = hold.model_copy(update=update)
    notes = notes_for([after], target.name, "waiting", BY, moment.at, text)
    return Decision("waiting", text, _with(target, hold, after), (hold.hold_id,), notes)


def _approvals(policy: Policy) -> int:
    """How many people it takes to go beyond the governor."""
    rule = policy.four_eyes
    return rule.approvals if "governor" in rule.orders else 1


def _is_answered(hold: Hold, command: Command) -> bool:
    asking = ("asked", "declined") if command.command == "granted" else ("asked",)
    return hold.hold_id in (command.hold_ids or ()) and hold.claim in asking and waits(hold)


def _granted(target: Target, hold: Hold) -> Decision:
    after = _with(target, hold, hold.model_copy(update={"approval": "none", "decide_by": None, "claim": "granted"}))
    if resuming.is_guardrail(hold.indicator or "", hold.kind):
        after = target.with_holds(ended(after.holds))
    text = both("within the governor's limits", "未超出总闸上限")
    return Decision("done", text, after, (hold.hold_id,))


def _with(target: Target, old: Hold, new: Hold) -> Target:
    return target.with_holds(tuple(new if each is old else each for each in target.holds))


def words(before: Target, after: Target, at: datetime) -> Iterator[Command]:
    """What the governor is told of a change: first what it gets back, then what is asked of it."""
    standing = {hold.hold_id: hold for hold in after.holds}
    known = {hold.hold_id: hold for hold in before.holds}
    for hold in before.holds:
        now = standing.get(hold.hold_id)
        if hold.claim is not None and not is_record(hold) and (now is None or is_record(now)):
            yield _word("release", hold, after, at)
    for hold in after.holds:
        was = known.get(hold.hold_id)
        if hold.claim == "asked" and waits(hold) and (was is None or _asks_anew(was, hold)):
            yield _word("claim", hold, after, at, approved=False)
        elif hold.claim is not None and was is not None and _acts_beyond(was, hold):
            yield _word("claim", hold, after, at, approved=True)


def _asks_anew(was: Hold, hold: Hold) -> bool:
    return was.claim != "asked" or was.level != hold.level


def _acts_beyond(was: Hold, hold: Hold) -> bool:
    """Whether people have approved it, or a relapse has put it back stricter than it was granted."""
    if hold.approval == "granted" and was.approval == "waiting":
        return True
    return hold.approval in ("none", "granted") and (was.kind, was.factor) != (hold.kind, hold.factor)


def _word(word: str, hold: Hold, target: Target, at: datetime, *, approved: bool = False) -> Command:
    """The same change gives the same id."""
    claim = Claim(
        target=target.name,
        hold_id=hold.hold_id,
        kind=hold.kind,
        left=asked_of(hold.model_copy(update={"ramp": None}))[1],
        indicator=hold.indicator or hold.by,
        level=hold.level or 1,
        guardrail=resuming.is_guardrail(hold.indicator or "", hold.kind),
        approved=approved,
    )
    return Command.model_validate(
        {
            "command_id": derive(hold.hold_id, str(target.generation), word),
            "command": word,
            "target": GOVERNOR,
            "hold_ids": [hold.hold_id],
            "issued_by": BY,
            "alert_id": hold.alert_id,
            "issued_at": at,
            "claim": claim,
        }
    )
