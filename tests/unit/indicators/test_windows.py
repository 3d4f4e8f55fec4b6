"""Panes, complaints and actors by themselves: sums, ranges, forgetting, and what a snapshot brings back."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.indicators.snapshot import MACHINE, decode_progress
from services.indicators.subjects.complaints import Complaint, Complaints, Tally
from services.indicators.windows.days import Days, Span
from services.indicators.windows.panes import HOUR_MS, PANE_MS, Panes
from tests.support.indicator_log import CHANNEL, TEN
from tests.unit.indicators.world import HOUR, MINUTE, SECOND, World

FEEDS = (0, 0, 1)


def filled(rows: list[tuple[int, int, int, int, int]], source: int = 7) -> Panes:
    """Rows of (slot, pane, measure, amount, offset)."""
    panes = Panes(FEEDS)
    slot, pane, measure, amount, offset = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    panes.add(slot, pane, measure, amount, np.full(len(rows), panes.source(source)), offset)
    return panes


def test_a_span_is_summed_over_hours_and_parts_of_hours() -> None:
    panes = filled([(0, pane, 0, 10**pane, pane) for pane in (0, 1, 11, 12, 13)])
    assert panes.total(0, 0, Span(PANE_MS, 13 * PANE_MS)) == 10 + 10**11 + 10**12
    assert panes.total(0, 1, Span(0, HOUR_MS)) == panes.total(1, 0, Span(0, HOUR_MS)) == 0


ROWS = st.tuples(st.integers(0, 5), st.integers(0, 40), st.integers(0, 2), st.integers(0, 9))
STEPS = st.one_of(
    st.tuples(st.just("add"), st.lists(ROWS, min_size=1, max_size=5)),
    st.tuples(st.just("look"), st.integers(-3, 40), st.integers(0, 45)),
    st.tuples(st.just("evict"), st.integers(0, 4)),
)


@given(steps=st.lists(STEPS, max_size=25))
def test_sums_are_the_plain_ones_whatever_was_asked_and_added_before(steps: list[tuple[Any, ...]]) -> None:
    panes, kept = Panes(FEEDS), list[tuple[int, int, int, int]]()
    for what, *more in steps:
        if what == "add":
            slot, pane, measure, amount = (np.array(column, np.int64) for column in zip(*more[0], strict=True))
            panes.add(slot, pane, measure, amount, np.full(len(slot), panes.source(7)), pane)
            kept += more[0]
        elif what == "evict":
            panes.evict(more[0] * HOUR_MS)
            kept = [row for row in kept if row[1] // 12 >= more[0]]
        else:
            first, end = more[0], more[0] + more[1]
            span = Span(first * PANE_MS, end * PANE_MS)
            within = [row for row in kept if first <= row[1] < end]
            for each in range(-1, 7):
                found = [panes.total(each, number, span) for number in range(3)]
                mine = [row for row in within if row[0] == each]
                assert found == [sum(row[3] for row in mine if row[2] == number) for number in range(3)]
                heard = {FEEDS[row[2]] for row in mine}
                assert [panes.heard(each, feed, span) for feed in (0, 1)] == [feed in heard for feed in (0, 1)]


@pytest.mark.parametrize("amount", [1, 255, 256, 65_536, 2**32 - 1, 2**32, 2**60])
def test_a_snapshot_brings_back_any_amount_in_few_bytes(amount: int) -> None:
    panes = filled([(3, 40, 2, amount, 9), (3, 41, 0, 1, 12)])
    records = list(panes.changed())
    assert list(panes.changed()) == []
    fresh = Panes(FEEDS)
    fresh.load(records)
    span = Span(3 * HOUR_MS, 4 * HOUR_MS)
    assert fresh.total(3, 2, span) == amount
    assert list(fresh.ranges(3, span)) == [(7, 9, 13)]
    assert fresh.heard(3, 1, Span(40 * PANE_MS, 41 * PANE_MS))
    assert not fresh.heard(3, 1, Span(41 * PANE_MS, 42 * PANE_MS))
    assert fresh.heard_from(3, 41) == [41]
    assert list(fresh.changed()) == []


def test_pages_are_forgotten_and_used_again_empty() -> None:
    panes = filled([(slot, pane, 0, 1, 1) for slot in range(100) for pane in (0, 100)])
    gone = panes.evict(HOUR_MS)
    assert sorted(gone) == [(slot, 0) for slot in range(100)]
    panes.add(*(np.array([value], np.int64) for value in (5, 200, 1, 4, panes.source(8), 3)))
    span = Span(16 * HOUR_MS, 17 * HOUR_MS)
    assert (panes.total(5, 0, span), panes.total(5, 1, span)) == (0, 4)
    assert list(panes.ranges(5, span)) == [(8, 3, 4)]


def test_many_sources_and_slots_find_room() -> None:
    panes = Panes(FEEDS)
    for number in range(50):
        one = np.array([number], np.int64)
        panes.add(one, one * 12, one % 3, one, np.array([panes.source(number * 3)]), one)
    assert list(panes.ranges(49, Span(49 * HOUR_MS, 50 * HOUR_MS))) == [(147, 49, 50)]
    assert panes.slots() == set(range(50))


def complaint(at_ms: int, number: int = 0, **who: object) -> Complaint:
    known = {"id": f"c{number}", "account": None, "ip": None, "one_click": False} | who
    return Complaint(at_ms, 1, number, **known)  # type: ignore[arg-type]


def test_a_tally_goes_on_where_it_ended_and_takes_in_what_comes_late() -> None:
    complaints = Complaints()
    for number in range(10):
        complaints.add(complaint(number * PANE_MS, number))
    assert complaints.tally(Span(0, 5 * PANE_MS), 3).opened == 5
    complaints.add(complaint(PANE_MS, 20))
    complaints.add(complaint(7 * PANE_MS, 21))
    assert complaints.tally(Span(0, 5 * PANE_MS), 3).opened == 6
    assert complaints.tally(Span(0, 8 * PANE_MS), 3).opened == 10
    assert complaints.tally(Span(0, 5 * PANE_MS), 3).opened == 6


def test_the_same_complaint_counts_at_its_earliest_opening() -> None:
    complaints = Complaints()
    complaints.add(complaint(9 * PANE_MS, 1, id="x"))
    assert complaints.add(complaint(2 * PANE_MS, 2, id="x")) == 2
    assert complaints.add(complaint(5 * PANE_MS, 3, id="x")) is None
    assert complaints.panes_from(0) == [2]
    loaded = Complaints()
    for pane in (9, 5, 2):
        loaded.load(complaints.record(pane) or b"")
    for each in (complaints, loaded):
        assert each.tally(Span(0, 10 * PANE_MS), cap=3).opened == 1
        assert list(each.within(Span(5 * PANE_MS, 10 * PANE_MS))) == []
        assert each.add(complaint(7 * PANE_MS, 4, id="x")) is None


def test_that_a_complaint_is_known_already_rests_on_where_it_was_opened_first() -> None:
    complaints = Complaints()
    complaints.add(complaint(2 * PANE_MS, 1, id="x"))
    complaints.add(complaint(9 * PANE_MS, 2, id="x"))
    complaints.add(complaint(9 * PANE_MS, 3))
    assert sorted(complaints.events(Span(9 * PANE_MS, 10 * PANE_MS))) == [(1, 1), (1, 2), (1, 3)]
    assert complaints.evict(5 * PANE_MS) == [2]
    assert complaints.evict(10 * PANE_MS) == [9]
    assert not len(complaints)


def test_of_an_account_three_count_and_of_anonymous_clicks_the_limit() -> None:
    tally = Tally(0, cap=3)
    for number in range(9):
        tally.add(complaint(0, number, account=b"a", ip=bytes([number])))
    assert tally.count(anonymous_limit=10) == 3
    for number in range(30):
        tally.add(complaint(0, number, one_click=True))
    assert (tally.count(anonymous_limit=10), tally.anonymous, tally.opened) == (13, 30, 39)


def test_the_limit_of_anonymous_clicks_holds_for_addresses_too() -> None:
    tally = Tally(0, cap=3)
    for number in range(10):
        tally.add(complaint(0, number, account=bytes([number]), ip=b"office"))
    for number in range(30):
        tally.add(complaint(0, number, one_click=True, ip=bytes([number])))
    assert tally.count(anonymous_limit=5) == 3 + 5


@pytest.mark.parametrize(("zone", "hours"), [("Asia/Shanghai", 24), ("America/New_York", 25), ("Asia/Kathmandu", 24)])
def test_a_business_day_is_as_long_as_the_clocks_make_it(zone: str, hours: int) -> None:
    days = Days(zone)
    autumn = 1_793_563_200_000 - 12 * HOUR  # 2026-11-01T08:00Z: New York sets its clocks back
    day = days.of(autumn)
    assert day.span.end - day.span.start == hours * HOUR
    assert days.of(day.span.end).span.start == day.span.end
    assert days.of(day.span.end - 1) == day


def test_actors_are_forgotten_when_their_clicks_are() -> None:
    world = World("actor")
    for second in range(0, 600, 5):
        world.clicks(3, at=second * SECOND, within=SECOND, ip=f"10.0.0.{second}")
        world.mark(second * SECOND)
    store = world.machine._store
    assert len(store._slots) < 30  # type: ignore[attr-defined]
    assert len(store._names) < 40  # type: ignore[attr-defined]


def test_a_snapshot_of_actors_says_from_where_to_fold_again() -> None:
    world = World("actor")
    points = []
    for minute in range(10):
        world.clicks(3, at=minute * MINUTE)
        world.mark(minute * MINUTE)
        list(world.machine.changed())
        points.append(world.machine.rewind(world.machine.standing.offset))
    assert points == sorted(points)
    assert points[-1] > points[0]
    assert world.machine.standing.offset - points[-1] <= 8


def test_channels_are_forgotten_after_nine_days_with_their_records() -> None:
    world = World("channel")
    world.happen(world.event("clicks", 0), world.event("complaints", 0))
    stored = {key for key, value in world.machine.changed() if value is not None}
    world.happen(world.event("clicks", 10 * 24 * HOUR, channel="weibo"))
    world.mark(10 * 24 * HOUR)
    gone = {key for key, value in world.machine.changed() if value is None}
    assert {key[:1] for key in gone} == {b"h", b"c"}
    assert gone <= stored
    assert list(world.machine._store.standing_subjects(("clicks",))) == ["channel:weibo"]


def test_the_ledger_is_in_the_snapshot() -> None:
    world = World("channel")
    world.happen(*(world.event("clicks", 0) for _ in range(5)))
    records = dict(world.machine.changed())
    progress = decode_progress(records[MACHINE] or b"")
    assert progress.ledger == [(CHANNEL, 5, 0)]
    assert progress.at.newest_ms == TEN
    with pytest.raises(ValueError, match="format 99"):
        decode_progress((records[MACHINE] or b"").replace(b"\xa1v\x02", b"\xa1v\x63"))
