"""The alerts as a person reads them who was woken by one."""

from schemas.alerts import AlertFact
from schemas.directory import Directory
from services.indicators import metrics
from services.indicators.machine import build
from services.indicators.verdicts.telling import figure
from tests.support.indicator_log import policy
from tests.unit.indicators.world import HOUR, MINUTE, World, with_every_change


def test_complaint_volume() -> None:
    world = World("channel")
    world.complaints(13, at=0)
    world.complaints(8, at=HOUR)
    world.mark(15 * HOUR)
    warning, trip, over = ((fact.title, fact.summary) for fact in world.facts)
    assert warning[0] is not None and warning[0].en == "Channel douyin: 13 complaints today, limit 20"
    assert warning[1] is not None and warning[1].en == (
        "From 00:00 to 10:05, 13 complaints were opened; 13 count, at most 3 per account or address. "
        "The channel pauses at 20."
    )
    assert trip[1] is not None and trip[1].en == (
        "From 00:00 to 11:05, 21 complaints were opened; 21 count, at most 3 per account or address. "
        "If it is resumed, it pauses again at 40. Tidegate orders now: pause channel:douyin."
    )
    assert trip[1].zh == (
        "00:00 至 11:05 共收到投诉 21 件，计入 21 件（每个账户或地址最多计 3 件）。"
        "若人工恢复，达到 40 件时再次暂停。系统已自动下令：暂停 channel:douyin。"
    )
    assert over[1] is not None and over[1].en == (
        "Over: the day has ended. What was ordered stays in force until it is lifted."
    )


def test_a_subject_is_called_as_in_the_directory() -> None:
    names = {"channels": {"douyin": {"name": {"en": "Douyin (main account)", "zh": "抖音"}}}}
    world = World("channel", policy().model_copy(update={"directory": Directory.model_validate(names)}))
    world.complaints(20, at=0)
    (fact,) = world.facts
    assert fact.title is not None and fact.subject == "channel:douyin"
    assert fact.title.en == "Channel Douyin (main account): 20 complaints today, limit 20"
    assert fact.title.zh == "渠道 抖音：今日投诉 20 件，阈值 20 件"


def test_complaint_rate() -> None:
    world = World("channel")
    world.happen(world.event("purchases", 0, count=200))
    world.complaints(5, at=0)
    world.mark(6 * MINUTE)
    (fact,) = world.facts
    assert fact.title is not None and fact.title.en == "Channel douyin: 2.5% complaints per purchase, limit 2.0%"
    assert fact.summary is not None and fact.summary.en == (
        "In the 24 hours until 10:05, 5 complaints counted against 200 purchases. The channel is slowed at 2.0% and "
        "paused at 5.0%. Waiting for your approval: throttle channel:douyin to 50%."
    )
    assert fact.summary.zh.endswith("等待人工批准：对 channel:douyin 限流至 50%。")


def test_click_fraud() -> None:
    world = World("actor")
    world.happen(
        *(world.event("clicks", n * 300, ip="1.2.3.4", channel=f"c{n % 5}", account=f"a{n % 5}") for n in range(100))
    )
    (fact,) = world.facts
    assert fact.title is not None and fact.title.zh == "同一地址 60 秒内点击 100 次，阈值 100 次"
    assert fact.summary is not None and fact.subject is not None
    assert "5 channels (most on c0, c1, c2), 0 links, 5 accounts" in fact.summary.en
    assert f"freeze {fact.subject} and 5 more; escalate {fact.subject} to experts." in fact.summary.en


