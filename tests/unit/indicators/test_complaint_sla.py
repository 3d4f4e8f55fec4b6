"""Complaints that wait: when people are warned and called, in whatever order openings and answers come, and at what
cost when there are hundreds of thousands."""

import tracemalloc
from time import perf_counter
from typing import Any

import pytest
from msgspec import structs

from schemas.frames import Mark
from schemas.policy import Policy
from schemas.rows import CaseRow
from services.indicators.machine import IndicatorMachine, build
from services.indicators.rules.complaint_sla import ComplaintSla
from services.indicators.standing import Standing
from services.indicators.subjects.cases import ComplaintStore
from services.indicators.subjects.store import Surroundings
from tests.support.indicator_log import COMPLAINT, TEN, Log, mark, policy, row_frame
from tests.unit.indicators.world import HOUR, MINUTE, SECOND, World

DAY = 24 * HOUR
CALL = ("escalate", "complaint:c-1", 1)
OPEN, TRIP, OVER = ("open", "warning", 0), ("updated", "critical", 1), ("resolved", None, None)


def opened(world: World, at: float = 0, **more: Any) -> None:
    fields = {"complaint_id": "c-1", "channel_id": "douyin", "entry": "hotline"} | more
    world.raw("complaint_opened", at, **fields)


def answered(world: World, at: float, what: str = "complaint_answered", **more: Any) -> None:
    world.raw(what, at, complaint_id="c-1", **more)


def closed(world: World, until: float) -> World:
    """Closes the panes up to there, and not one more."""
    world.apply(structs.replace(mark(TEN + int(until) + 30 * SECOND), clock="events"))
    return world


@pytest.mark.parametrize(
    ("fields", "limit"), [({}, 48 * HOUR), ({"segment": "high_net_worth"}, 2 * HOUR), ({"segment": "young"}, 48 * HOUR)]
)
def test_it_warns_at_four_fifths_of_its_time_and_calls_when_the_time_is_up(fields: dict[str, Any], limit: int) -> None:
    world = World("complaint")
    opened(world, **fields)
    assert closed(world, limit * 0.8 - MINUTE).told() == []
    assert closed(world, limit * 0.8).told() == [OPEN]
    assert closed(world, limit - MINUTE).ordered() == []
    assert closed(world, limit).told() == [OPEN, TRIP]
    assert world.ordered() == [CALL]
    assert (world.facts[1].value, world.facts[1].threshold) == (limit / HOUR, limit / HOUR)
    assert closed(world, 7 * DAY).told() == [OPEN, TRIP]


@pytest.mark.parametrize(("at", "calls"), [(0, 1), (1, 0)])
def test_the_time_is_up_to_the_millisecond(at: int, calls: int) -> None:
    world = World("complaint")
    opened(world, at)
    assert len(closed(world, 48 * HOUR).commands) == calls


@pytest.mark.parametrize(("at", "calls"), [(48 * HOUR, 0), (48 * HOUR + 1, 1)])
def test_an_answer_in_the_last_moment_counts(at: int, calls: int) -> None:
    world = World("complaint")
    opened(world)
    answered(world, at)
    assert len(closed(world, 49 * HOUR).commands) == calls


@pytest.mark.parametrize("what", ["complaint_answered", "complaint_closed"])
@pytest.mark.parametrize("channel", [{}, {"channel_id": "douyin"}])
def test_an_answer_ends_it_with_or_without_a_channel(what: str, channel: dict[str, str]) -> None:
    world = closed(World("complaint"), 0)
    opened(world)
    closed(world, 50 * HOUR)
    answered(world, 50 * HOUR + SECOND, what, **channel)
    assert closed(world, 50 * HOUR).told() == [OPEN, TRIP]
    assert closed(world, 50 * HOUR + MINUTE).told() == [OPEN, TRIP, OVER]
    assert closed(world, 7 * DAY).told() == [OPEN, TRIP, OVER]


@pytest.mark.parametrize("between", [None, HOUR, 10 * DAY])
def test_an_answer_may_come_before_its_opening(between: int | None) -> None:
    world = closed(World("complaint"), 0)
    answered(world, 5 * MINUTE)
    if between is not None:
        closed(world, between)
    opened(world)
    assert closed(world, 20 * DAY).told() == []


