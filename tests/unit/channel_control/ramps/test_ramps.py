"""Holds that open by themselves once their trouble has eased, step by step."""

import json
from datetime import timedelta
from typing import Any

import pytest

from schemas.channels import Hold, Ramp
from schemas.policy import Policy
from services.channel_control.holding.deadlines import overdue
from services.channel_control.holding.target import Target
from services.channel_control.machine import ControlMachine
from tests.unit.channel_control.orders import CHANNEL, confirmed, expired, order, persons, said
from tests.unit.channel_control.ramps.ramp_world import (
    AT,
    A,
    B,
    World,
    eased,
    outcome,
    paused,
    signal,
    told,
)


def test_a_pause_opens_in_steps_each_watched_and_is_lifted() -> None:
    world = paused()
    assert outcome(world.give(eased(2))) == ("done", "the pause begins to open in 10 minutes")
    assert (world.left, world.ramp().next_at) == (("paused", 0.0), AT + timedelta(minutes=10))
    assert world.wait(9.9) == []
    states = [(world.wait(0.1) and world.left)[:2]]
    for _ in range(2):
        assert world.wait(9.9) == []
        world.wait(0.1)
        states.append(world.left)
    assert states == [("throttled", 0.25), ("throttled", 0.5), ("running", 1.0)]
    assert world.ramp().step == 1.0, "it is still watched"
    outputs = world.wait(10)
    assert outcome(outputs) == ("done", "the pause is lifted, its trouble has not come back")
    assert told(outputs) == [(A, "lifted")]
    assert world.channel.holds == () and not world.machine.ramping


def test_the_state_shows_the_ramp_and_the_alert_hears_of_it() -> None:
    world = paused()
    outputs = world.give(eased(2))
    (state,) = said(outputs, "channel-state")
    assert state["holds"][0]["ramp"] == {
        "state": "opening",
        "step": 0.0,
        "next_at": "2026-01-01T00:10:00Z",
        "wait_s": 600.0,
        "relapses": 0,
    }
    assert told(outputs) == [(A, "opening")]
    (fact,) = said(world.wait(10), "alerts")
    assert fact["actions"][0]["note"] == "the pause is opened to 25% of the traffic"


def test_a_step_that_the_platform_confirms_is_no_news_of_the_pause() -> None:
    world = paused()
    world.give(confirmed(2, 1, "paused", 0.0), eased(3))
    world.wait(10)
    assert told(world.give(confirmed(4, 3, "throttled", 0.25))) == []
    assert world.channel.settled()


def test_a_step_that_is_reported_before_its_time_is_ignored_and_taken_when_it_comes_again() -> None:
    world = paused()
    world.give(eased(2))
    (report,), _ = overdue(world.machine.timed.values(), AT + timedelta(minutes=10))
    fields = json.loads(report.model_dump_json())
    assert world.give(fields) == []
    world.minute = 10
    assert outcome(world.give(fields))[0] == "done"
    assert world.give(fields) == [], "the same step is taken once"
    assert world.left == ("throttled", 0.25)


@pytest.mark.parametrize(
    ("by", "word"),
    [("complaint_volume", "pause"), ("complaint_rate", "pause"), ("content_violation", "take_down")],
)
def test_a_guardrail_needs_a_person_unless_the_policy_says_otherwise(by: str, word: str) -> None:
    world = World()
    world.give(order(1, word, issued_by=f"indicator:{by}"))
    assert outcome(world.give(eased(2, by=f"indicator:{by}"))) == ("recorded", "a person lifts it, by the policy")
    assert world.wait(10_000) == []
    world = World(**{by: {"resume": {"auto": True}}})
    world.give(order(1, word, issued_by=f"indicator:{by}"), eased(2, by=f"indicator:{by}"))
    assert world.machine.ramping


def test_the_policy_may_leave_a_signal_to_people_for_one_kind_or_channel() -> None:
    to_people = {"resume": {"auto": {"pause": False}}}
    for said_ in (to_people, {"overrides": {CHANNEL: to_people}}, {"resume": {"auto": False}}):
        world = paused(search_divergence=said_)
        assert outcome(world.give(eased(2)))[0] == "recorded"
    world = paused(search_divergence={"resume": {"auto": False}, "overrides": {CHANNEL: {"resume": {"auto": True}}}})
    assert outcome(world.give(eased(2)))[0] == "done"


def test_a_throttle_begins_with_the_step_above_what_it_leaves() -> None:
    world = World()
    world.give(signal(1, "throttle", factor=0.3), eased(2))
    world.wait(10)
    assert world.left == ("throttled", 0.5)


def test_a_frozen_address_is_opened_whole_or_not() -> None:
    world = World()
    world.give(signal(1, "freeze"), eased(2))
    world.wait(10)
    assert (world.left, world.ramp().step) == (("running", 1.0), 1.0)
    world.wait(10)
    assert world.channel.holds == ()


def test_what_is_approved_only_after_its_trouble_was_over_opens_from_then_on() -> None:
    world = World()
    world.give(signal(1, maturity="approve"))
    outputs = world.give(eased(2))
    assert outcome(outputs) == ("done", "the pause, once it is approved, begins to open in 10 minutes")
    assert world.wait(60) == []
    hold = world.channel.holds[0].hold_id
    world.give(persons(3, "approve", expected_generation=world.channel.generation, hold_ids=[hold]))
    assert world.left == ("paused", 0.0)
    assert world.wait(9.9) == []
    world.wait(0.1)
    assert world.left == ("throttled", 0.25)


