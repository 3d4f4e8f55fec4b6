"""Resuming by itself: what the words `eased` and `due` and a relapse make of a target's holds.

The companion says when a step's time has come and the machine decides whether it has, so a step is never early and
never lost. An order of the same indicator on the target is a relapse: what was opening is put back under its alert.
"""

from collections.abc import Iterable
from dataclasses import replace

from schemas.alerts import ActionState
from schemas.base import Bilingual
from schemas.channels import Hold, HoldKind
from schemas.commands import Command
from services.channel_control.decision import AlertNote, Decision, Moment, notes_for
from services.channel_control.holding.holds import asked_of, counts, hold_of, reason, reason_of, strictness, waits
from services.channel_control.holding.target import Target
from services.channel_control.ramps.ramps import begun, is_due, put_back, resume_for, running, shut, stepped
from services.channel_control.sentences import KINDS, both

_BY = "reconciler"


def eased(target: Target, command: Command, moment: Moment) -> Decision:
    """The indicator's word that the episode behind its holds is over."""
    mine = [hold for hold in target.holds if _eases(hold, command)]
    if not mine:
        text = both("nothing that this alert ordered stands here and has yet to ease", "该告警已没有待解除的措施")
        return Decision("recorded", text)
    resumes = {hold.hold_id: resume_for(hold, target.name, moment.policy) for hold in mine}
    new = [begun(hold, resumes[hold.hold_id], moment.at) for hold in mine if resumes[hold.hold_id].auto]
    if not new:
        return Decision("recorded", both("a person lifts it, by the policy", "按策略须人工解除"), holds=_ids(mine))
    once, zh_once = (", once it is approved,", "获批后") if waits(new[0]) else ("", "")
    wait = _wait(new[0])
    text = both(
        f"the {new[0].kind}{once} begins to open in {wait.en}", f"{KINDS[new[0].kind]}{zh_once}将在 {wait.zh}后开始恢复"
    )
    notes = notes_for(new, target.name, "opening", command.issued_by, moment.at, text)
    return Decision("done", text, target.with_holds(_with(target.holds, new)), _ids(new), notes)


def _eases(hold: Hold, command: Command) -> bool:
    if hold.alert_id is None or (hold.alert_id, hold.by) != (command.alert_id, command.issued_by):
        return False
    may_act = counts(hold) or waits(hold)
    return may_act and (hold.ramp is None or hold.ramp.state == "held")


def due(target: Target, command: Command, moment: Moment) -> Decision:
    """The companion's word that the time of the next step has come."""
    named = [hold for hold in _named(target, command) if is_due(hold, moment.at)]
    if not named:
        return Decision("recorded", both("nothing of it is due", "尚未到时"))
    said: list[Bilingual] = []
    notes: list[AlertNote] = []
    holds = target.holds
    for hold in named:
        after, text = _next(hold, target.name, moment)
        said.append(text)
        notes += notes_for([hold], target.name, _state(after), _BY, moment.at, text)
        holds = _with(holds, [after]) if after else tuple(each for each in holds if each is not hold)
    text = both("; ".join(each.en for each in said), "；".join(each.zh for each in said))
    return Decision("done", text, target.with_holds(holds), _ids(named), tuple(notes))


def _state(after: Hold | None) -> ActionState:
    if after is None:
        return "lifted"
    return "opening" if running(after) else "relapsed"


def _next(hold: Hold, target: str, moment: Moment) -> tuple[Hold | None, Bilingual]:
    """The hold after its step, None where it is lifted; and what to say of it."""
    resume, zh = resume_for(hold, target, moment.policy), KINDS[hold.kind]
    if not resume.auto:
        return shut(hold), both(
            f"the {hold.kind} stays: by the policy a person lifts it now", f"{zh}保持：按现行策略须人工解除"
        )
    after = stepped(hold, resume, moment.at)
    if after is None or after.ramp is None:
        return None, both(f"the {hold.kind} is lifted, its trouble has not come back", f"{zh}已解除，异常未再出现")
    step = f"{after.ramp.step:.0%}"
    return after, both(f"the {hold.kind} is opened to {step} of the traffic", f"{zh}已放开至 {step} 的流量")


def relapse(
    target: Target, kind: HoldKind, command: Command, moment: Moment, *, acts: bool
) -> tuple[tuple[Hold, ...], tuple[AlertNote, ...]]:
    """The holds when their indicator orders anew: what was opening is put back, and if the order acts made as strict as
    that. And what the alert is told of it."""
    if command.is_from_person():
        return target.holds, ()
    ordered = hold_of(kind, command, moment.at, moment.at)
    back: list[Hold] = []
    for hold in target.holds:
        if (ramp := running(hold)) is not None and hold.by == command.issued_by and not waits(hold):
            resume = resume_for(hold, target.name, moment.policy)
            back.append(_under(put_back(hold, ramp, resume), ordered, acts=acts))
    notes = [_told(note, hold, command) for hold in back for note in _relapsed(hold, target.name, command, moment)]
    return _with(target.holds, back), tuple(notes)


def _under(hold: Hold, ordered: Hold, *, acts: bool) -> Hold:
    """The hold as one of the new alert, and as strict as what that orders."""
    worst = min((hold, ordered), key=lambda each: strictness(asked_of(each))) if acts else hold
    alert = (ordered.alert_id, ordered.level) if ordered.alert_id else (hold.alert_id, hold.level)
    update = {"alert_id": alert[0], "level": alert[1], "kind": worst.kind, "factor": worst.factor}
    return hold.model_copy(update={**update, **reason(reason_of(ordered))})


def _relapsed(hold: Hold, target: str, command: Command, moment: Moment) -> tuple[AlertNote, ...]:
    wait, zh = _wait(hold), KINDS[hold.kind]
    text = both(
        f"the {hold.kind} is put back; when this is over it waits {wait.en} before it opens",
        f"{zh}已恢复；异常结束后等待 {wait.zh}再逐步放开",
    )
    if _needs_person(hold):
        text = both(
            f"the {hold.kind} is put back, and has been too often: it stays until a person lifts it",
            f"{zh}已恢复，且复发次数过多：须人工解除",
        )
    return notes_for([hold], target, "relapsed", command.issued_by, moment.at, text)


def _wait(hold: Hold) -> Bilingual:
    minutes = 0 if hold.ramp is None else hold.ramp.wait_s / 60
    return both("no time" if hold.ramp is None else f"{minutes:,.0f} minutes", f"{minutes:,.0f} 分钟")


def _told(note: AlertNote, hold: Hold, command: Command) -> AlertNote:
    """Where a person is needed the alert rises, so that people are called."""
    return replace(note, level=(command.level or 1) + 1) if _needs_person(hold) else note


def _needs_person(hold: Hold) -> bool:
    return hold.ramp is not None and hold.ramp.state == "person"


def ended(holds: Iterable[Hold]) -> tuple[Hold, ...]:
    """These holds once a guardrail has stopped their target: what was opening is shut, and people lift both."""
    return tuple(map(shut, holds))


def _named(target: Target, command: Command) -> list[Hold]:
    return [hold for hold in target.holds if hold.hold_id in (command.hold_ids or ())]


def _with(holds: Iterable[Hold], new: Iterable[Hold]) -> tuple[Hold, ...]:
    by_id = {hold.hold_id: hold for hold in new}
    return tuple(by_id.get(hold.hold_id, hold) for hold in holds)


def _ids(holds: Iterable[Hold]) -> tuple[str, ...]:
    return tuple(hold.hold_id for hold in holds)
