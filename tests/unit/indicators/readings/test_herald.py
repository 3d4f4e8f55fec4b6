"""How subjects stand when panes close, and the sums of hours. Nobody is named."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.base import from_ms
from schemas.frames import decode
from schemas.readings import MAX_SUBJECTS, Scope, Tally
from schemas.topics import READINGS, TOPICS
from services.indicators.machine import IndicatorMachine, build
from services.indicators.readings.tallies import OTHERS, Tallies
from services.indicators.registry import rules_of
from services.indicators.rule import Verdict
from services.indicators.rules.complaint_volume import ComplaintVolume
from services.indicators.subjects.channel import ChannelStore
from tests.support.indicator_log import TEN
from tests.support.replay import Plan, assert_replay_safe
from tests.unit.indicators.readings.herald_says import last_sums, readings, said, tallies, telling
from tests.unit.indicators.world import HOUR, MINUTE, SECOND, World


def business(world: World, at: float, channel: str = "douyin", **more: Any) -> None:
    """Three clicks, 12.50 CNY, and one purchase of 1,000 CNY."""
    about = {"channel_id": channel, **more}
    world.raw_events(
        [
            ("click", at, about | {"count": 3}),
            ("spend", at, about | {"amount": 12.5}),
            ("conversion", at, about | {"stage": "purchase", "amount": 1000.0}),
        ]
    )


def test_a_close_tells_value_threshold_and_verdict_of_every_channel() -> None:
    world = telling("channel")
    world.complaints(12, at=0)
    world.complaints(1, at=0, channel="baidu")
    world.mark(6 * MINUTE)
    (told,) = readings(world)
    assert (told.writer, told.subject_kind, told.at) == ("indicators:channel:0", "channel", from_ms(TEN + 5 * MINUTE))
    assert told.values["complaint_volume"] == {
        "channel:douyin": (12.0, 20.0, "warning"),
        "channel:baidu": (1.0, 20.0, "calm"),
    }
    assert told.values["complaint_rate"]["channel:douyin"][::2] == (None, "unsure")
    assert world.mark(7 * MINUTE) == [], "no pane has closed, and nothing has changed"


def test_panes_that_close_together_are_told_once() -> None:
    world = telling("channel")
    world.complaints(1, at=0)
    world.mark(5 * HOUR)
    assert [each.at for each in readings(world)] == [from_ms(TEN + 5 * HOUR - 5 * MINUTE)]


def test_the_sums_of_an_hour_grow_and_are_told_once_a_minute() -> None:
    world = telling("channel")
    business(world, at=0)
    world.mark(MINUTE)
    business(world, at=MINUTE + 1)
    world.mark(MINUTE + SECOND)
    world.mark(2 * MINUTE)
    business(world, at=HOUR)
    business(world, at=10 * MINUTE, channel="baidu")
    world.mark(HOUR + MINUTE)
    one = {"clicks": 3.0, "spend": 12.5, "purchases": 1.0}
    two = {name: 2 * value for name, value in one.items()}
    found = [(each.hour, counted(each)) for each in tallies(world)]
    assert found == [
        (from_ms(TEN), {"douyin": one}),
        (from_ms(TEN), {"douyin": two}),
        (from_ms(TEN), {"douyin": two, "baidu": one}),
        (from_ms(TEN + HOUR), {"douyin": one}),
    ]


def counted(tally: Tally) -> dict[str, dict[str, float]]:
    return {
        name: {measure: value for measure, value in sums.items() if measure != "purchase_amount"}
        for name, sums in tally.sums["channel"].items()
    }


def test_sums_are_broken_down_by_product_and_segment_and_repeats_do_not_count() -> None:
    world = telling("channel")
    business(world, at=0, product_id="wenli-1", segment="young")
    business(world, at=1, product_id="wenli-2")
    world.raw("impression", 2, channel_id="douyin", count=50, product_id="wenli-1", segment="silver")
    world.apply(decode(world.log.records[1].value))
    world.mark(MINUTE)
    (told,) = last_sums(world).values()
    one = {"clicks": 3.0, "spend": 12.5, "purchases": 1.0, "purchase_amount": 1000.0}
    assert told == {
        "channel": {"douyin": {name: 2 * value for name, value in one.items()} | {"impressions": 50.0}},
        "product": {"wenli-1": one, "wenli-2": one},
        "segment": {"young": one},
    }


def test_an_hour_of_which_a_part_is_forgotten_is_not_told_again() -> None:
    world = telling("channel")
    business(world, at=0)
    world.mark(MINUTE)
    assert len(tallies(world)) == 1
    world.mark(4 * 24 * HOUR)
    business(world, at=0)
    world.mark(4 * 24 * HOUR + MINUTE)
    assert len(tallies(world)) == 1


def test_a_restart_does_not_tell_anew_what_is_forgotten() -> None:
    world = telling("channel")
    business(world, at=0)
    world.mark(MINUTE)
    world.mark(4 * 24 * HOUR + MINUTE)
    business(world, at=0)
    world.mark(4 * 24 * HOUR + 2 * MINUTE)
    for place in range(len(world.log.records)):
        plan = Plan((place,), (place, place + 1), ())
        assert_replay_safe(lambda: build("channel", 0, readings=True), world.log.records, plan)


def test_actors_are_counted_and_never_named() -> None:
    world = telling("actor")
    world.clicks(120, at=0, within=50 * SECOND)
    world.mark(2 * MINUTE)
    (told,) = readings(world)
    assert told.values == {}
    assert told.counts == {"click_fraud": {"warning": 0, "breach": 1}, "complaint_flood": {"warning": 0, "breach": 0}}
    assert tallies(world)[-1].sums == {"channel": {"douyin": {"suspicious_clicks": 120.0}}}
    world.clicks(7, at=2 * MINUTE)
    world.clicks(50, at=2 * MINUTE, ip="5.6.7.8")
    world.mark(4 * MINUTE)
    assert tallies(world)[-1].sums["channel"]["douyin"] == {"suspicious_clicks": 127.0}
    world.mark(20 * MINUTE)
    assert readings(world)[-1].counts["click_fraud"] == {"warning": 0, "breach": 0}


def test_mentions_are_counted_in_all_and_by_product() -> None:
    world = telling("brand")
    world.raw("mention", 0, sentiment="negative", source="weibo", product_id="wenli-1")
    world.raw("mention", 1, sentiment="positive", source="weibo")
    world.mark(6 * MINUTE)
    assert last_sums(world)[from_ms(TEN)] == {
        "all": {"all": {"mentions": 2.0, "negative_mentions": 1.0}},
        "product": {"wenli-1": {"mentions": 1.0, "negative_mentions": 1.0}},
    }
    assert readings(world)[0].values["negative_sentiment"]["brand:all"] == (1.0, 100.0, "calm")


def test_a_backtest_tells_none_of_it() -> None:
    world = World("channel")
    business(world, at=0)
    world.mark(HOUR)
    assert said(world.outputs) == []


def test_a_rule_that_raises_is_left_out_and_the_others_are_read() -> None:
    class Failing(ComplaintVolume):
        def judge(self, view: Any, limits: Any, now_ms: int) -> Verdict:
            raise ZeroDivisionError

    rules = [Failing() if rule.id == "complaint_volume" else rule for rule in rules_of("channel")]
    world = World("channel", machine=IndicatorMachine("channel", 0, ChannelStore(), rules, readings=True))
    world.complaints(1, at=0)
    world.mark(6 * MINUTE)
    assert readings(world)[-1].values.keys() == {"complaint_rate"}


_HAPPENED = st.lists(
    st.tuples(
        st.integers(0, 2 * HOUR - 1),
        st.sampled_from(["douyin", "baidu"]),
        st.sampled_from([None, "wenli-1"]),
        st.sampled_from([None, "young", "silver"]),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=30, deadline=None)
@given(_HAPPENED, st.data())
def test_sums_do_not_depend_on_the_order_of_events_nor_on_their_frames(happened: Any, data: st.DataObject) -> None:
    world = telling("channel")
    for at, channel, product, segment in data.draw(st.permutations(happened)):
        business(world, at, channel, product_id=product, segment=segment)
        if data.draw(st.booleans()):
            world.mark(data.draw(st.integers(0, 3 * MINUTE)))
    world.mark(3 * HOUR)
    last = last_sums(world)
    scopes: tuple[tuple[Scope, int], ...] = (("channel", 1), ("product", 2), ("segment", 3))
    for scope, place in scopes:
        clicks: dict[Any, float] = {}
        for each in happened:
            if each[place] is not None:
                key = from_ms((TEN + each[0]) // HOUR * HOUR), each[place]
                clicks[key] = clicks.get(key, 0) + 3
        told = {(hour, name): one["clicks"] for hour, sums in last.items() for name, one in sums.get(scope, {}).items()}
        assert told == clicks


@pytest.mark.parametrize("subject", ["channel", "actor", "complaint", "brand"])
def test_a_restart_repeats_what_was_told(subject: str) -> None:
    world = telling(subject)
    for n in range(3):
        at = n * 40 * SECOND
        if subject == "channel":
            business(world, at, product_id="wenli-1", segment="young")
        elif subject == "actor":
            world.clicks(60, at=at, within=20 * SECOND)
        elif subject == "brand":
            world.raw("mention", at, sentiment="negative", source="weibo")
        else:
            world.raw("complaint_opened", at, complaint_id=f"c-{n}", channel_id="douyin", entry="hotline")
            world.raw("complaint_answered", at + 1, complaint_id=f"c-{n}")
        world.mark(at + 50 * SECOND)
    world.mark(7 * MINUTE)
    assert tallies(world)
    for place in range(len(world.log.records)):
        plan = Plan((place,), (place, place + 1), ())
        assert_replay_safe(lambda: build(subject, 0, readings=True), world.log.records, plan)


def test_no_message_is_too_large_for_the_topic_whatever_names_a_sender_invents() -> None:
    world = telling("channel")
    names = ["😀" * 196 + f"{n:04}" for n in range(MAX_SUBJECTS + 3)]
    about = {"stage": "purchase", "amount": 999_999.99, "segment": "young"}
    happened = [("conversion", n, about | {"channel_id": name, "product_id": name}) for n, name in enumerate(names)]
    world.raw_events(happened + [("click", n, {"channel_id": name, "count": 99}) for n, name in enumerate(names)])
    world.mark(6 * MINUTE)
    messages = [each for each in world.outputs if each.topic == READINGS]
    assert max(len(each.value or b"") for each in messages) < TOPICS[READINGS].max_message_bytes
    read = {(rule, subject) for each in readings(world) for rule, those in each.values.items() for subject in those}
    rules = {rule for rule, _ in read}
    assert len(rules) >= 2
    assert len(read) == len(rules) * MAX_SUBJECTS
    assert {each.left_out for each in readings(world)} == {len(rules) * 3}


def test_names_without_bound_are_counted_together_and_old_hours_forgotten() -> None:
    counted = Tallies()
    for n in range(MAX_SUBJECTS + 5):
        counted.add(TEN, "product", f"p-{n}", "clicks")
    ((_, table),) = counted.of(TEN // HOUR)
    rows = dict(table.rows())
    assert len(rows) == MAX_SUBJECTS + 1
    assert max(rows[OTHERS]) == 5
    again = Tallies()
    again.load([(key, value) for key, value in counted.changed() if value is not None])
    ((_, table),) = again.of(TEN // HOUR)
    assert dict(table.rows()) == rows
    counted.evict(TEN + 80 * HOUR)
    counted.add(TEN, "product", "late", "clicks")
    assert list(counted) == []
    assert counted.untold == set()
