"""What is read again and for how long: an address that runs again only for a day, and all it knew is kept."""

from typing import Any

import pytest

from services.channel_control.machine import ControlMachine
from tests.unit.channel_control.one_log import HOUR_MS, Log
from tests.unit.channel_control.orders import CHANNEL, NOW_MS, confirmed, order, persons

ADDRESS = "actor:00ff"
DAY_MS = 24 * HOUR_MS


def shown(number: int, target: str, generation: int, status: str) -> dict[str, Any]:
    factor = float(status == "running")
    seen = {"v": 1, "target": target, "status": status, "factor": factor, "generation": generation}
    return confirmed(number, generation, status, factor, target=target, observed=seen)


def held_and_let_go(log: Log, target: str) -> None:
    """Runs again, and the platform has said so, since NOW_MS."""
    log.give(order(11, "freeze", target=target))
    log.give(shown(12, target, 1, "frozen"))
    log.give(persons(13, "resume", target=target, expected_generation=1))
    log.give(shown(14, target, 2, "running"))


def time_passes(log: Log, ms: int, number: int = 90) -> None:
    """Another order comes on the log, after so long."""
    log.give(order(number, "escalate"), NOW_MS + ms)


@pytest.mark.parametrize("target", [ADDRESS, "account:00ff"])
def test_an_address_that_runs_again_is_watched_for_a_day_more(target: str) -> None:
    log = Log()
    held_and_let_go(log, target)
    time_passes(log, DAY_MS - 1, 90)
    assert target in log.machine.watched
    time_passes(log, DAY_MS, 91)
    assert target not in log.machine.watched


def test_the_next_order_goes_on_from_the_generation_that_the_platform_knows() -> None:
    log = Log()
    held_and_let_go(log, ADDRESS)
    time_passes(log, DAY_MS)
    assert log.machine.target(ADDRESS).generation == 2
    log.give(persons(15, "freeze", target=ADDRESS), NOW_MS + DAY_MS)
    assert log.machine.unsettled[ADDRESS].generation == 3
    log.give(shown(16, ADDRESS, 3, "frozen"), NOW_MS + DAY_MS)
    time_passes(log, 9 * DAY_MS, 91)
    assert ADDRESS in log.machine.watched, "it is held"


def test_a_channel_is_watched_for_ever() -> None:
    log = Log()
    held_and_let_go(log, CHANNEL)
    time_passes(log, 9 * DAY_MS)
    assert CHANNEL in log.machine.watched


def test_what_somebody_blocked_there_by_hand_is_watched_until_it_is_over() -> None:
    log = Log()
    held_and_let_go(log, ADDRESS)
    seen = {"v": 1, "target": ADDRESS, "status": "paused", "factor": 0.0, "generation": 2}
    log.give(persons(15, "drifted", target=ADDRESS, issued_by="reconciler", expected_generation=2, observed=seen))
    time_passes(log, DAY_MS)
    assert ADDRESS in log.machine.watched
    log.give(shown(16, ADDRESS, 2, "running"), NOW_MS + DAY_MS)
    time_passes(log, 2 * DAY_MS, 91)
    assert ADDRESS not in log.machine.watched


def test_a_snapshot_watches_the_same() -> None:
    """Also where the brokers' clocks do not agree."""
    log = Log()
    time_passes(log, 2 * DAY_MS)
    held_and_let_go(log, ADDRESS)
    held_and_let_go(log, CHANNEL)
    fresh = ControlMachine(0)
    fresh.load((key, value) for key, value in log.machine.changed() if value is not None)
    assert dict(fresh.watched) == dict(log.machine.watched)
