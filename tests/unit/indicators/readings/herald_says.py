"""What a herald says on `readings`, taken apart."""

from datetime import datetime
from typing import Any

from schemas.readings import READINGS_MESSAGE, Cases, Reading, Scope, Tally
from schemas.topics import READINGS
from services.indicators.machine import build
from services.runtime.machines.machine import Output
from tests.unit.indicators.world import World


def telling(subject: str) -> World:
    return World(subject, machine=build(subject, 0, readings=True))


def said(outputs: list[Output]) -> list[Reading | Tally | Cases]:
    return [READINGS_MESSAGE.validate_json(each.value or b"") for each in outputs if each.topic == READINGS]


def readings(world: World) -> list[Reading]:
    return [each for each in said(world.outputs) if isinstance(each, Reading)]


def tallies(world: World) -> list[Tally]:
    return [each for each in said(world.outputs) if isinstance(each, Tally)]


def last_sums(world: World) -> dict[datetime, dict[Scope, Any]]:
    """By hour and scope, what was told last."""
    found: dict[datetime, dict[Scope, Any]] = {}
    for each in tallies(world):
        found.setdefault(each.hour, {}).update(each.sums)
    return found
