"""The reconciler's decisions, against a platform that may do anything with a call."""

import random
from datetime import UTC, datetime, timedelta
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from schemas.channels import Hold, TargetStatus, WantedState
from services.channel_control.enforcing.reconcile import (
    CONFLICT,
    Answer,
    Attempt,
    Call,
    Patience,
    Plan,
    Seen,
    Trouble,
    after_confirmation,
    after_trouble,
    confirmation,
    failure,
    idempotency_key,
    plan,
    pursue,
    waited,
)
from services.channel_control.holding.target import Target
from services.channel_control.machine import ControlMachine
from tests.unit.channel_control.orders import NOW_MS, alone, confirmed, hex_id, order, persons, record

CHANNEL = "channel:douyin"
AT = datetime(2026, 1, 1, tzinfo=UTC)
TIMEOUT = Trouble("timeout", "no answer")
Mood = Literal["well", "fail", "lose", "forget"]


def wanted(generation: int = 3, status: TargetStatus = "paused", factor: float = 0.0) -> WantedState:
    return WantedState(target=CHANNEL, status=status, factor=factor, generation=generation)


class FakePlatform:
    """Keeps one target as the contract says; each call meets the next mood, then all is well."""

    def __init__(self, state: WantedState | None = None, moods: list[Mood] | None = None) -> None:
        self.state = state
        self.moods = list(moods or [])
        self.calls: list[Call] = []

    def answer(self, call: Call, order: WantedState) -> Answer:
        self.calls.append(call)
        mood = self.moods.pop(0) if self.moods else "well"
        if mood == "fail":
            return Trouble("http_503", "503")
        if call == "put":
            conflict = self.state is not None and self.state.generation > order.generation
            if mood != "forget" and not conflict:
                self.state = order
            if conflict and mood != "lose":
                return Trouble(CONFLICT, "409")
        return TIMEOUT if mood == "lose" else Seen(self.state)


def run(order: WantedState, platform: FakePlatform, *, ask_first: bool) -> WantedState | Trouble:
    steps = pursue(order, ask_first=ask_first)
    call = next(steps)
    while True:
        try:
            call = steps.send(platform.answer(call, order))
        except StopIteration as end:
            result: WantedState | Trouble = end.value
            return result


def test_a_new_order_is_put_and_read_back() -> None:
    platform = FakePlatform()
    assert run(wanted(), platform, ask_first=False) == wanted()
    assert platform.calls == ["put", "ask"]


def test_what_was_applied_although_its_answer_was_lost_is_not_put_again() -> None:
    platform = FakePlatform(moods=["lose"])
    assert run(wanted(), platform, ask_first=False) == TIMEOUT
    assert run(wanted(), platform, ask_first=True) == wanted()
    assert platform.calls == ["put", "ask"]


def test_what_was_not_applied_is_put_after_asking() -> None:
    platform = FakePlatform(moods=["fail"])
    assert isinstance(run(wanted(), platform, ask_first=False), Trouble)
    assert run(wanted(), platform, ask_first=True) == wanted()
    assert platform.calls == ["put", "ask", "put", "ask"]


def test_a_platform_that_forgets_has_not_confirmed() -> None:
    result = run(wanted(), FakePlatform(moods=["forget"]), ask_first=False)
    assert isinstance(result, Trouble)
    assert result.kind == "differs"


def test_an_older_state_is_replaced_and_a_newer_one_left_alone() -> None:
    assert run(wanted(3), FakePlatform(wanted(2, "running", 1.0)), ask_first=True) == wanted(3)
    platform = FakePlatform(wanted(4, "running", 1.0))
    result = run(wanted(3), platform, ask_first=True)
    assert (isinstance(result, Trouble) and result.kind, platform.calls) == ("newer", ["ask"])


def test_a_conflict_is_settled_by_reading() -> None:
    platform = FakePlatform(wanted(4, "running", 1.0))
    result = run(wanted(3), platform, ask_first=False)
    assert isinstance(result, Trouble)
    assert result.kind == "newer"
    assert platform.calls == ["put", "ask"]
    assert platform.state == wanted(4, "running", 1.0)


