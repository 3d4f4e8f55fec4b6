"""Orders of indicators and people: who may say what, and what comes of it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final, Literal, cast, get_args

from schemas import automation
from schemas.base import Bilingual
from schemas.channels import Hold, HoldKind
from schemas.commands import Action, Command, IndicatorsWord, PersonsWord, Report
from services.channel_control.decision import AlertNote, Decision, Moment, note_of, notes_for, refuse
from services.channel_control.enforcing.reports import report
from services.channel_control.governing.claims import answered, as_request, claimed, must_claim
from services.channel_control.holding.deadlines import expire
from services.channel_control.holding.holds import HOLD_KINDS, acts, asks, counts, is_record, place, waits, why
from services.channel_control.holding.loosening import override, resume, withdraw
from services.channel_control.holding.overrides import masked_by
from services.channel_control.holding.staleness import is_about_content, is_guardrail, is_stale
from services.channel_control.holding.target import Target
from services.channel_control.people.approvals import answer
from services.channel_control.people.entries import CONSOLES_WORDS, ENTRIES, entry
from services.channel_control.people.four_eyes import with_void
from services.channel_control.people.regrouping import regroup
from services.channel_control.people.silences import silence
from services.channel_control.ramps.ramps import paced
from services.channel_control.ramps.resuming import due, eased, ended, relapse
from services.channel_control.sentences import KINDS, both

ACTIONS: Final = frozenset(get_args(Action))
PERSONS_WORDS: Final = frozenset(get_args(PersonsWord))
INDICATORS_WORDS: Final = frozenset(get_args(IndicatorsWord))
ANSWERS: Final = frozenset({"granted", "declined"})
"""Of the governor to a target."""
REPORTS: Final = frozenset(get_args(Report))


def decide(target: Target, command: Command, moment: Moment) -> Decision:
    """What comes of an order on its target. Pure; never raises for what an order says."""
    decision = with_void(target, _decide(target, command, moment), command, moment)
    after = decision.target
    if after is None or after.holds == target.holds:
        return decision
    return replace(decision, target=replace(after, holds=paced(after.name, after.holds, moment.policy, moment.at)))


def _decide(target: Target, command: Command, moment: Moment) -> Decision:
    problem = _problem(command, moment.at)
    if problem is not None:
        return refuse(command, moment, problem)
    if command.command in _TIMES:
        return _TIMES[command.command](target, command, moment)
    if command.command in REPORTS:
        return report(target, command, moment)
    if _is_too_old(command, moment):
        return _stale(target, command, moment)
    return _DECIDERS.get(command.command, _hold)(target, command, moment)


def _asking(command: Command, moment: Moment) -> Command:
    """The order as it is taken: what automation would do now it asks for, where it is off."""
    if moment.asks_because is None or command.is_from_person():
        return command
    return command.model_copy(update={"maturity": "approve"})


def _is_too_old(command: Command, moment: Moment) -> bool:
    automatic = not command.is_from_person() and not moment.stale_acts
    return automatic and is_stale(command, moment.at, moment.policy.act_within)


def _stale(target: Target, command: Command, moment: Moment) -> Decision:
    """Nothing is held for it; but what its indicator held and was opening is put back: the trouble had returned."""
    text = both("too old to act on when it arrived", "到达时已过期，不再执行")
    told = note_of(command, "stale", moment.at, text)
    if command.command not in HOLD_KINDS:
        return Decision("stale", text, notes=told)
    holds, relapsed = relapse(target, cast(HoldKind, command.command), command, moment, acts=False)
    if holds == target.holds:
        return Decision("stale", text, notes=told)
    back = both(f"{text.en}; what was opening is put back", f"{text.zh}；恢复中的措施已收回")
    return Decision("stale", back, target.with_holds(holds), notes=(*relapsed, *told))


def _problem(command: Command, at: datetime) -> Bilingual | None:
    """Why this order cannot be taken, whatever stands on its target."""
    word = command.command
    if command.target == automation.TARGET:
        target, key = automation.TARGET, automation.KEY.decode()
        return both(
            f"{target} is switched on every partition, under the key {key}", f"{target} 须以键 {key} 发往所有分区"
        )
    may = _may_say(command)
    if word not in may:
        who = command.issued_by.partition(":")[0]
        return both(f"{word} is not for {who} to say", f"{who} 不能下达 {word}")
    if word == "throttle" and command.factor is None:
        return both("throttle without a factor", "限流未注明比例")
    if command.is_from_person():
        return _problem_of_person(command, at)
    if command.expires_at is not None:
        return both("an expiry is for people to give", "期限只能由人设定")
    if command.is_from_indicator() and command.maturity not in ("approve", "auto"):
        return both("an indicator's order without the maturity approve or auto", "指标的指令未标明 approve 或 auto")
    return None


def _problem_of_person(command: Command, at: datetime) -> Bilingual | None:
    """What stops, slows or keeps running says why, and may say until when."""
    word, holds = command.command, command.command in HOLD_KINDS or command.command == "override"
    if holds and not (command.note or "").strip():
        return both(f"{word} without a reason", f"{word} 未填写原因")
    if command.expires_at is not None and not (holds or word == "silence"):
        return both(f"{word} takes no expiry", f"{word} 不能设期限")
    if command.expires_at is not None and command.expires_at <= at:
        return both(f"{word} was over when it arrived", f"{word} 到达时已过期限")
    return None


def _may_say(command: Command) -> frozenset[str]:
    if command.is_from_person():
        return ACTIONS | PERSONS_WORDS | (ENTRIES - CONSOLES_WORDS)
    if command.issued_by == "governor":
        return ANSWERS
    if command.issued_by == "console":
        return CONSOLES_WORDS
    return REPORTS if command.issued_by == "reconciler" else ACTIONS | INDICATORS_WORDS


def _hold(target: Target, command: Command, moment: Moment) -> Decision:
    assert command.command in HOLD_KINDS  # noqa: S101 - all other words have been dealt with
    kind, command = cast(HoldKind, command.command), _asking(command, moment)
    standing, relapsed = relapse(target, kind, command, moment, acts=not asks(command))
    claims, decide_by = must_claim(command, moment.policy), moment.at + moment.policy.approvals.expire
    placing = place(standing, kind, as_request(command) if claims else command, moment.at, decide_by)
    placing = claimed(placing) if claims else placing
    stops = is_guardrail(command) and counts(placing.hold)
    holds = ended(placing.holds) if stops else placing.holds
    after = target.with_holds(holds)
    hold = next(hold for hold in after.holds if hold.hold_id == placing.hold.hold_id)
    told = (*relapsed, *_told(after, hold, command, moment))
    if holds == target.holds:
        return Decision("recorded", _covered_by(hold), holds=(hold.hold_id,), notes=told if asks(command) else ())
    left = {hold.hold_id for hold in after.holds}
    replaced = [hold for hold in target.holds if waits(hold) and hold.hold_id not in left]
    return Decision(
        _outcome(hold),
        _why(hold, command, moment),
        target=after,
        holds=(hold.hold_id,),
        notes=(*notes_for(replaced, target.name, "replaced", command.issued_by, moment.at), *told),
    )


def _why(hold: Hold, command: Command, moment: Moment) -> Bilingual:
    said, because = why(command), moment.asks_because
    if because is None or not waits(hold):
        return said
    return both(f"{said.en}; asked of a person, since {because.en}", f"{said.zh}；改为请求人工批准：{because.zh}")


def _outcome(hold: Hold) -> Literal["done", "masked", "waiting"]:
    if acts(hold) or hold.claim == "asked":
        return "done"
    return "masked" if counts(hold) else "waiting"


def _told(target: Target, hold: Hold, command: Command, moment: Moment) -> tuple[AlertNote, ...]:
    """How far an order has come that is in this hold. One that asks may find its answer there."""
    if counts(hold) and hold.masked and target.override is not None:
        return note_of(command, "masked", moment.at, masked_by(target.override))
    if asks(command) and hold.kind != command.command:
        return note_of(command, "replaced", moment.at)
    if not asks(command) or hold.approval == "none":
        return note_of(command, "ordered", moment.at)
    text = moment.asks_because if waits(hold) else None
    return note_of(command, hold.approval, moment.at, text, by=hold.decided_by)


def _covered_by(hold: Hold) -> Bilingual:
    zh = KINDS[hold.kind]
    if is_record(hold):
        end = "已驳回" if hold.approval == "rejected" else "逾期未决定"
        return both(
            f"{hold.kind} of the same alert was asked for before: {hold.approval}", f"同一告警此前已申请{zh}：{end}"
        )
    return both(f"{hold.kind} of the same alert stands already", f"同一告警的{zh}已存在")


def _escalate(target: Target, command: Command, moment: Moment) -> Decision:
    """Experts may always be asked, whatever the maturity. About content they are asked late, when its take-down was not
    confirmed in time: that raises the alert, unless only the platform's word for it is known here."""
    if not command.is_from_person() and target.has_confirmed("take_down", command.alert_id):
        text = both("not needed: the platform has confirmed the take-down", "无需处理：平台已确认下架")
        return Decision("recorded", text, notes=note_of(command, "refused", moment.at, text))
    notes = note_of(command, "done", moment.at)
    if is_about_content(command):
        notes = tuple(replace(note, level=command.level) for note in notes)
    return Decision("recorded", why(command), notes=notes)


def _acknowledge(_: Target, command: Command, moment: Moment) -> Decision:
    if command.alert_id is None:
        return refuse(command, moment, both("acknowledge does not say which alert", "确认接手未指明告警"))
    person = command.issued_by.removeprefix("person:")
    return Decision("done", why(command), notes=(AlertNote(command.alert_id, acknowledged_by=person),))


_TIMES: Final[Mapping[str, Callable[[Target, Command, Moment], Decision]]] = {
    "expired": expire,
    "due": due,
    "eased": eased,
    "granted": answered,
    "declined": answered,
}
"""Words that are never stale."""
_DECIDERS: Final[Mapping[str, Callable[[Target, Command, Moment], Decision]]] = {
    "resume": resume,
    "approve": answer,
    "reject": answer,
    "acknowledge": _acknowledge,
    "silence": silence,
    "escalate": _escalate,
    "override": override,
    "withdraw": withdraw,
    "merge": regroup,
    "split": regroup,
    "sign_in": entry,
    "sign_out": entry,
    "sign_in_failed": entry,
}
"""All other words are holds."""