def test_an_answer_that_came_too_late_does_not_undo_the_call_of_a_catch_up() -> None:
    world = closed(World("complaint"), 0)
    opened(world)
    answered(world, 50 * HOUR)
    assert closed(world, 60 * HOUR).told() == [OPEN, TRIP, OVER]
    assert world.ordered() == [CALL]


def test_an_answer_that_is_heard_of_late_ends_it_at_the_next_close() -> None:
    world = closed(World("complaint"), 0)
    opened(world)
    closed(world, 60 * HOUR)
    answered(world, 10 * HOUR)
    assert closed(world, 60 * HOUR + MINUTE).told() == [OPEN, TRIP, OVER]


def test_of_two_openings_the_earlier_counts_whichever_comes_first() -> None:
    for first, second in ((0, 10 * HOUR), (10 * HOUR, 0)):
        world = closed(World("complaint"), 0)
        opened(world, first)
        opened(world, second, segment="high_net_worth" if second else "young")
        assert closed(world, 48 * HOUR).ordered() == [CALL]
        assert closed(world, 47 * HOUR).told() == [OPEN, TRIP]


def test_an_opening_that_is_heard_of_late_is_called_for_at_the_next_close() -> None:
    world = closed(World("complaint"), 60 * HOUR)
    opened(world, 0)
    opened(world, HOUR, complaint_id="c-2")
    assert closed(world, 60 * HOUR + MINUTE).ordered() == [CALL, ("escalate", "complaint:c-2", 1)]


def test_an_earlier_opening_moves_a_warning_on_to_the_call() -> None:
    world = World("complaint")
    opened(world, 10 * HOUR)
    assert closed(world, 49 * HOUR).told() == [OPEN]
    opened(world, 0)
    assert closed(world, 49 * HOUR + MINUTE).told() == [OPEN, TRIP]


def test_an_earlier_opening_with_more_time_ends_the_warning() -> None:
    world = World("complaint")
    opened(world, 10 * MINUTE, segment="high_net_worth")
    assert closed(world, 2 * HOUR).told() == [OPEN]
    opened(world, 0)
    assert closed(world, 2 * HOUR + MINUTE).told() == [OPEN, OVER]


def test_opened_again_after_its_answer_it_stays_answered() -> None:
    world = closed(World("complaint"), 0)
    opened(world)
    answered(world, HOUR)
    closed(world, 2 * HOUR)
    opened(world, 3 * HOUR)
    assert closed(world, 10 * DAY).told() == []


def working(hours: float, **calendar: Any) -> Policy:
    figures = {"thresholds": {"hours": hours, "basis": "working"}}
    return Policy.model_validate({"version": 1, "indicators": {"complaint_sla": figures}, "calendar": calendar})


def test_working_hours_run_only_on_workdays() -> None:
    # From ten on a Monday eight hours are left of it; the Tuesday is a holiday.
    in_force = working(9, holidays={"2026-11-24": {"en": "A feast", "zh": "节日"}})
    world = World("complaint", in_force)
    opened(world)
    assert closed(world, 7.2 * HOUR - MINUTE).told() == []
    assert closed(world, 7.2 * HOUR).told() == [OPEN]
    assert closed(world, 2 * DAY - MINUTE).told() == [OPEN]
    assert closed(world, 2 * DAY).told() == [OPEN, TRIP]
    fact = world.facts[1]
    assert fact.title is not None and fact.summary is not None
    assert fact.title.en == "Complaint c-1: 9.0 working h without an answer, limit 9"
    assert fact.summary.en.startswith("Opened on 2026-11-23 10:00 through the hotline on channel douyin. The answer")
    assert "was due by 2026-11-25 10:00." in fact.summary.en


