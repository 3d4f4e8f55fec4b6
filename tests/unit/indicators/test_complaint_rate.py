"""complaint_rate: a ratio, judged when a pane closes."""

import pytest

from tests.support.indicator_log import (
    CHANNEL,
    COMPLAINT,
    CONVERSION,
    TEN,
)
from tests.unit.indicators.world import DOUYIN, HOUR, MINUTE, SECOND, World, sold


def test_the_rate_is_judged_when_the_pane_closes_and_not_before() -> None:
    world = World("channel")
    sold(world, 400)
    world.complaints(8, at=0)
    world.mark(5 * MINUTE + 29 * SECOND)
    assert world.commands == []
    world.mark(5 * MINUTE + 30 * SECOND)
    (command,) = world.commands
    assert (command.command, command.factor, command.maturity, command.level) == ("throttle", 0.5, "approve", 1)
    assert world.told() == [("open", "warning", 1)]


def test_the_pause_takes_the_place_of_the_throttle_in_the_same_episode() -> None:
    world = World("channel")
    sold(world, 200)
    world.complaints(4 + 1, at=0)
    world.mark(6 * MINUTE)
    world.complaints(5, at=7 * MINUTE)
    world.mark(20 * MINUTE)
    assert world.ordered() == [("throttle", DOUYIN, 1), ("pause", DOUYIN, 2)]
    assert world.told() == [("open", "warning", 1), ("updated", "critical", 2)]
    assert len({fact.alert_id for fact in world.facts}) == 1


def test_a_rate_that_starts_at_the_second_figure_pauses_only() -> None:
    world = World("channel")
    sold(world, 100)
    world.complaints(7, at=0)
    world.mark(6 * MINUTE)
    assert world.ordered() == [("pause", DOUYIN, 2)]


def test_five_of_a_hundred_are_too_few_to_stop_a_channel_but_they_slow_it() -> None:
    for complaints, command in ((5, "throttle"), (6, "throttle"), (7, "pause")):
        world = World("channel")
        sold(world, 100)
        world.complaints(complaints, at=0)
        world.mark(6 * MINUTE)
        assert [each.command for each in world.commands] == [command]


def test_it_clears_after_half_an_hour_under_nine_tenths_of_the_figure() -> None:
    world = World("channel")
    sold(world, 400)
    world.complaints(8, at=0)
    world.mark(6 * MINUTE)
    sold(world, 30, at=10 * MINUTE)  # 1.86 %: under the figure, but not far enough
    world.mark(HOUR)
    assert [fact.status for fact in world.facts] == ["open"]
    sold(world, 100, at=HOUR + MINUTE)  # 1.5 %
    world.mark(HOUR + 35 * MINUTE + 29 * SECOND)
    assert [fact.status for fact in world.facts] == ["open"]
    world.mark(HOUR + 35 * MINUTE + 30 * SECOND)
    assert [fact.status for fact in world.facts] == ["open", "resolved"]


@pytest.mark.parametrize(("purchases", "number"), [(99, 50), (150, 4)])
def test_too_few_of_either_is_unsure(purchases: int, number: int) -> None:
    world = World("channel")
    sold(world, purchases)
    world.complaints(number, at=0)
    world.mark(HOUR)
    assert not any(fact.indicator == "complaint_rate" for fact in world.facts)
    assert world.machine.seen.verdicts["complaint_rate", "unsure"] > 0


def test_a_silent_feed_neither_trips_nor_clears() -> None:
    world = World("channel")
    sold(world, 100)
    world.complaints(3, at=0)
    world.mark(90 * MINUTE)
    world.complaints(5, at=3 * HOUR)  # enough, but nothing was sold for three hours
    world.mark(3 * HOUR + 10 * MINUTE)
    assert world.commands == []
    sold(world, 1, at=3 * HOUR + 11 * MINUTE)
    world.mark(3 * HOUR + 20 * MINUTE)
    assert world.ordered() == [("pause", DOUYIN, 2)]
    world.mark(28 * HOUR)  # no complaint for a day, but no purchase either
    assert [fact.status for fact in world.facts] == ["open"]


def test_a_rate_clears_when_complaints_fade_and_purchases_go_on() -> None:
    world = World("channel")
    world.complaints(8, at=0)
    for hour in range(27):
        sold(world, 15, at=hour * HOUR)
        world.mark(hour * HOUR)
    world.mark(27 * HOUR)
    rate = [fact for fact in world.facts if fact.indicator == "complaint_rate"]
    assert [(fact.status, fact.value) for fact in rate][-1] == ("resolved", 0.0)


def test_complaints_wait_for_purchases_that_are_still_being_read() -> None:
    world = World("channel")
    sold(world, 100)
    world.complaints(6, at=0)
    world.mark(0, read={CHANNEL: TEN + HOUR, COMPLAINT: TEN + HOUR, CONVERSION: TEN})
    assert world.commands == []
    sold(world, 1000, at=MINUTE)
    world.mark(HOUR)
    assert world.commands == []
