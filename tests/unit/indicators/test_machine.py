"""One machine: what it absorbs, which policy it goes by, and how it says what it has to."""

from datetime import timedelta

import pytest

from schemas.frames import END_OF_SOURCE, UnknownFormatError, encode
from schemas.policy import Policy
from services.indicators.machine import build
from services.runtime.machines.machine import Record
from tests.support.indicator_log import (
    CHANNEL,
    COMPLAINT,
    CONVERSION,
    TEN,
    commands,
    facts,
    mark,
    policy,
)
from tests.unit.indicators.world import DOUYIN, HOUR, MINUTE, SECOND, World, sold


def test_what_was_absorbed_is_skipped_row_by_row() -> None:
    world = World("channel")
    first = [world.event("complaints", n * SECOND) for n in range(15)]
    more = [world.event("complaints", n * SECOND) for n in range(15, 20)]
    world.happen(*first)
    world.happen(*first)
    world.happen(*first[10:], *more[:4])
    assert world.ordered() == []
    world.happen(*more)
    assert world.ordered() == [("pause", DOUYIN, 1)]
    assert world.machine.ledger.rows() == [(COMPLAINT, 20, 0)]


def test_events_older_than_any_window_are_too_late() -> None:
    world = World("channel")
    world.mark(0)
    sold(world, 5, at=-10 * 24 * HOUR)
    world.complaints(3, at=-4 * 24 * HOUR)
    assert world.machine.ledger.rows() == [(COMPLAINT, 0, 3), (CONVERSION, 0, 1)]


def test_there_is_no_clock_until_every_source_has_reported() -> None:
    world = World("channel")
    world.mark(0, read={CHANNEL: TEN + HOUR, COMPLAINT: TEN + HOUR})
    assert world.machine.standing.clock_ms is None
    world.mark(0, read={CONVERSION: TEN})
    assert world.machine.standing.clock_ms == TEN


def test_when_every_source_has_ended_the_last_pane_closes() -> None:
    world = World("channel")
    sold(world, 100)
    world.complaints(7, at=0)
    world.mark(END_OF_SOURCE - TEN)
    assert world.ordered() == [("pause", DOUYIN, 2)]
    assert world.machine.standing.closed_ms == TEN + 5 * MINUTE


def test_a_frame_of_another_format_is_refused() -> None:
    with pytest.raises(UnknownFormatError, match="format"):
        build("channel", 0).apply(Record(0, 0, None, b"\x00"))


def test_nothing_is_judged_before_the_first_policy_and_then_all_of_it() -> None:
    world = World("channel", first_mark=False)
    world.complaints(25, at=0)
    world.mark(MINUTE)
    assert world.outputs == []
    world.mark(MINUTE, in_force=policy())
    assert world.ordered() == [("pause", DOUYIN, 1)]


@pytest.mark.parametrize(
    ("maturity", "orders", "alerts"), [("shadow", 0, 0), ("notify", 0, 1), ("approve", 1, 1), ("auto", 1, 1)]
)
def test_maturity_says_how_far_a_trip_goes(maturity: str, orders: int, alerts: int) -> None:
    world = World("channel", policy(complaint_volume={"maturity": maturity}))
    world.complaints(20, at=0)
    assert (len(world.commands), len(world.facts)) == (orders, alerts)
    assert all(command.maturity == maturity for command in world.commands)
    assert world.machine.seen.shadow["complaint_volume"] == (maturity == "shadow")


def test_a_policy_that_cannot_be_used_is_told_once_and_the_one_before_stays() -> None:
    world = World("channel")
    bad = Policy.model_validate({"version": 2, "indicators": {"complaint_rate": {"thresholds": {"slow_att": 0.1}}}})
    world.mark(0, in_force=bad)
    world.mark(SECOND, in_force=bad)
    (fact,) = world.facts
    assert fact.summary is not None and "complaint_rate.thresholds.slow_att" in fact.summary.en
    world.complaints(20, at=0)
    assert world.ordered() == [("pause", DOUYIN, 1)]
    world.mark(2 * SECOND, in_force=policy(3))
    assert [each.status for each in world.facts if each.subject == "policy:default/2"] == ["open", "resolved"]


def test_a_writers_facts_are_numbered_and_say_who_writes() -> None:
    world = World("channel")
    world.complaints(50, at=0)
    world.mark(14 * HOUR + MINUTE)
    assert [fact.seq for fact in world.facts] == [1, 2]
    assert {fact.writer for fact in world.facts} == {"indicators:channel:0"}
    assert all(
        output.key == fact.alert_id.encode() for output, fact in zip(world.outputs[:1], world.facts, strict=False)
    )


def test_times_come_from_the_log() -> None:
    world = World("channel")
    outputs = world.complaints(20, at=0)
    appended = world.log.records[-1].timestamp_ms / 1000
    assert commands(outputs)[0].issued_at.timestamp() == appended
    assert facts(outputs)[0].at.timestamp() == appended
    assert facts(outputs)[0].opened_at == facts(outputs)[0].at


def test_a_mark_without_news_says_nothing() -> None:
    world = World("channel")
    record = Record(1, 0, None, encode(mark(TEN + int(timedelta(hours=1).total_seconds()))))
    assert world.machine.apply(record) == []
