"""What takes several people, by the policy: said before somebody asks for it, decided by channel_control. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from schemas.channels import ChannelState, Hold
from schemas.policy import FourEyes, Policy
from schemas.resuming import Resume, is_guardrail, resume_of
from services.console.pages.board.standing import part_of

_STANDING = ("acts", "opening", "masked")


@dataclass(frozen=True, slots=True)
class Lifting:
    """What lifting these holds takes. others: so many people beside the one who asks; 0: it happens at once."""

    holds: tuple[Hold, ...]
    others: int
    within: timedelta


def standing(state: ChannelState | None) -> list[Hold]:
    """The holds that a person may lift."""
    return [] if state is None else [hold for hold in state.holds if part_of(hold) in _STANDING]


def lifting(holds: Iterable[Hold], policy: Policy) -> Lifting:
    """By the four eyes of the policy."""
    found, rule = tuple(holds), policy.four_eyes
    return Lifting(found, rule.approvals if any(is_guarded(hold, rule) for hold in found) else 0, rule.expire)


def is_guarded(hold: Hold, rule: FourEyes) -> bool:
    """Whether one person alone may not loosen it, once it acts."""
    if hold.kind == "freeze":
        return "unfreeze" in rule.orders
    return hold.indicator is not None and is_guardrail(hold.indicator, hold.kind) and "guardrail" in rule.orders


def overriding(state: ChannelState | None, policy: Policy) -> Lifting:
    """What keeping the target running takes: what is masked already needs nobody's word again."""
    return lifting((hold for hold in standing(state) if not hold.masked), policy)


def resuming(hold: Hold, target: str, policy: Policy) -> Resume | None:
    """How a hold of an indicator opens by itself once its trouble has eased; None for a person's."""
    if hold.indicator is None:
        return None
    indicator = policy.indicators.get(hold.indicator)
    layers = [] if indicator is None else [indicator.resume]
    if indicator is not None and target in indicator.overrides:
        layers.append(indicator.overrides[target].resume)
    return resume_of(layers, hold.indicator, hold.kind)


def overridden_indicators(holds: Sequence[Hold]) -> list[str]:
    """Whose holds an override may be limited to."""
    return sorted({hold.indicator for hold in holds if hold.indicator is not None})
