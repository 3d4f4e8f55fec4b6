"""Floods of one-click complaints from one address: counted each once, traced, and followed over a restart."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from schemas.frames import source_of
from services.indicators.machine import build
from services.indicators.subjects.clicks import PANE_MS
from tests.support import frames
from tests.support.indicator_log import CHANNEL, COMPLAINT, TEN, mark, policy
from tests.support.replay import Plan, assert_replay_safe
from tests.unit.indicators.world import HOUR, MINUTE, SECOND, World

ADDRESS = "203.0.113.7"
BOT = f"actor:{frames.actor(ADDRESS).hex()}"
LEVEL_1 = [("freeze", BOT, 1), ("escalate", BOT, 1)]


def account(name: str) -> str:
    return f"account:{frames.account(name).hex()}"


def complain(world: World, *seconds: float, **more: Any) -> None:
    """One-click complaints at these seconds, each with an id of its own unless `more` says which."""
    fields = {"channel_id": "douyin", "entry": "one_click", "ip": ADDRESS}
    world.raw_events(
        [
            ("complaint_opened", at * SECOND, {**fields, "complaint_id": f"c-{len(world.log.records)}-{n}", **more})
            for n, at in enumerate(seconds)
        ]
    )


def test_five_within_ten_minutes_freeze_the_address_and_accounts_with_two_of_them() -> None:
    world = World("actor")
    complain(world, 0, 100, account_id="busy")
    complain(world, 200, account_id="once")
    complain(world, 300)
    assert world.outputs == []
    complain(world, 604, channel_id="weibo")  # the pane of the moment, and the 120 before it
    assert world.ordered() == [*LEVEL_1, ("freeze", account("busy"), 1)]
    assert world.told() == [("open", "critical", 1)]
    assert (world.facts[0].value, world.facts[0].threshold) == (5, 5)


def test_spread_over_more_than_the_window_they_are_calm() -> None:
    world = World("actor")
    complain(world, 0, 100, 200, 300, 605)
    complain(world, 100, 200, 300, entry="hotline")
    complain(world, 100, 200, 300, ip="203.0.113.8")
    assert world.outputs == []


def test_each_doubling_is_a_level_and_none_is_left_out() -> None:
    world = World("actor")
    complain(world, *range(20), account_id="one")
    freezes = [("freeze", account("one"), level) for level in (1, 2, 3, 4)]
    levels = [(what, BOT, level) for level in (1, 2, 3) for what in ("freeze", "escalate")]
    assert sorted(world.ordered()) == sorted([*levels, *freezes])


def test_one_complaint_counts_once_however_often_it_is_sent() -> None:
    world = World("actor")
    complain(world, 0, 1, 2, 3)
    for again in range(10):
        complain(world, 10 + again, complaint_id="c-1-0")
    assert world.outputs == []
    complain(world, 30)
    assert world.ordered() == LEVEL_1


def test_an_account_is_frozen_when_it_reaches_its_own_figure_while_the_episode_stands() -> None:
    world = World("actor")
    complain(world, 0, 1, 2, 3, 4)
    complain(world, 30, account_id="slow")
    assert world.ordered() == LEVEL_1
    complain(world, 60, account_id="slow")
    assert world.ordered() == [*LEVEL_1, ("freeze", account("slow"), 1)]


def test_it_is_over_ten_minutes_after_half_of_them_have_passed() -> None:
    world = World("actor")
    complain(world, 0, 1, 2, 3, 4)
    world.mark(20 * MINUTE + 34 * SECOND)
    assert [fact.status for fact in world.facts] == ["open"]
    world.mark(21 * MINUTE)
    assert [fact.status for fact in world.facts] == ["open", "resolved"]


def test_clicks_and_complaints_of_one_address_are_two_episodes() -> None:
    world = World("actor", policy(click_fraud={"thresholds": {"clicks": 3}}))
    click = ("click", SECOND, {"channel_id": "douyin", "ip": ADDRESS})
    opened = {"channel_id": "douyin", "entry": "one_click", "ip": ADDRESS}
    world.raw_events([click] * 3 + [("complaint_opened", 0, {**opened, "complaint_id": f"c-{n}"}) for n in range(5)])
    assert [(fact.indicator, fact.subject) for fact in world.facts] == [
        ("click_fraud", BOT),
        ("complaint_flood", BOT),
    ]
    topics = [{each.topic for each in fact.evidence.sources} for fact in world.facts if fact.evidence]
    assert topics == [{"channel-events"}, {"complaint-events"}]


def test_the_trace_and_the_words() -> None:
    world = World("actor")
    complain(world, 0, 1, account_id="a")
    complain(world, 2, 3, 4, channel_id="weibo")
    (fact,) = world.facts
    assert fact.evidence is not None and fact.title is not None and fact.summary is not None
    assert fact.evidence.detail["trace"] == {
        "channels": {"weibo": 3, "douyin": 2},
        "channel_count": 2,
        "accounts": {frames.account("a").hex(): 2},
        "account_count": 1,
        "complaint_count": 5,
        "first_complaint": "2026-11-23T02:00:00Z",
        "last_complaint": "2026-11-23T02:00:04Z",
    }
    assert fact.title.en == "5 one-click complaints within 10 min from one address, limit 5"
    assert fact.title.zh == "同一地址 10 分钟内一键投诉 5 件，阈值 5 件"
    assert "2 channels (most on weibo, douyin), 1 accounts." in fact.summary.en
    assert ADDRESS not in str(world.outputs)


def test_a_complaint_is_late_only_when_no_open_window_needs_it() -> None:
    world = World("actor")
    world.mark(11 * MINUTE + 30 * SECOND)  # panes up to 11 min are closed: nothing before one minute is needed
    complain(world, 59, 59, 59, 59, 59)
    assert world.outputs == [] and world.machine.ledger.rows() == [(COMPLAINT, 0, 5)]
    complain(world, 60, 60, 60, 60, 60)
    assert world.ordered() == LEVEL_1


def test_a_restart_remembers_the_complaints_though_the_clicks_are_folded_again_from_later_on() -> None:
    world = World("actor")
    complain(world, 0, 1, account_id="a")
    for minute in range(1, 9):
        world.raw("click", minute * MINUTE, channel_id="douyin", ip=ADDRESS)
        world.mark(minute * MINUTE)
    complain(world, 500, 501, 502)
    assert world.ordered() == [*LEVEL_1, ("freeze", account("a"), 1)]
    records = world.log.records
    for place in range(len(records)):
        assert_replay_safe(lambda: build("actor", 0), records, Plan((place, place + 2), (place + 3,), ()))


def test_folding_again_neither_counts_nor_writes_anything_twice() -> None:
    world = World("actor")
    complain(world, 0, 1, 2)
    world.raw("click", 3 * SECOND, channel_id="douyin", ip=ADDRESS)
    complain(world, 4)
    stored = dict(world.machine.changed())
    successor = build("actor", 0)
    successor.load([(key, value) for key, value in stored.items() if value is not None])
    for record in world.log.records[successor.rewind(world.machine.standing.offset) :]:
        successor.fold(record)
    world.machine = successor
    assert [key for key, _ in successor.changed() if key.startswith(b"f")] == []
    complain(world, 5)
    assert world.ordered() == LEVEL_1
    assert successor.ledger.totals() == (6, 0)


def test_what_no_window_needs_leaves_the_snapshot() -> None:
    world = World("actor")
    complain(world, 0, 1, 2)
    kept = {key for key, value in world.machine.changed() if key.startswith(b"f") and value is not None}
    world.mark(HOUR)
    assert {key for key, value in world.machine.changed() if key.startswith(b"f") and value is None} == kept
    assert len(kept) == 3


def test_time_waits_for_complaints_too() -> None:
    world = World("actor")
    complain(world, 0, 1, 2, 3, 4)
    other = source_of("complaint-events", 1)
    world.apply(mark(TEN + HOUR, read={CHANNEL: TEN + HOUR, COMPLAINT: TEN + HOUR}, roster=[CHANNEL, COMPLAINT, other]))
    assert [fact.status for fact in world.facts] == ["open"]
    world.apply(mark(TEN + HOUR, roster=[CHANNEL, COMPLAINT, other]))
    assert [fact.status for fact in world.facts] == ["open", "resolved"]


def test_a_snapshot_that_this_release_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="does not know"):
        build("actor", 0).load([(b"x" * 25, b"")])


MOMENTS = st.lists(st.tuples(st.integers(0, 1500), st.integers(0, 9)), max_size=30)


@given(moments=MOMENTS, cut=st.integers(1, 30))
@settings(deadline=None, max_examples=60)
def test_the_level_is_that_of_the_fullest_window(moments: list[tuple[int, int]], cut: int) -> None:
    world = World("actor", policy(complaint_flood={"thresholds": {"complaints": 2}}))
    fields = {"channel_id": "douyin", "entry": "one_click", "ip": ADDRESS}
    events = [("complaint_opened", at * SECOND, {**fields, "complaint_id": f"c-{name}"}) for at, name in moments]
    for first in range(0, len(events), cut):
        world.raw_events(events[first : first + cut])
    panes = [(at * SECOND // PANE_MS, name) for at, name in moments]
    most = max((len({name for at, name in panes if end - 120 <= at <= end}) for end, _ in panes), default=0)
    wanted = max((level for level in range(1, 9) if most >= 2 * 2 ** (level - 1)), default=None)
    assert max((fact.level or 0 for fact in world.facts), default=None) == wanted


def test_the_clock_of_history_finds_them_too() -> None:
    world = World("actor")
    complain(world, 0, 1, 2, 3, 4)
    world.apply(structs.replace(mark(TEN + HOUR), clock="events"))
    assert [fact.status for fact in world.facts] == ["open", "resolved"]
