"""Dead feeds: who is missed, when, and who is not, over days of traffic."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.base import to_ms
from services.indicators.machine import build
from services.indicators.windows.panes import PANE_MS
from services.runtime.machines.machine import Record
from tests.support.indicator_log import policy
from tests.support.replay import Plan, assert_replay_safe, plans
from tests.unit.indicators.world import HOUR, MINUTE, World

ROOT = Path(__file__).parents[4]
Traffic = Callable[[float], bool]
"""Whether a channel is heard in the pane that begins at an hour."""


def always(_: float) -> bool:
    return True


def until(end: float, traffic: Traffic = always) -> Traffic:
    """Traffic that stops at an hour."""
    return lambda hour: hour < end and traffic(hour)


def by_day(hour: float) -> bool:
    """Ten in the morning to ten at night, as hours are counted here."""
    return hour % 24 < 12


def on_weekdays(hour: float) -> bool:
    """By day, and not on the sixth and seventh."""
    return by_day(hour) and hour // 24 % 7 < 5


def sometimes(every: int) -> Traffic:
    """One pane of so many."""
    return lambda hour: round(hour * 12) % every == 0


def live(hours: float, traffic: Mapping[str, Traffic], since: float = 0, world: World | None = None) -> World:
    """A world in which time goes on, pane by pane."""
    world = world or World("channel")
    for number in range(int(since * 12), int(hours * 12)):
        tell(world, range(number, number + 1), "clicks", traffic)
    return world


def tell(world: World, panes: range, topic: str, of: Mapping[str, Traffic]) -> None:
    """A frame of what is heard in some panes, if anything is, and a mark by which they are over."""
    heard = [(channel, number) for number in panes for channel, traffic in of.items() if traffic(number / 12)]
    if heard:
        world.happen(*(world.event(topic, number * PANE_MS + MINUTE, channel=channel) for channel, number in heard))
    world.mark(panes.stop * PANE_MS + 31_000)


def dead(world: World) -> list[tuple[str | None, str | None, float]]:
    """`(status, subject, hour)` of what was told of dead feeds; the hour is that of the mark."""
    found: list[tuple[str | None, str | None, float]] = []
    for fact in world.facts:
        if fact.indicator == "dead_feed":
            # Offsets count appends: one frame, if any, and one mark a pane.
            found.append((fact.status, fact.subject, _hour(world, to_ms(fact.at))))
    return found


def _hour(world: World, told_ms: int) -> float:
    marks = [record for record in world.log.records if record.timestamp_ms <= told_ms]
    return _marks(marks) / 12


def _marks(records: Iterable[Record]) -> int:
    return sum(b"mark" in record.value[:8] for record in records) - 1  # the first one brought the policy


def test_a_busy_feed_is_missed_after_max_silence_and_only_once() -> None:
    world = live(40, {"douyin": always, "weibo": until(30)})
    assert dead(world) == [("open", "channel:weibo", 32)]
    (fact,) = world.facts
    assert (fact.severity, fact.runbook) == ("warning", "services/indicators/runbook.md#dead_feed")
    assert "\n## dead_feed\n" in (ROOT / "services/indicators/runbook.md").read_text("utf-8")
    assert fact.title is not None
    assert fact.title.en == "Channel weibo: no channel events since 11-24 16:00"
    assert fact.title.zh == "渠道 weibo：11-24 16:00 起没有渠道事件"


def test_it_is_over_when_it_is_heard_again_and_another_silence_is_another_alert() -> None:
    world = live(50, {"douyin": always, "weibo": lambda hour: hour < 30 or 35 <= hour < 40})
    assert [each[:2] for each in dead(world)] == [
        ("open", "channel:weibo"),
        ("resolved", "channel:weibo"),
        ("open", "channel:weibo"),
    ]
    first, over, second = world.facts
    assert first.alert_id == over.alert_id != second.alert_id


def test_a_feed_that_is_younger_than_a_day_is_not_missed() -> None:
    assert dead(live(23, {"douyin": always, "weibo": until(12)})) == []


@pytest.mark.parametrize(("rhythm", "learnt"), [(by_day, 0), (sometimes(200), 0), (on_weekdays, 1)])
def test_a_rhythm_is_no_silence(rhythm: Traffic, learnt: int) -> None:
    """Two weeks; only the first free weekend comes as a surprise."""
    world = live(14 * 24, {"douyin": always, "weibo": rhythm})
    assert [each[0] for each in dead(world)].count("open") == learnt


def test_a_channel_that_sleeps_at_night_is_missed_in_its_morning() -> None:
    world = live(60, {"douyin": always, "weibo": until(36, by_day)})
    assert dead(world) == [("open", "channel:weibo", 50)]


def test_one_delivery_an_hour_is_missed_after_as_many_deliveries() -> None:
    world = live(80, {"douyin": always, "weibo": until(40, sometimes(12))})
    ((status, subject, hour),) = dead(world)
    assert (status, subject) == ("open", "channel:weibo")
    assert hour == pytest.approx(63, abs=0.2)


def test_all_channels_of_a_topic_are_one_alert_and_their_return_is_none() -> None:
    channels: dict[str, Traffic] = {f"c{number}": until(30) for number in range(9)} | {"last": always}
    world = live(40, channels)
    assert dead(world) == [("open", "topic:channel-events", 32)]
    (fact,) = world.facts
    assert fact.severity == "critical"
    assert fact.summary is not None
    assert "9 / 10 channels" in fact.summary.en
    live(45, dict.fromkeys(channels, sometimes(2)), since=40, world=world)
    assert [each[:2] for each in dead(world)] == [
        ("open", "topic:channel-events"),
        ("resolved", "topic:channel-events"),
    ]


def test_each_topic_is_a_feed_of_its_own_and_complaints_are_none() -> None:
    world = World("channel")
    for number in range(40 * 12):
        if number < 30 * 12:
            tell(world, range(number, number + 1), "purchases", {"douyin": always, "weibo": always})
            world.complaints(1, at=number * PANE_MS)
        tell(world, range(number, number + 1), "clicks", {"douyin": always, "weibo": always})
    assert [each[:2] for each in dead(world)] == [("open", "topic:conversion-events")]


def test_late_delivery_is_a_sign_of_life() -> None:
    world = World("channel")
    for number in range(40 * 12):
        begin = number * PANE_MS
        world.happen(
            world.event("clicks", begin, channel="douyin"), world.event("clicks", begin - HOUR, channel="late")
        )
        world.mark(begin + PANE_MS + 31_000)
    assert dead(world) == []


def test_what_was_read_after_an_outage_of_ours_is_not_missed() -> None:
    """For ten hours there were no marks, then everything at once: nobody was silent."""
    world = live(30, {"douyin": always, "weibo": always})
    events = [
        world.event("clicks", number * PANE_MS, channel=channel)
        for number in range(30 * 12, 40 * 12)
        for channel in ("douyin", "weibo")
    ]
    world.happen(*events)
    world.mark(40 * HOUR + MINUTE)
    assert dead(world) == []


def test_after_nine_days_nobody_waits_any_more() -> None:
    world = live(15 * 24, {"douyin": always, "weibo": until(48)})
    assert [each[:2] for each in dead(world)] == [("open", "channel:weibo"), ("resolved", "channel:weibo")]
    assert dead(world)[1][2] == pytest.approx(48 + 9 * 24, abs=0.2)
    assert not any(b"weibo" in key for key, value in world.machine.changed() if value is not None)


@pytest.mark.parametrize("others", [{}, {"clicks": always}])
def test_nor_does_anybody_wait_for_a_whole_topic(others: dict[str, Traffic]) -> None:
    world = World("channel")
    for number in range(11 * 24 * 12):
        for topic, traffic in ({"purchases": until(25)} | others).items():
            if traffic(number / 12):
                world.happen(
                    *(world.event(topic, number * PANE_MS + MINUTE, channel=name) for name in ("douyin", "weibo"))
                )
        world.mark((number + 1) * PANE_MS + 31_000)
    assert [each[:2] for each in dead(world)] == [
        ("open", "topic:conversion-events"),
        ("resolved", "topic:conversion-events"),
    ]


def test_the_policy_says_how_long() -> None:
    patient = policy().model_copy(update={"max_silence": policy().max_silence * 3})
    world = live(40, {"douyin": always, "weibo": until(30)}, world=World("channel", patient))
    assert dead(world) == [("open", "channel:weibo", 36)]


@given(ends=st.tuples(*[st.integers(24, 28)] * 3), plan=plans(48 + 2 * 12 * 8))
@settings(deadline=None, max_examples=12)
def test_the_same_is_told_wherever_it_is_interrupted(ends: tuple[int, int, int], plan: Plan) -> None:
    a, b, c = ends
    traffic: dict[str, Traffic] = {
        "a": until(a),
        "b": lambda hour: hour < b or hour > b + 3,
        "c": until(c, sometimes(2)),
        "d": always,
    }
    world = World("channel")
    for hour in range(24):
        tell(world, range(hour * 12, hour * 12 + 12), "clicks", traffic)
    live(32, traffic, since=24, world=world)
    assert_replay_safe(lambda: build("channel", 0), world.log.records, plan)
