"""A hold that opens by itself: the steps of its ramp, each a new picture of the hold. `resuming` calls for them.

No hold loosens what another stops: while anything stricter stands on the target a ramp waits, since there would be
nothing to watch.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from schemas.channels import Hold, Ramp, RampState
from schemas.policy import IndicatorPolicy, Policy, SubjectPolicy
from schemas.resuming import Resume, resume_of
from services.channel_control.holding.holds import acts, asked_of, is_record, strictness, waits

_WHOLE: Final = frozenset({"freeze", "take_down"})
"""What cannot be opened in part."""


def resume_for(hold: Hold, target: str, policy: Policy) -> Resume:
    """How the policy resumes such a hold on such a target: never by itself where its indicator does not order any more,
    since then nobody would see a relapse."""
    general = policy.indicators.get(hold.indicator or "", IndicatorPolicy())
    layers = [general, *([general.overrides[target]] if target in general.overrides else [])]
    resume = resume_of([layer.resume for layer in layers], hold.indicator or "", hold.kind)
    return resume if _orders(layers, hold.kind) else resume.model_copy(update={"auto": False})


def _orders(layers: Iterable[SubjectPolicy], kind: str) -> bool:
    """Whether the indicator still gives such an order, as far as the policy says."""
    enabled, maturity = True, "auto"
    for layer in layers:
        enabled = enabled if layer.enabled is None else layer.enabled
        said = layer.maturity.get(kind) if isinstance(layer.maturity, dict) else layer.maturity
        maturity = said or maturity
    return enabled and maturity in ("approve", "auto")


def running(hold: Hold) -> Ramp | None:
    """The ramp of a hold that is on its way to be lifted."""
    ramp = hold.ramp
    return ramp if ramp is not None and ramp.state in ("opening", "behind") and not is_record(hold) else None


def next_at(hold: Hold) -> datetime | None:
    """When the next step is due, where that is known."""
    ramp = running(hold)
    return None if ramp is None else ramp.next_at


def is_due(hold: Hold, at: datetime) -> bool:
    """Whether the time of the next step has come."""
    due = next_at(hold)
    return due is not None and at >= due


def begun(hold: Hold, resume: Resume, at: datetime) -> Hold:
    """Its trouble has eased: it waits for its first step, after a relapse longer than the last time."""
    before = hold.ramp or Ramp(state="held", wait_s=resume.wait.total_seconds())
    due = at + timedelta(seconds=before.wait_s)
    return _ramped(hold, before.model_copy(update={"state": "opening", "next_at": due}))


def stepped(hold: Hold, resume: Resume, at: datetime) -> Hold | None:
    """One step further, to the first share that is more than it leaves now; None when it is done."""
    if hold.ramp is None or hold.ramp.step == 1:
        return None
    left = asked_of(hold)[1]
    step = 1.0 if hold.kind in _WHOLE else next(each for each in (*resume.steps, 1.0) if each > left or each == 1)
    return _ramped(hold, hold.ramp.model_copy(update={"step": step, "next_at": at + resume.watch}))


def put_back(hold: Hold, ramp: Ramp, resume: Resume) -> Hold:
    """Shut again, for twice as long; past the policy's limit, until a person lifts it."""
    wait_s = ramp.wait_s * 2
    state: RampState = "person" if wait_s > resume.longest_wait.total_seconds() else "held"
    return _ramped(hold, Ramp(state=state, wait_s=wait_s, relapses=ramp.relapses + 1))


def shut(hold: Hold) -> Hold:
    """It opens by itself no more."""
    ramp = running(hold)
    if ramp is None:
        return hold
    return _ramped(hold, ramp.model_copy(update={"state": "person", "step": 0.0, "next_at": None}))


def paced(target: str, holds: Sequence[Hold], policy: Policy, at: datetime) -> tuple[Hold, ...]:
    """These holds, of which those wait that are behind anything stricter or behind their approval; what is behind no
    more waits, or is watched, anew."""
    return tuple(_paced(hold, holds, target, policy, at) for hold in holds)


def _paced(hold: Hold, holds: Iterable[Hold], target: str, policy: Policy, at: datetime) -> Hold:
    ramp = running(hold)
    if ramp is None:
        return hold
    behind = waits(hold) or any(acts(other) and _is_stricter(other, hold) for other in holds)
    if behind == (ramp.state == "behind"):
        return hold
    due = None if behind else at + _pause(ramp, resume_for(hold, target, policy))
    return _ramped(hold, ramp.model_copy(update={"state": "behind" if behind else "opening", "next_at": due}))


def _pause(ramp: Ramp, resume: Resume) -> timedelta:
    """Until the next step of what has not been watched yet: its whole wait where there was no step."""
    return timedelta(seconds=ramp.wait_s) if ramp.step == 0 else resume.watch


def _is_stricter(one: Hold, other: Hold) -> bool:
    return strictness(asked_of(one)) < strictness(asked_of(other))


def _ramped(hold: Hold, ramp: Ramp) -> Hold:
    return hold.model_copy(update={"ramp": ramp})