def test_what_nobody_approved_in_time_is_a_record_that_never_opens() -> None:
    world = World()
    world.give(signal(1, "throttle", factor=0.5, maturity="approve", alert_id=A), eased(2))
    world.wait(4 * 60 + 1)
    (hold,) = world.channel.holds
    assert (hold.approval, world.wait(60), world.channel.holds) == ("expired", [], (hold,))
    ramp = Ramp(state="opening", wait_s=600.0, next_at=AT)  # as a snapshot from before may have it
    kept = Target(CHANNEL, holds=(hold.model_copy(update={"ramp": ramp}),), since=(1,))
    assert overdue([kept], AT) == ([], None)


def test_no_step_is_taken_while_a_stricter_hold_stands_and_its_watch_begins_anew() -> None:
    world = paused()
    world.give(eased(2))
    world.wait(10)
    world.give(persons(3, "pause"))
    assert (world.left, world.ramp().state, world.ramp().next_at) == (("paused", 0.0), "behind", None)
    assert world.wait(600) == []
    own = world.channel.holds[1].hold_id
    world.give(persons(4, "resume", expected_generation=world.channel.generation, hold_ids=[own]))
    assert (world.left, world.ramp().state) == (("throttled", 0.25), "opening")
    assert world.wait(9.9) == []
    world.wait(0.1)
    assert world.left == ("throttled", 0.5)


def test_a_stricter_hold_that_comes_and_goes_does_not_shorten_the_wait_before_the_first_step() -> None:
    world = World()
    world.give(signal(1, "throttle", factor=0.2), eased(2))
    world.give(signal(3, "throttle", factor=0.2, alert_id=B), eased(4, B))
    assert world.ramp().wait_s == 1200.0
    world.give(persons(5, "pause"))
    own = world.channel.holds[1].hold_id
    world.give(persons(6, "resume", expected_generation=world.channel.generation, hold_ids=[own]))
    assert world.wait(19.9) == []
    world.wait(0.1)
    assert world.left == ("throttled", 0.25)


def test_two_signals_open_together_and_neither_waits_for_ever() -> None:
    world = paused()
    other = {"issued_by": "indicator:cac_spike", "alert_id": B}
    world.give(order(2, "throttle", factor=0.5, event_time=None, **other))
    world.give(eased(3, B, "indicator:cac_spike"))
    assert world.ramp(1).state == "behind"
    world.give(eased(4))
    for _ in range(6):
        world.wait(10)
    assert world.left == ("running", 1.0) and world.channel.holds == ()


def test_an_easing_is_taken_late_and_from_an_indicator_only() -> None:
    world = paused()
    assert outcome(world.give(eased(2, issued_at="2020-01-01T00:00:00Z")))[0] == "done"
    world = paused()
    assert outcome(world.give(persons(3, "eased", alert_id=A)))[0] == "refused"
    assert outcome(world.give(eased(4, by="indicator:cac_spike")))[0] == "recorded", "it is not that one's hold"
    assert outcome(world.give(persons(5, "due", hold_ids=[])))[0] == "refused"
    assert not world.machine.ramping
    assert outcome(world.give(expired(6, world.channel.holds[0].hold_id)))[0] == "recorded"


def test_while_automation_is_off_nothing_opens_further_and_then_it_goes_on() -> None:
    world = paused()
    world.give(eased(2))
    world.wait(10)
    world.switch("automation_off")
    assert world.wait(10) == [] and world.left == ("throttled", 0.25)
    world.switch("automation_on")
    world.wait(1)
    assert world.left == ("throttled", 0.5)


def test_a_ramp_lives_on_in_a_snapshot() -> None:
    world = paused()
    world.give(eased(2))
    world.wait(10)
    fresh = ControlMachine(0)
    fresh.load([(key, value) for key, value in world.machine.changed() if value is not None])
    assert dict(fresh.ramping) == dict(world.machine.ramping)


@pytest.mark.parametrize("steps", [[], [0.5], [0.5, 0.25, 1.0], [0.0, 1.0], [0.5, 2.0]])
def test_steps_rise_to_the_whole(steps: list[float]) -> None:
    with pytest.raises(ValueError, match="rising shares"):
        Policy.model_validate({"version": 1, "indicators": {"cac_spike": {"resume": {"steps": steps}}}})


@pytest.mark.parametrize("says", [{"auto": "yes"}, {"auto": {"pause": 1}}, {"wait": "0s"}, {"watch": "31d"}])
def test_what_the_policy_cannot_mean_is_refused(says: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"is true, false|at most 30d"):
        Policy.model_validate({"version": 1, "indicators": {"cac_spike": {"resume": says}}})


def test_a_hold_of_an_earlier_release_has_no_ramp() -> None:
    assert (
        Hold.model_validate_json(
            '{"hold_id": "' + A + '", "kind": "pause", "since": "2026-01-01T00:00:00Z", "by": "person:li"}'
        ).ramp
        is None
    )
