"""The alerts as a person reads them who was woken by one."""

from schemas.directory import Directory
from services.indicators import metrics
from services.indicators.machine import build
from tests.support.indicator_log import policy
from tests.unit.indicators.world import HOUR, MINUTE, World


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


def test_the_metrics_tell_what_the_machines_counted() -> None:
    collector = metrics.MachineCollector()
    world = World("channel", machine=collector.watch(build("channel", 0)))
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