def test_what_people_read() -> None:
    names = {"channels": {"douyin": {"name": {"en": "Douyin", "zh": "抖音"}}}}
    world = World("complaint", Policy.model_validate({"version": 1, "directory": names}))
    opened(world, 17 * SECOND, product_id="wenli-1", segment="high_net_worth", entry="regulator")
    closed(world, 97 * MINUTE)
    (fact,) = world.facts
    assert fact.title is not None and fact.summary is not None and fact.evidence is not None
    assert fact.title.en == "Complaint c-1 (high-net-worth client): 1.6 h without an answer, limit 2"
    assert fact.title.zh == "投诉 c-1（高净值客户）：1.6 小时未答复，时限 2 小时"
    assert fact.summary.en == (
        "Opened on 2026-11-23 10:00 through the regulator on channel Douyin about product wenli-1. "
        "The answer is due by 2026-11-23 12:00."
    )
    assert fact.summary.zh == (
        "2026-11-23 10:00 经监管转办提交，渠道 抖音，涉及产品 wenli-1。须于 2026-11-23 12:00 前答复。"
    )
    assert fact.evidence.detail["due_at"] == "2026-11-23T04:00:17Z"
    assert [(each.topic, each.from_, each.to) for each in fact.evidence.sources] == [("complaint-events", 1, 2)]


# -- other figures, restarts, forgetting


def figures(version: int, **thresholds: Any) -> Policy:
    return policy(version, complaint_sla={"thresholds": thresholds})


def test_lower_figures_call_for_what_has_waited_longer_already() -> None:
    world = World("complaint")
    opened(world)
    closed(world, 10 * HOUR)
    world.mark(10 * HOUR + 31 * SECOND, in_force=figures(2, hours=9))
    assert closed(world, 10 * HOUR + MINUTE).ordered() == [CALL]


def test_higher_figures_close_the_alert_until_they_are_reached_too() -> None:
    world = World("complaint")
    opened(world)
    closed(world, 50 * HOUR)
    world.mark(50 * HOUR + 31 * SECOND, in_force=figures(2, hours=100))
    assert closed(world, 50 * HOUR + MINUTE).told() == [OPEN, TRIP, OVER]
    assert closed(world, 80 * HOUR).told() == [OPEN, TRIP, OVER, OPEN]


def test_a_complaint_may_have_figures_of_its_own() -> None:
    own = {"complaint:c-1": {"thresholds": {"hours": 60}}}
    world = World("complaint", policy(complaint_sla={"overrides": own}))
    opened(world)
    assert closed(world, 48 * HOUR - MINUTE).told() == []
    assert closed(world, 48 * HOUR).told() == [OPEN]
    assert closed(world, 60 * HOUR).ordered() == [CALL]


def restarted(world: World, stored: dict[bytes, bytes | None]) -> World:
    """The same story, told on by a successor that has only the snapshot, to which `stored` adds up."""
    stored.update(world.machine.changed())
    world.machine = build("complaint", 0)
    world.machine.load([(key, value) for key, value in stored.items() if value is not None])
    return world


def test_a_restart_forgets_no_deadline() -> None:
    world, stored = World("complaint"), dict[bytes, bytes | None]()
    opened(world)
    restarted(world, stored)
    assert restarted(closed(world, 39 * HOUR), stored).told() == [OPEN]
    assert closed(world, 48 * HOUR).told() == [OPEN, TRIP]
    answered(world, 48 * HOUR + SECOND)
    restarted(world, stored)
    assert closed(world, 49 * HOUR).told() == [OPEN, TRIP, OVER]


def test_what_nobody_answers_in_ninety_days_is_forgotten_and_its_alert_closes() -> None:
    world = World("complaint")
    opened(world)
    closed(world, 50 * HOUR)
    assert closed(world, 90 * DAY).told() == [OPEN, TRIP]
    closed(world, 90 * DAY + MINUTE)
    assert restarted(world, {}).told() == [OPEN, TRIP]
    assert closed(world, 90 * DAY + 2 * MINUTE).told() == [OPEN, TRIP, OVER]
    assert world.machine._store.idle()


def test_nothing_is_left_of_what_was_answered_ninety_days_ago() -> None:
    world = closed(World("complaint"), 0)
    opened(world)
    answered(world, HOUR)
    closed(world, 2 * HOUR)
    written = dict(world.machine.changed())
    closed(world, 90 * DAY + 2 * HOUR)
    gone = dict(world.machine.changed())
    assert written[b"cc-1"] is not None and gone[b"cc-1"] is None
    opened(world, 0)
    assert world.machine.ledger.rows() == [(COMPLAINT, 2, 1)]


