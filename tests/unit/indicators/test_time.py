"""What moves a machine's time, and what must not."""

import time

import pytest

from schemas.frames import END_OF_SOURCE, FORMAT, Mark, Read, source_of
from services.indicators.machine import IndicatorMachine, build
from services.indicators.standing import Standing
from services.indicators.subjects.channel import ChannelStore
from tests.support.indicator_log import TEN
from tests.unit.indicators.world import HOUR, MINUTE, SECOND, World

USED = [source_of(topic, 0) for topic in ("channel-events", "complaint-events", "conversion-events")]
UNUSED = source_of("mention-events", 0)
DAY = 24 * HOUR


def _heard(reads: dict[int, int], told_ms: int, clock: str = "wall") -> int | None:
    standing = Standing()
    mark = Mark(FORMAT, 0, clock, [*USED, UNUSED], [Read(s, 0, t) for s, t in reads.items()], "default/1", None)
    standing.hear(mark, told_ms, 300_000, ChannelStore.feeds)
    return standing.clock_ms


def test_a_source_that_the_subject_has_no_use_for_does_not_hold_its_time_up() -> None:
    assert _heard(dict.fromkeys(USED, TEN), TEN) == TEN
    assert _heard(dict.fromkeys(USED, TEN) | {UNUSED: TEN - DAY}, TEN) == TEN


@pytest.mark.parametrize("missing", USED)
def test_every_source_that_it_uses_does(missing: int) -> None:
    assert _heard({source: TEN for source in USED if source != missing}, TEN) is None


def test_no_source_is_read_further_than_the_brokers_time() -> None:
    assert _heard(dict.fromkeys(USED, TEN + HOUR), TEN) == TEN


def test_the_time_of_replayed_history_and_an_ended_source_stay_as_told() -> None:
    assert _heard(dict.fromkeys(USED, TEN + HOUR), TEN, clock="events") == TEN + HOUR
    assert _heard(dict.fromkeys(USED, TEN) | {USED[0]: END_OF_SOURCE}, TEN - HOUR) == TEN - HOUR


def test_when_all_have_ended_it_is_as_late_as_the_last_one_was_read_whatever_was_told_before() -> None:
    """After a backlog nothing is told between an hour ago and the end, and a partition may have had no event since."""
    ended = {source: END_OF_SOURCE + TEN + minutes * MINUTE for source, minutes in zip(USED, (3, 58, 7), strict=True)}
    assert _heard(ended, TEN, clock="events") == TEN + HOUR + 30 * SECOND


def test_one_event_with_a_wrong_year_does_not_keep_a_first_start_busy() -> None:
    world = World("channel", machine=build("channel", 0))
    world.happen(world.event("clicks", -TEN), world.event("clicks", 0))
    began = time.process_time()
    world.mark(HOUR)
    assert time.process_time() - began < 2.0
    assert isinstance(world.machine, IndicatorMachine)
    assert world.machine.standing.closed_ms is not None


def test_trouble_that_came_while_an_earlier_one_was_not_yet_closed_is_an_episode_of_its_own() -> None:
    world = World("actor")
    world.clicks(100, 0)
    world.mark(6 * MINUTE)
    world.clicks(100, 6 * MINUTE + 30 * SECOND)
    world.mark(6 * MINUTE + 45 * SECOND)
    assert world.told() == [("open", "critical", 1), ("resolved", None, None), ("open", "critical", 1)]
    assert len({command.alert_id for command in world.commands if command.command == "freeze"}) == 2
    world.mark(HOUR)
    assert world.told()[3:] == [("resolved", None, None)]
