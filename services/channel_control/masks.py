"""Which holds an override keeps from acting. They stand, and act when it ends."""

from collections.abc import Iterable

from schemas.channels import Hold, Override


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
    return override.indicators is None or hold.indicator in override.indicators
