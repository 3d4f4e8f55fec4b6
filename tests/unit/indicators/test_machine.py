"""Stories of one machine: what it tells and orders, when, and when not."""

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
    actor,
    commands,
    facts,
    mark,
    policy,
    pseudonym,
)
from tests.support.replay import Plan, assert_replay_safe
from tests.unit.indicators.world import HOUR, MINUTE, SECOND, World

DOUYIN = "channel:douyin"
BOT = actor("1.2.3.4")


def account(name: str) -> str:
    return f"account:{pseudonym(name).hex()}"


# -- complaint_volume: a count of the day


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


# -- complaint_rate: a ratio, when a pane closes


def sold(world: World, purchases: int, at: float = 0) -> None:
    world.happen(world.event("purchases", at, count=purchases))


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


# -- click_fraud: actors


def test_a_hundred_clicks_in_a_minute_freeze_the_address_and_its_busy_accounts() -> None:
    world = World("actor")
    world.happen(
        *(world.event("clicks", n * 400, ip="1.2.3.4", account=f"a{n % 4}" if n < 80 else "b") for n in range(99))
    )
    assert world.outputs == []
    world.clicks(1, at=59 * SECOND)
    wanted = [("freeze", BOT, 1), ("escalate", BOT, 1), *(("freeze", account(f"a{n}"), 1) for n in range(4))]
    assert sorted(world.ordered()) == sorted(wanted)


def test_an_account_is_frozen_when_it_reaches_its_own_figure_while_the_episode_stands() -> None:
    world = World("actor")
    world.clicks(100, at=0)
    world.clicks(19, at=30 * SECOND, account="slow")
    assert ("freeze", account("slow"), 1) not in world.ordered()
    world.clicks(1, at=40 * SECOND, account="slow")
    assert ("freeze", account("slow"), 1) in world.ordered()
    assert world.told() == [("open", "critical", 1), ("updated", "critical", 1)]


def test_an_account_of_an_earlier_calm_minute_is_left_alone() -> None:
    world = World("actor")
    world.clicks(100, at=3 * MINUTE)
    world.clicks(30, at=0, account="early")
    assert world.ordered() == [("freeze", BOT, 1), ("escalate", BOT, 1)]


def test_an_actor_in_trouble_is_followed_after_a_restart() -> None:
    world = World("actor")
    world.clicks(100, at=0)
    world.mark(2 * MINUTE)  # all of these clicks are forgotten, the episode stands
    world.clicks(19, at=2 * MINUTE, account="slow")
    world.clicks(1, at=2 * MINUTE + SECOND, account="slow")
    assert world.ordered()[-1] == ("freeze", account("slow"), 1)
    for place in range(len(world.log.records)):
        assert_replay_safe(lambda: build("actor", 0), world.log.records, Plan((place,), (place, place + 1), ()))


def test_what_is_folded_again_is_not_counted_again() -> None:
    world = World("actor")
    for second in range(0, 90, 30):
        world.clicks(5, at=second * SECOND)
        world.mark(second * SECOND)
    list(world.machine.changed())
    records = [(key, value) for key, value in world.machine.changed() if value is not None]
    successor = build("actor", 0)
    successor.load(records)
    start, end = successor.rewind(world.machine.standing.offset), world.machine.standing.offset
    assert start < end
    for record in world.log.records[start:end]:
        successor.fold(record)
    assert successor.ledger.rows() == world.machine.ledger.rows() == [(CHANNEL, 15, 0)]


def test_no_more_than_fifty_accounts_are_frozen() -> None:
    world = World("actor")
    world.happen(*(world.event("clicks", 0, ip="1.2.3.4", account=f"a{n % 60}", count=1) for n in range(60 * 20)))
    accounts = {command.target for command in world.commands if command.target.startswith("account:")}
    assert len(accounts) == 50


def test_clicks_spread_over_more_than_the_window_are_calm() -> None:
    world = World("actor")
    for minute in range(20):
        world.clicks(90, at=minute * 66 * SECOND, within=60 * SECOND)
        world.mark(minute * 66 * SECOND + 65 * SECOND)
    assert world.outputs == []


def test_catching_up_finds_both_bursts_and_clears_in_between() -> None:
    world = World("actor")
    world.clicks(120, at=0)
    world.clicks(120, at=HOUR)
    world.mark(3 * HOUR)
    assert [fact.status for fact in world.facts] == ["open", "resolved", "open", "resolved"]
    assert world.ordered() == [("freeze", BOT, 1), ("escalate", BOT, 1)] * 2


def test_the_trace_says_who_clicked_what_and_when() -> None:
    world = World("actor")
    world.happen(
        *(
            world.event("clicks", n * 100, ip="1.2.3.4", channel=f"c{n % 2}", link=f"l{n % 3}", account="a")
            for n in range(100)
        )
    )
    escalate = next(command for command in world.commands if command.command == "escalate")
    assert escalate.evidence is not None
    trace = escalate.evidence.detail["trace"]
    assert trace["channels"] == {"c0": 50, "c1": 50}
    assert trace["links"] == {"l0": 34, "l1": 33, "l2": 33}
    assert trace["accounts"] == {pseudonym("a").hex(): 100}
    assert (trace["first_click"], trace["last_click"]) == ("2026-11-23T02:00:00Z", "2026-11-23T02:00:09.900000Z")


def test_the_oldest_pane_of_an_open_window_still_counts() -> None:
    world = World("actor")
    world.clicks(50, at=0, within=SECOND)
    world.mark(90 * SECOND)  # panes up to 60 s are closed
    world.clicks(50, at=60 * SECOND, within=SECOND)
    assert ("freeze", BOT, 1) in world.ordered()


def test_clicks_that_no_open_window_needs_are_too_late_and_forgotten() -> None:
    world = World("actor")
    world.clicks(50, at=0)
    world.mark(100 * SECOND)  # panes up to 70 s are closed: nothing before 10 s is needed
    world.clicks(60, at=5 * SECOND, within=SECOND)
    assert world.outputs == []
    assert world.machine.ledger.rows() == [(CHANNEL, 50, 60)]


# -- absorption, silence of marks, formats


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


# -- policy


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


# -- messages


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
