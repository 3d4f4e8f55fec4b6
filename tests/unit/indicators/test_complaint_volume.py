"""complaint_volume: a count of the day."""

from tests.support.indicator_log import (
    TEN,
)
from tests.unit.indicators.world import DOUYIN, HOUR, MINUTE, SECOND, World


def test_twenty_complaints_pause_the_channel_at_once() -> None:
    world = World("channel")
    assert world.complaints(19, at=0) != []  # a warning
    assert world.ordered() == []
    world.complaints(1, at=MINUTE)
    assert world.ordered() == [("pause", DOUYIN, 1)]
    assert world.told() == [("open", "warning", 0), ("updated", "critical", 1)]
    assert len({fact.alert_id for fact in world.facts} | {world.commands[0].alert_id}) == 1


def test_each_doubling_is_a_level_and_none_is_left_out() -> None:
    world = World("channel")
    world.complaints(85, at=0)
    assert world.ordered() == [("pause", DOUYIN, 1), ("pause", DOUYIN, 2), ("pause", DOUYIN, 3)]
    assert len({command.command_id for command in world.commands}) == 3


def test_a_late_complaint_completes_the_count_of_its_pane() -> None:
    world = World("channel")
    world.complaints(10, at=0)
    world.complaints(9, at=2 * HOUR)
    world.mark(3 * HOUR)
    assert world.ordered() == []
    world.complaints(1, at=MINUTE, account="late")
    (command,) = world.commands
    assert command.event_time is not None and command.event_time.timestamp() * 1000 == TEN + 2 * HOUR + 5 * MINUTE


def test_midnight_in_shanghai_ends_the_episode_and_the_count_starts_anew() -> None:
    world = World("channel")
    world.complaints(20, at=13.5 * HOUR)  # half past eleven at night
    world.mark(14 * HOUR + 29 * SECOND)
    assert world.told() == [("open", "critical", 1)]
    world.mark(14 * HOUR + 31 * SECOND)
    assert [fact.status for fact in world.facts] == ["open", "resolved"]
    world.complaints(19, at=14.2 * HOUR)
    assert world.ordered() == [("pause", DOUYIN, 1)]
    world.complaints(1, at=14.3 * HOUR)
    assert world.ordered() == [("pause", DOUYIN, 1)] * 2
    assert len({command.alert_id for command in world.commands}) == 2


def test_a_late_complaint_of_a_day_that_is_over_does_not_pause_again() -> None:
    world = World("channel")
    world.complaints(20, at=13.5 * HOUR)
    world.mark(15 * HOUR)
    assert world.complaints(1, at=13.9 * HOUR, account="late") == []
    world.complaints(19, at=13.95 * HOUR, account=None)
    assert world.ordered() == [("pause", DOUYIN, 1), ("pause", DOUYIN, 2)]


def test_another_complaint_with_the_same_id_counts_once() -> None:
    world = World("channel")
    world.happen(*(world.event("complaints", n * SECOND, complaint_id=f"c{n % 19}") for n in range(100)))
    assert world.ordered() == []


def test_catching_up_finds_the_burst_in_the_middle() -> None:
    quiet = [(-3 * HOUR, 1), (3 * HOUR, 1)]
    world = World("channel")
    events = [world.event("complaints", at) for at, number in [quiet[0], (0, 20), quiet[1]] for _ in range(number)]
    world.happen(*events)
    (command,) = world.commands
    assert command.event_time is not None and command.event_time.timestamp() * 1000 == TEN + 5 * MINUTE


def test_panes_that_close_after_an_episode_but_lie_before_it_do_not_clear_it() -> None:
    world = World("channel")
    world.mark(0)
    world.complaints(20, at=HOUR)
    world.mark(30 * MINUTE)
    world.mark(2 * HOUR)
    assert [fact.status for fact in world.facts] == ["open"]
