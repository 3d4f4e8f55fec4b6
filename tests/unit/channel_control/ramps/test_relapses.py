"""Trouble that comes back while a hold opens: it shuts again, waits longer, and in the end calls a person."""

from typing import Any

import pytest

from tests.unit.channel_control.orders import hex_id, order, persons, said
from tests.unit.channel_control.ramps.ramp_world import GUARDRAIL, A, B, C, World, eased, outcome, paused, signal, told


def test_a_relapse_puts_the_hold_back_under_the_new_alert_and_doubles_the_wait() -> None:
    world = paused()
    world.give(eased(2))
    world.wait(10)
    outputs = world.give(signal(3, alert_id=B))
    assert (world.left, len(world.channel.holds)) == (("paused", 0.0), 1)
    assert (world.ramp().state, world.ramp().wait_s, world.ramp().relapses) == ("held", 1200.0, 1)
    assert told(outputs) == [(B, "relapsed"), (B, "ordered")]
    assert world.wait(60) == [], "the trouble is there"
    assert outcome(world.give(eased(4)))[0] == "recorded", "the old alert has nothing to say any more"
    world.give(eased(5, B))
    assert world.wait(19.9) == []
    world.wait(0.1)
    assert world.left == ("throttled", 0.25)


def test_a_relapse_within_the_watch_after_the_last_step_counts_and_later_it_is_a_new_trouble() -> None:
    world = paused()
    world.give(eased(2))
    for _ in range(3):
        world.wait(10)
    assert world.left == ("running", 1.0)
    world.give(signal(3, alert_id=B))
    assert (world.left, world.ramp().relapses) == (("paused", 0.0), 1)
    world.give(eased(4, B))
    for minutes in (20, 10, 10, 10):
        world.wait(minutes)
    world.give(signal(5, alert_id=C))
    assert world.channel.holds[0].ramp is None


def test_past_the_longest_wait_a_person_is_needed_and_called() -> None:
    world = paused(search_divergence={"resume": {"wait": "10m", "longest_wait": "20m"}})
    alerts = [hex_id(0x100 + number) for number in range(3)]
    world.give(eased(2), signal(3, alert_id=alerts[0]), eased(4, alerts[0]))
    outputs = world.give(signal(5, alert_id=alerts[1]))
    assert (world.ramp().state, world.ramp().relapses) == ("person", 2)
    assert [fact["level"] for fact in said(outputs, "alerts")] == [2]
    assert outcome(world.give(eased(6, alerts[1])))[0] == "recorded"
    assert world.wait(10_000) == []
    assert world.left == ("paused", 0.0)
    assert outcome(world.give(persons(7, "resume", expected_generation=world.channel.generation)))[0] == "done"
    assert world.left == ("running", 1.0)


@pytest.mark.parametrize("says", [{"resume": {"auto": False}}, {"enabled": False}, {"maturity": {"pause": "notify"}}])
def test_a_policy_under_which_nobody_would_see_a_relapse_shuts_what_was_opening(says: dict[str, Any]) -> None:
    world = paused()
    world.give(eased(2))
    world.wait(10)
    world.apply({"search_divergence": says})
    outputs = world.wait(10)
    assert (world.left, world.ramp().state, told(outputs)) == (("paused", 0.0), "person", [(A, "relapsed")])


def test_what_waits_for_approval_is_not_put_back_by_a_new_order_which_asks_for_itself() -> None:
    world = World()
    world.give(signal(1, maturity="approve"), eased(2), signal(3, maturity="approve", alert_id=B))
    assert [(hold.alert_id, hold.approval) for hold in world.channel.holds] == [(A, "waiting"), (B, "waiting")]


def test_a_relapse_that_comes_too_late_to_act_on_still_puts_back_what_was_opening() -> None:
    world = paused()
    world.give(eased(2))
    world.wait(10)
    outputs = world.give(signal(3, alert_id=B, event_time="2025-12-31T23:00:00Z"))
    assert outcome(outputs) == ("stale", "too old to act on when it arrived; what was opening is put back")
    assert (world.left, world.ramp().relapses, len(world.channel.holds)) == (("paused", 0.0), 1, 1)
    assert told(outputs) == [(B, "relapsed"), (B, "stale")]
    world.give(eased(4, B))
    assert world.ramp().state == "opening"


def test_what_is_too_old_to_act_on_makes_nothing_stricter() -> None:
    world = World()
    world.give(signal(1, "throttle", factor=0.5), eased(2))
    world.give(signal(3, "pause", alert_id=B, event_time="2025-12-31T23:00:00Z"))
    assert world.left == ("throttled", 0.5)


def test_a_guardrail_ends_the_ramp_and_a_person_lifts_both() -> None:
    world = paused()
    world.give(eased(2))
    world.wait(10)
    world.give(order(3, issued_by=GUARDRAIL, alert_id=B))
    assert (world.ramp().state, world.ramp().step) == ("person", 0.0)
    assert world.wait(600) == []
    world.give(persons(4, "resume", expected_generation=world.channel.generation))
    for number, who in enumerate(("person:wang", "person:chen"), 5):
        seen = {"expected_generation": world.channel.generation, "hold_ids": [world.channel.requests[0].request_id]}
        world.give(persons(number, "approve", issued_by=who, **seen))
    assert world.channel.holds == ()


def test_a_relapse_that_has_to_ask_puts_back_what_a_person_had_approved() -> None:
    world = World()
    world.give(signal(1, "throttle", factor=0.2, maturity="approve"))
    first = world.channel.holds[0].hold_id
    world.give(persons(2, "approve", expected_generation=1, hold_ids=[first]), eased(3))
    world.wait(10)
    assert world.left == ("throttled", 0.25)
    outputs = world.give(signal(4, "throttle", factor=0.2, maturity="approve", alert_id=B))
    assert world.left == ("throttled", 0.2)
    assert told(outputs) == [(B, "relapsed"), (B, "granted")]


def test_a_relapse_that_is_worse_is_held_as_it_is_ordered_now() -> None:
    world = World()
    world.give(signal(1, "throttle", factor=0.2), eased(2))
    world.wait(10)
    world.give(signal(3, "pause", alert_id=B))
    assert (world.left, len(world.channel.holds)) == (("paused", 0.0), 1)
    world.give(eased(4, B))
    world.wait(20)
    world.give(signal(5, "throttle", factor=0.9, alert_id=C))
    assert (world.left, world.ramp().relapses) == (("paused", 0.0), 2)
