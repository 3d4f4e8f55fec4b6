"""The three machines write the same chains wherever they die and wherever snapshots fall, and the chains verify."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.alerting.machine import AlertingMachine
from services.auditing.checking import Checker
from services.channel_control.machine import ControlMachine
from services.indicators.machine import build
from services.runtime.machines.machine import Machine, Record
from tests.support.replay import Plan, assert_replay_safe, outputs_of, plans
from tests.unit.alerting.facts import T0_MS, logs
from tests.unit.channel_control.orders import order, persons, record
from tests.unit.indicators.world import MINUTE, World

BUSY = settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])


def assert_chained(machine: Callable[[], Machine], log: list[Record], plan: Plan, at_least: int) -> None:
    assert_replay_safe(machine, log, plan)
    checker = Checker()
    written = [each for outputs in outputs_of(machine, log) for each in outputs if each.topic == "audit"]
    for offset, each in enumerate(written):
        assert each.partition == 0
        checker.take(0, offset, each.key, each.value)
    assert checker.findings == []
    assert sum(end.number for end in checker.ends.values()) == len(written) >= at_least


@BUSY
@given(st.randoms(use_true_random=False), plans(40))
def test_channel_control(rng: random.Random, plan: Plan) -> None:
    """Orders of indicators and people, new, stale and repeated, and what is no order."""
    log = [record(number, _any_order(rng, number)) for number in range(30)]
    log += [Record(30 + n, log[-1].timestamp_ms, b"channel:douyin", b"no order") for n in range(3)]
    assert_chained(lambda: ControlMachine(0), log, plan, 4)


def _any_order(rng: random.Random, number: int) -> dict[str, Any]:
    target, command = rng.choice(["channel:douyin", "channel:weibo", "actor:00ff"]), rng.randrange(30)
    if rng.random() < 0.5:
        return order(command, target=target)
    return persons(command, "resume", target=target, expected_generation=number % 3)


@BUSY
@given(logs(), plans(20))
def test_alerting(log: list[Record], plan: Plan) -> None:
    """Deliveries, and facts that are none."""
    junk = [Record(len(log) + number, T0_MS * 2, b"x", b"no fact") for number in range(3)]
    assert_chained(lambda: AlertingMachine(0), [*log, *junk], plan, 3)


@pytest.mark.parametrize("place", [1, 4, 9])
def test_indicators(place: int) -> None:
    """Each text that is published."""
    world = World("content")
    for minute in range(6):
        said = {"channel_id": "douyin", "content_id": f"c-{minute}", "body": f"text {minute}", "reviewers": ["wang"]}
        world.raw("content_published", minute * MINUTE, **said)
        world.mark(minute * MINUTE)
    plan = Plan(snapshots=(place, place + 2), deaths=(place, place + 1, place + 3))
    assert_chained(lambda: build("content", 0), world.log.records, plan, 6)