class Broken(ComplaintSla):
    """Raises on one complaint."""

    id = "broken"

    def judge(self, view: Any, limits: Any, now_ms: int) -> Any:
        if now_ms < TEN + 50 * HOUR:
            raise ZeroDivisionError
        return super().judge(view, limits, now_ms)


def test_a_rule_that_raised_is_asked_again_at_the_next_close() -> None:
    world = World("complaint", machine=IndicatorMachine("complaint", 0, ComplaintStore(), [Broken()]))
    opened(world)
    closed(world, 50 * HOUR)
    assert world.ordered() == [CALL]


# -- hundreds of thousands

MANY = 300_000


def many(hours: int, number: int = MANY) -> ComplaintStore:
    """A store with complaints opened evenly over the hours before ten."""
    store, standing = ComplaintStore(), Standing()
    for first in range(0, number, 10_000):
        every = hours * HOUR / number
        rows = [
            (COMPLAINT, CaseRow(0, n, TEN - int(n * every), f"C{n:09d}", "opened", "douyin", "p-1", False, "branch"))
            for n in range(first, min(first + 10_000, number))
        ]
        store.fold(0, row_frame("complaint", rows), standing, None)
    return store


def test_a_tick_costs_next_to_nothing_however_many_wait() -> None:
    machine = IndicatorMachine("complaint", 0, many(24), [ComplaintSla()])
    log = Log("complaint")
    machine.apply(log.put(mark(TEN, policy=policy())))

    def cost(message: Mark) -> float:
        record, before = log.put(message), perf_counter()
        assert machine.apply(record) == []
        return perf_counter() - before

    ticks = [cost(mark(TEN + n * MINUTE)) for n in range(2, 52)]
    assert min(ticks) < 0.002  # measured: 25 µs
    assert sum(machine.seen.verdicts.values()) == 0


def test_those_that_stand_in_trouble_are_not_looked_at_until_something_changes() -> None:
    number = 3000
    machine = IndicatorMachine("complaint", 0, many(1, number), [ComplaintSla()])
    log = Log("complaint")
    machine.apply(log.put(mark(TEN, policy=figures(1, hours=3))))
    machine.apply(log.put(mark(TEN + 3 * HOUR)))
    assert machine.open_episodes == number
    assert machine.seen.verdicts.total() < number * 2.1  # with the warning, and with the call
    looked = machine.seen.verdicts.copy()
    assert machine.apply(log.put(mark(TEN + 4 * HOUR))) != []
    assert (machine.seen.verdicts - looked).total() < number
    looked = machine.seen.verdicts.copy()
    machine.apply(log.put(mark(TEN + 20 * HOUR)))
    assert machine.seen.verdicts == looked


def test_a_snapshot_of_many_is_small_and_soon_loaded() -> None:
    records = [(key, value) for key, value in many(24).changed() if value is not None]
    assert sum(len(key) + len(value) for key, value in records) / MANY < 70
    before, store = perf_counter(), ComplaintStore()
    store.load(records)
    assert perf_counter() - before < 15  # measured: one second
    tracemalloc.start()
    tenth = ComplaintStore()
    tenth.load(records[::10])
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size / (MANY / 10) < 600  # bytes for each complaint; measured: 400
    assert list(store.waiting({"normal": TEN - 24 * HOUR + 300})) == [f"complaint:C{MANY - 1:09d}"]
    assert store.view("complaint:C000000000", Surroundings.under(policy())).open_at(TEN) is not None


def test_figures_for_one_complaint_do_not_make_the_others_forgotten() -> None:
    own = {"overrides": {"complaint:c-9": {"thresholds": {"hours": 1}}}}
    world = closed(World("complaint", Policy.model_validate({"version": 1, "indicators": {"complaint_sla": own}})), 0)
    closed(world, 2 * HOUR)
    opened(world, 2 * HOUR)
    opened(world, 2 * HOUR, complaint_id="c-9")
    assert closed(world, 3 * HOUR).ordered() == [("escalate", "complaint:c-9", 1)]
    for hours in range(4, 51):
        closed(world, hours * HOUR)
    assert world.ordered()[1:] == [CALL]
