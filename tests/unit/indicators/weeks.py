"""A channel after a week like any other, for the indicators that compare a day with the week before it."""

from collections.abc import Mapping

from schemas.alerts import AlertFact
from schemas.policy import Policy
from tests.unit.indicators.world import HOUR, World, with_every_change

DAY = 24 * HOUR
MICROS = 1_000_000
NAMES = {"spend": "spend_micros", "accounts": "accounts_opened"}
WEEK = {"spend": 140_000, "accounts": 700, "clicks": 7000, "purchases": 1400, "leads": 1}
"""Of the days before: 200 CNY an account, and a fifth of the clicks buy."""


def happen(world: World, at: float = 0, **amounts: float) -> None:
    """What was added up at a moment; spend in CNY."""
    world.happen(
        *(
            world.event(NAMES.get(what, what), at, count=round(amount * (MICROS if what == "spend" else 1)))
            for what, amount in amounts.items()
        )
    )


def after_a_week(in_force: Policy | None = None, *, at: float = -5 * DAY, week: Mapping[str, float] = WEEK) -> World:
    world = World("channel", in_force or with_every_change())
    happen(world, at, **week)
    return world


def told(world: World, indicator: str) -> list[AlertFact]:
    return [fact for fact in world.facts if fact.indicator == indicator]


def statuses(world: World, indicator: str) -> list[tuple[str | None, str | None]]:
    return [(fact.status, fact.severity) for fact in told(world, indicator)]
