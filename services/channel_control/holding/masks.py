"""Which holds an override keeps from acting. They stand, and act when it ends."""

from collections.abc import Iterable

from schemas.channels import Hold, HoldGuard, Override
from schemas.resuming import is_guardrail


def mask(holds: Iterable[Hold], override: Override | None) -> tuple[Hold, ...]:
    """These holds, each of which says whether it is masked."""
    marks = ((hold, _is_masked(hold, override)) for hold in holds)
    return tuple(hold if hold.masked == mark else hold.model_copy(update={"masked": mark}) for hold, mark in marks)


def _is_masked(hold: Hold, override: Override | None) -> bool:
    """What automation wants is masked whenever it comes; a person's own hold only where it was when the override came,
    since a later word of people wins."""
    if override is None:
        return False
    if hold.indicator is None:
        return hold.masked and override.indicators is None
    if guard_of(hold) in override.spares:
        return False
    return override.indicators is None or hold.indicator in override.indicators


def guard_of(hold: Hold) -> HoldGuard | None:
    """What a policy may ask several people for before this hold goes; None where one person suffices anyway."""
    if hold.kind == "freeze":
        return "unfreeze"
    return "guardrail" if hold.indicator is not None and is_guardrail(hold.indicator, hold.kind) else None