def test_a_platform_that_was_changed_by_hand_is_put_right() -> None:
    platform = FakePlatform(wanted(3, "running", 1.0))
    assert run(wanted(3), platform, ask_first=True) == wanted(3)
    assert platform.calls == ["ask", "put", "ask"]


def test_an_answer_about_another_target_confirms_nothing() -> None:
    other = wanted().model_copy(update={"target": "channel:other"})
    steps = pursue(wanted(), ask_first=True)
    next(steps)
    try:
        steps.send(Seen(other))
    except StopIteration as end:
        assert end.value.kind == "bad_answer"
    else:
        raise AssertionError("it went on")


moods = st.lists(st.sampled_from(["well", "fail", "lose", "forget"]), max_size=8)
states = st.none() | st.builds(wanted, st.integers(1, 5), st.sampled_from(["running", "paused"]))


@given(states, moods)
def test_retried_until_it_agrees_a_platform_ends_at_what_is_wanted_or_newer(
    state: WantedState | None, bad: list[Mood]
) -> None:
    """Confirmed is only what the platform shows, no newer order is ever undone, and an attempt puts at most once."""
    platform = FakePlatform(state, bad)
    newer = state is not None and state.generation > 3
    ask_first = False
    for _ in range(len(bad) + 2):
        before = len(platform.calls)
        shown = platform.state
        result = run(wanted(3), platform, ask_first=ask_first)
        calls = platform.calls[before:]
        assert calls.count("put") <= 1
        if ask_first:
            assert calls[0] == "ask"
            assert not (shown == wanted(3) and "put" in calls)
        if not isinstance(result, Trouble):
            break
        ask_first = True
    if newer:
        assert platform.state == state
        assert isinstance(result, Trouble)
    else:
        assert result == platform.state == wanted(3)


def test_pauses_double_up_to_a_bound_and_are_anything_below_it() -> None:
    patience = Patience(base_s=0.5, cap_s=60.0)
    bounds: list[float] = []

    def top(_: float, bound: float) -> float:
        bounds.append(bound)
        return bound

    for failures in (1, 2, 3, 7, 8, 1000):
        patience.pause(failures, top)
    assert bounds == [1.0, 2.0, 4.0, 60.0, 60.0, 60.0]
    rng = random.Random(1)
    drawn = [patience.pause(7, rng.uniform) for _ in range(200)]
    assert min(drawn) < 5 < 55 < max(drawn)


def test_a_failure_is_reported_once_for_each_kind_and_asked_about_next_time() -> None:
    patience = Patience()
    attempt = Attempt(3, due=0.0, ask_first=False)
    attempt, report = after_trouble(attempt, TIMEOUT, 100.0, patience, lambda _, bound: bound)
    assert (report, attempt.ask_first, attempt.failures, attempt.due) == (True, True, 1, 101.0)
    attempt, report = after_trouble(attempt, TIMEOUT, 101.0, patience, lambda _, bound: bound)
    assert (report, attempt.due) == (False, 103.0)
    attempt, report = after_trouble(attempt, Trouble("http_503", "503"), 103.0, patience, lambda low, _: low)
    assert (report, attempt.due) == (True, 103.0)


def test_retry_after_is_honoured_within_reason() -> None:
    attempt = Attempt(3, due=0.0, ask_first=False)
    asked, _ = after_trouble(attempt, Trouble("http_429", "429", 30.0), 0.0, Patience(), lambda low, _: low)
    assert asked.due == 30.0
    much, _ = after_trouble(attempt, Trouble("http_429", "429", 1e9), 0.0, Patience(), lambda low, _: low)
    assert much.due == 3600.0


def target(name: str, generation: int = 1) -> Target:
    hold = Hold(hold_id="0" * 32, kind="pause", since=AT, by="person:li", reason="so")
    return Target(name, generation, (hold,), (generation,), touched=True)


def planned(found: Plan) -> list[str]:
    return [target.name for target, _ in found.start]