def _compared(**day: int) -> list[AlertFact]:
    """A channel with two weekend days of sales behind it, and another."""
    week = {"spend_micros": 140_000_000_000, "accounts_opened": 700, "clicks": 7000, "purchases": 1400}
    week |= {"impressions": 70_000, "engagements": 14_000}
    world = World("channel", with_every_change())
    for hours_ago in (7 * 24 + 6, 30):
        world.happen(*(world.event(what, -hours_ago * HOUR, count=count // 2) for what, count in week.items()))
    world.happen(*(world.event(what, 0, count=count) for what, count in day.items()))
    world.mark(6 * MINUTE)
    return world.facts


def test_cac_spike() -> None:
    (fact,) = _compared(spend_micros=25_600_000_000, accounts_opened=100)
    assert fact.title is not None and fact.summary is not None
    assert fact.title.en == ("Channel douyin: a new account costs 28.0% more than before, limit 20.0%")
    assert fact.summary.en == (
        "In the 24 hours until 10:05, 25,600.00 CNY were spent for 100 new accounts, 256.00 each; on the 2 comparable "
        "days of the 7 before, 140,000.00 for 700, which is 200.00 each. The ceiling is 380.00, the goal 300.00. "
        "Tidegate orders now: escalate channel:douyin to experts. "
        "Waiting for your approval: throttle channel:douyin to 50%."
    )
    assert fact.title.zh == "渠道 douyin：获客成本较此前上升 28.0%，阈值 20.0%"
    assert fact.summary.zh.startswith(
        "截至 10:05 的 24 小时内投放 25,600.00 元，开户 100 个，每户 256.00 元；"
        "此前 7 天中同类的 2 天投放 140,000.00 元，开户 700 个，每户 200.00 元。上限 380.00 元，目标 300.00 元。"
    )


def test_cac_spike_at_the_ceiling() -> None:
    world = World("channel", with_every_change())
    world.happen(world.event("spend_micros", 0, count=12_000_000_000), world.event("accounts_opened", 0, count=30))
    world.mark(6 * MINUTE)
    (fact,) = world.facts
    assert fact.title is not None and fact.summary is not None
    assert fact.title.en == "Channel douyin: a new account costs 400.00 CNY, ceiling 380.00"
    assert fact.title.zh == "渠道 douyin：获客成本 400.00 元，上限 380.00 元"
    assert "400.00 each; nothing to compare with. The ceiling is" in fact.summary.en
    assert "每户 400.00 元，无可比数据。上限" in fact.summary.zh


def test_cac_spike_with_good_news() -> None:
    (fact,) = _compared(spend_micros=15_000_000_000, accounts_opened=100)
    assert fact.title is not None and fact.summary is not None
    assert fact.title.en == ("Good news of channel douyin: a new account costs 150.00 CNY, 25.0% less than before")
    assert fact.title.zh == "利好：渠道 douyin 获客成本 150.00 元，较此前下降 25.0%"
    assert fact.summary.en.endswith("which is 200.00 each. Consider giving this channel more budget.")
    assert fact.summary.zh.endswith("每户 200.00 元。建议考虑为该渠道增加预算。")


def test_conversion_drop() -> None:
    (fact,) = _compared(clicks=1000, purchases=100)
    assert fact.title is not None and fact.summary is not None
    assert fact.title.en == "Channel douyin: conversion rate down 50.0% to 10.00%, limit 30.0%"
    assert fact.summary.en == (
        "In the 24 hours until 10:05, 100 purchases came of 1,000 clicks; on the 2 comparable days of the 7 before, "
        "1,400 of 7,000, a rate of 20.00%. Goals: young 40%, middle-aged 35%, silver 25%, high-net-worth 20%. "
        "Tidegate orders now: escalate channel:douyin to experts."
    )
    assert fact.title.zh == "渠道 douyin：转化率下降 50.0% 至 10.00%，阈值 30.0%"
    assert fact.summary.zh == (
        "截至 10:05 的 24 小时内，点击 1,000 次，购买 100 笔；此前 7 天中同类的 2 天点击 7,000 次，购买 1,400 笔，"
        "转化率 20.00%。"
        "目标：年轻客群 40%、中年客群 35%、银发客群 25%、高净值客群 20%。系统已自动下令：将 channel:douyin 上报专家。"
    )


def test_engagement_drop() -> None:
    (fact,) = _compared(impressions=10_000, engagements=1000)
    assert fact.title is not None and fact.summary is not None
    assert fact.title.en == "Channel douyin: engagement rate down 50.0% to 10.00%, limit 40.0%"
    assert fact.summary.en == (
        "In the 24 hours until 10:05, 1,000 engagements came of 10,000 impressions; on the 2 comparable days of the 7 "
        "before, 14,000 of 70,000, a rate of 20.00%. The goal is 25%. This indicator only tells; decide what to do."
    )
    assert fact.title.zh == "渠道 douyin：互动率下降 50.0% 至 10.00%，阈值 40.0%"
    assert fact.summary.zh == (
        "截至 10:05 的 24 小时内，曝光 10,000 次，互动 1,000 次；此前 7 天中同类的 2 天曝光 70,000 次，互动 14,000 次，"
        "互动率 20.00%。目标 25%。该指标只告警，请人工处置。"
    )


def test_a_figure_is_a_share_below_one_and_a_count_above() -> None:
    assert [figure(value) for value in (0, 0.0476, -0.0476, 333.3, 12_000)] == ["0", "4.8%", "-4.8%", "333", "12,000"]


def test_asking_experts_needs_no_approval() -> None:
    world = World("actor", policy(click_fraud={"maturity": "approve"}))
    world.clicks(100, at=0)
    (fact,) = world.facts
    assert fact.summary is not None and fact.subject is not None
    assert f"orders now: escalate {fact.subject} to experts. Waiting for your approval: freeze" in fact.summary.en
    assert {each.command: each.maturity for each in world.commands} == {"freeze": "approve", "escalate": "auto"}


def test_the_metrics_tell_what_the_machines_counted() -> None:
    collector = metrics.IndicatorCollector()
    world = World("channel", machine=collector.watch(0, build("channel", 0)))
    world.complaints(20, at=0)
    world.mark(HOUR)
    found = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in collector.collect()
        for sample in family.samples
    }
    assert found["tidegate_indicators_alerts_total", "complaint_volume", "open"] == 1
    assert found["tidegate_indicators_commands_total", "complaint_volume", "pause"] == 1
    assert found["tidegate_indicators_open_episodes", "0"] == 1
    assert found["tidegate_indicators_events_total", "0", "folded"] == 20
    assert found["tidegate_indicators_clock_seconds", "0"] == world.machine.standing.clock_ms / 1000  # type: ignore[operator]
