"""Holds that open by themselves once their trouble has eased: step by step, and back when it returns."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.channels import Hold, Ramp
from schemas.policy import Policy
from services.channel_control.holding.deadlines import overdue
from services.channel_control.holding.target import Target
from services.channel_control.machine import ControlMachine
from services.runtime.machines.machine import Output, Record
from tests.unit.channel_control.orders import CHANNEL, NOW_MS, confirmed, expired, hex_id, order, persons, record, said

AT = datetime(2026, 1, 1, tzinfo=UTC)
SIGNAL, GUARDRAIL = "indicator:search_divergence", "indicator:complaint_volume"
A, B, C = (hex_id(each) for each in (0xA, 0xB, 0xC))


def signal(number: int, word: str = "pause", **fields: Any) -> dict[str, Any]:
    return order(number, word, **{"issued_by": SIGNAL, "event_time": None} | fields)


def eased(number: int, alert: str = A, by: str = SIGNAL, **fields: Any) -> dict[str, Any]:
    """The indicator's word that an episode is over; it says nothing of maturity or level."""
    said_ = persons(number, "eased", issued_by=by, alert_id=alert, event_time="2025-12-31T23:00:00Z")
    return said_ | fields


class World:
    """A machine, its log and its companion on one clock, in minutes since the beginning."""

    def __init__(self, **policy: Any) -> None:
        self.machine = ControlMachine(0)
        self.minute = 0.0
        self._offset = 0
        if policy:
            self.apply(policy)

    def apply(self, policy: dict[str, Any]) -> None:
        """Another policy."""
        value = json.dumps(
            {"v": 1, "policy": {"version": 2, "governor": {"enabled": False}, "indicators": policy}}
        ).encode()
        self.machine.apply(Record(self._next(), self._ms(), b"policy", value))

    def switch(self, word: str) -> None:
        """A person switches automation off or on."""
        fields = persons(self._next(), word, target="automation:all", note="on purpose")
        self.machine.apply(Record(self._next(), self._ms(), b"automation", json.dumps(fields).encode()))

    def _next(self) -> int:
        self._offset += 1
        return self._offset

    def _ms(self) -> int:
        return NOW_MS + int(self.minute * 60_000)

    @property
    def now(self) -> datetime:
        return AT + timedelta(minutes=self.minute)

    def give(self, *orders: dict[str, Any]) -> list[Output]:
        return [each for fields in orders for each in self.machine.apply(record(self._next(), fields, self._ms()))]

    def wait(self, minutes: float) -> list[Output]:
        """Time passes, and the companion looks."""
        self.minute += minutes
        reports, _ = overdue(self.machine.timed.values(), self.now)
        return self.give(*(json.loads(report.model_dump_json()) for report in reports))

    @property
    def channel(self) -> Target:
        return self.machine.target(CHANNEL)

    @property
    def left(self) -> tuple[str, float]:
        wanted = self.channel.wanted()
        return wanted.status, wanted.factor

    def ramp(self, index: int = 0) -> Ramp:
        found = self.channel.holds[index].ramp
        assert found is not None
        return found


def paused(**policy: Any) -> World:
    world = World(**policy)
    world.give(signal(1))
    return world


def told(outputs: list[Output]) -> list[tuple[str, str]]:
    return [(fact["alert_id"], action["state"]) for fact in said(outputs, "alerts") for action in fact["actions"]]


def outcome(outputs: list[Output]) -> tuple[str, str]:
    (audit,) = said(outputs, "audit")
    return audit["outcome"], audit["why"]


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


@pytest.mark.parametrize("says", [{"resume": {"auto": False}}, {"enabled": False}, {"maturity": {"pause": "notify"}}])
def test_a_policy_under_which_nobody_would_see_a_relapse_shuts_what_was_opening(says: dict[str, Any]) -> None:
    world = paused()
    world.give(eased(2))
    world.wait(10)
    world.apply({"search_divergence": says})
    outputs = world.wait(10)
    assert (world.left, world.ramp().state, told(outputs)) == (("paused", 0.0), "person", [(A, "relapsed")])


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


def test_what_waits_for_approval_is_not_put_back_by_a_new_order_which_asks_for_itself() -> None:
    world = World()
    world.give(signal(1, maturity="approve"), eased(2), signal(3, maturity="approve", alert_id=B))
    assert [(hold.alert_id, hold.approval) for hold in world.channel.holds] == [(A, "waiting"), (B, "waiting")]


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