def test_a_plan_takes_what_is_due_the_new_orders_first() -> None:
    unsettled = [target("channel:a"), target("channel:b"), target("channel:c"), target("channel:d")]
    attempts = {
        "channel:a": Attempt(1, due=5.0, ask_first=True, failures=2),
        "channel:b": Attempt(1, due=20.0, ask_first=True, failures=1),
        "channel:c": Attempt(1, due=4.0, ask_first=True, failures=2),
    }
    found = plan(unsettled, attempts, set(), 10.0, slots=10, retry_slots=10)
    assert planned(found) == ["channel:d", "channel:c", "channel:a"]
    assert found.wake == 20.0
    assert planned(plan(unsettled, attempts, {"channel:d"}, 10.0, slots=0, retry_slots=1)) == ["channel:c"]


def test_a_new_generation_waits_for_no_back_off_and_for_no_question() -> None:
    attempts = {"channel:a": Attempt(1, due=99.0, ask_first=True, failures=7, told=frozenset({"timeout"}))}
    ((_, attempt),) = plan([target("channel:a", 2)], attempts, set(), 10.0, slots=1, retry_slots=1).start
    assert attempt == Attempt(2, due=10.0, ask_first=False)


def test_refused_orders_never_take_the_slots_of_new_ones() -> None:
    old = [target(f"channel:{number}") for number in range(50)]
    attempts = {each.name: Attempt(1, due=0.0, ask_first=True, failures=1) for each in old}
    found = plan([*old, target("channel:new")], attempts, set(), 10.0, slots=16, retry_slots=4)
    assert planned(found)[0] == "channel:new"
    assert len(found.start) == 5


def test_a_confirmed_target_rests_and_is_asked_about_if_the_log_never_says_so() -> None:
    after = after_confirmation(Attempt(1, due=0.0, ask_first=False, failures=3), 10.0, Patience(cap_s=60.0))
    assert (after.due, after.ask_first, after.failures) == (70.0, True, 0)


def test_reports_have_ids_that_repeat_and_keys_that_follow_the_generation() -> None:
    later = datetime(2026, 1, 2, tzinfo=UTC)
    third, fourth = Target(CHANNEL, 3), Target(CHANNEL, 4)
    assert confirmation(third, wanted(3), AT).command_id == confirmation(third, wanted(3), later).command_id
    assert confirmation(third, wanted(3), AT).command_id != confirmation(fourth, wanted(4), AT).command_id
    lost = failure(target("channel:a"), TIMEOUT, AT)
    assert lost.command_id == failure(target("channel:a"), TIMEOUT, later).command_id
    assert lost.command_id != failure(target("channel:a"), Trouble("http_503", "503"), AT).command_id
    assert (lost.note, lost.expected_generation) == ("no answer", 1)
    assert idempotency_key(third) == idempotency_key(third) != idempotency_key(fourth)


def test_a_confirmation_tells_how_long_each_new_hold_has_waited() -> None:
    machine = ControlMachine(0)
    machine.apply(alone(0))
    machine.apply(record(1, order(1)))
    second = timedelta(seconds=1)
    assert waited(machine.target(CHANNEL), AT + second) == [("pause", 1.0)]
    machine.apply(record(2, confirmed(2, 1, "paused", 0.0), NOW_MS + 1000))
    machine.apply(record(3, order(3, "freeze", alert_id=hex_id(0xB)), NOW_MS + 5000))
    assert waited(machine.target(CHANNEL), AT + 7 * second) == [("freeze", 2.0)]


def test_a_hold_that_was_only_masked_or_approved_is_no_news() -> None:
    machine = ControlMachine(0)
    machine.apply(alone(0))
    machine.apply(record(1, order(1, "throttle", factor=0.5, maturity="approve")))
    hold = machine.target(CHANNEL).holds[0]
    yes = persons(2, "approve", hold_ids=[hold.hold_id], expected_generation=1)
    machine.apply(record(2, yes, NOW_MS + 60_000))
    assert machine.target(CHANNEL).holds[0].approval == "granted"
    assert waited(machine.target(CHANNEL), AT + timedelta(minutes=2)) == []
