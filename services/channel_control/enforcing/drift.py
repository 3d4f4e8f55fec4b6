"""Drift: a platform that had confirmed an order shows something else when it is read again.

It is told once, in the alerts behind the holds or, where there are none, in one of its own; and corrected, by the same
order once more, or left, as the policy says.
"""

from dataclasses import replace
from typing import Final

from schemas.alerts import AlertWords
from schemas.base import Bilingual
from schemas.channels import Drift, Hold, TargetStatus, WantedState
from schemas.commands import Command
from schemas.policy import Policy
from services.channel_control.decision import AlertNote, Decision, Moment, notes_for
from services.channel_control.holding.holds import acts
from services.channel_control.holding.target import Target
from services.channel_control.sentences import STATUSES, both
from services.runtime.ids import derive

BY: Final = "reconciler"
INDICATOR: Final = "platform_drift"
RUNBOOK: Final = f"services/channel_control/runbook.md#{INDICATOR}"
_ORDER: Final[tuple[TargetStatus, ...]] = ("running", "throttled", "paused", "frozen", "taken_down")


def has_drifted(target: Target, seen: WantedState | None, *, corrected: bool) -> bool:
    """Whether there is anything to report: it is not as wanted, and not as reported before; or it was left and would
    be `corrected` by now."""
    if seen == target.wanted():
        return False
    return target.drift is None or target.drift.shown != seen or (corrected and not target.drift.corrects)


def is_back(target: Target, seen: WantedState | None) -> bool:
    """Whether a drift that was told and left is over, by whoever's hand."""
    return target.drift is not None and seen == target.wanted()


def is_looser(seen: WantedState | None, wanted: WantedState) -> bool:
    """Whether a platform lets more through than is wanted; one that knows nothing of it may."""
    if seen is None:
        return True
    if seen.status == wanted.status:
        return seen.factor >= wanted.factor
    return _ORDER.index(seen.status) < _ORDER.index(wanted.status)


def drifted(target: Target, command: Command, moment: Moment) -> Decision:
    """The reconciler's word that a target which was settled is not as wanted."""
    seen, wanted = command.observed, target.wanted()
    corrects = corrected(seen, wanted, moment.policy, asks=moment.asks_because is not None)
    if not has_drifted(target, seen, corrected=corrects):
        return Decision("recorded", both("told before", "此前已告知"))
    text = _text(seen, corrects=corrects)
    behind = _behind(target)
    alert_id = None if behind else derive("drift", target.name, str(target.generation), str(target.drifts))
    if target.drift is not None and target.drift.alert_id is not None:
        alert_id = target.drift.alert_id
    shown = Drift(shown=seen, since=moment.at, corrects=corrects, alert_id=alert_id)
    after = replace(target, drift=shown, drifts=target.drifts + 1)
    if corrects:
        # Unconfirmed again, so that the reconciler puts it once more, with the generation that it has.
        after = replace(after, confirmed=None if seen is None else seen.status, confirmed_generation=None, error=text)
    notes = notes_for(behind, target.name, "failed", BY, moment.at, text)
    if alert_id is not None:
        notes = (AlertNote(alert_id, words=_opening(target, shown, text, moment)), *notes)
    return Decision("failed" if corrects else "recorded", text, after, _ids(behind), notes)


def over(target: Target, moment: Moment) -> tuple[AlertNote, ...]:
    """What is told when the platform shows what is wanted again; where a correction is confirmed, its holds are told as
    of every confirmation."""
    if target.drift is None or target.drift.alert_id is None:
        return ()
    words = Bilingual(en="The platform shows what is wanted again.", zh="平台状态已与要求一致。")
    return (AlertNote(target.drift.alert_id, words=AlertWords(status="resolved", summary=words)),)


def left(target: Target, moment: Moment) -> Decision:
    """A drift that was told and left is over."""
    behind = _behind(target)
    after = replace(target, drift=None, confirmed_at=moment.at, error=None)
    status = target.wanted().status
    text = both(f"the platform says {status} again", f"平台再次显示为“{STATUSES[status]}”")
    notes = (*notes_for(behind, target.name, "confirmed", BY, moment.at), *over(target, moment))
    return Decision("confirmed", text, after, _ids(behind), notes)


def corrected(seen: WantedState | None, wanted: WantedState, policy: Policy, *, asks: bool) -> bool:
    """Whether what is wanted is put again. Not while automation `asks` instead of acting (it is off, or something is
    worked on there): people who then act on the platform itself are not fought."""
    if asks or (seen is not None and seen.generation > wanted.generation):
        return False  # or it has an order that we know nothing of, and would refuse ours
    drift = policy.platforms.drift
    return (drift.looser if is_looser(seen, wanted) else drift.stricter) == "correct"


def _text(seen: WantedState | None, *, corrects: bool) -> Bilingual:
    shows, zh = "knows nothing of it", "没有该对象的记录"
    if seen is not None:
        left = f" to {seen.factor:.0%}" if seen.status == "throttled" else ""
        shows, zh = f"shows {seen.status}{left}", f"显示为“{STATUSES[seen.status]}{left.removeprefix(' to')}”"
    then, done = ("it is put again", "已重新下发指令") if corrects else ("it is left so", "保持不变，请人工核实")
    return both(
        f"the platform {shows}, though it had confirmed the order; {then}", f"平台{zh}，与此前确认的不符；{done}"
    )


def _behind(target: Target) -> list[Hold]:
    """The holds whose alerts can be told."""
    return [hold for hold in target.holds if acts(hold) and hold.alert_id is not None]


def _ids(holds: list[Hold]) -> tuple[str, ...]:
    return tuple(hold.hold_id for hold in holds)


def _opening(target: Target, drift: Drift, text: Bilingual, moment: Moment) -> AlertWords:
    """The alert of its own."""
    wanted, seen = target.wanted(), drift.shown
    return AlertWords(
        status="open" if target.drift is None else "updated",
        severity="warning" if is_looser(seen, wanted) else "info",
        indicator=INDICATOR,
        subject=target.name,
        level=1,
        title=Bilingual(en=f"{target.name} was changed on the platform", zh=f"{target.name} 的状态在平台上被更改"),
        summary=both(f"Wanted is {wanted.status}; {text.en}.", f"要求为“{STATUSES[wanted.status]}”；{text.zh}。"),
        opened_at=moment.at if target.drift is None else None,
        runbook=RUNBOOK,
    )
