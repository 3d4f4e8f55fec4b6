"""The drill of an outage: on marked platforms only, which record shows which step, and the platform that it plays."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

from schemas.alerts import AlertState
from schemas.channels import ChannelState, TargetStatus, WantedState
from schemas.directory import ChannelEntry, Directory
from schemas.topics import ALERT_STATE, AUDIT, CHANNEL_STATE
from services.cli.drill.course import Course, NotMarkedError, report
from services.cli.drill.outage import STEPS, Outage, PlayedPlatform, outage_of
from tests.unit.console.samples import alert, audit, channel

AT = datetime(2026, 11, 27, 1, tzinfo=UTC)
OUTAGE = Outage("drill-b", "drill-ads")
ABOUT, TARGET = "platform:drill-ads", "channel:drill-b"


def directory(platform: str | None) -> Directory:
    entry = {"name": {"en": "Drill", "zh": "演练"}, "platform": platform}
    return Directory(channels={"drill-b": ChannelEntry.model_validate(entry)})


def test_channel_and_platform_have_to_be_marked() -> None:
    assert outage_of("drill-b", directory("drill-ads")) == OUTAGE
    with pytest.raises(NotMarkedError, match="a channel whose name begins with 'drill-', not on 'douyin'"):
        outage_of("douyin", directory("drill-ads"))
    for platform, shown in (("douyin-ads", "douyin-ads"), (None, "default")):
        with pytest.raises(NotMarkedError, match=f"a platform whose name begins with 'drill-', not on '{shown}'"):
            outage_of("drill-b", directory(platform))


def told(subject: str = ABOUT, status: str = "open") -> AlertState:
    return AlertState.model_validate(alert("a").model_dump() | {"subject": subject, "status": status})


def state(status: str, confirmed: str | None, target: str = TARGET, behind: int = 0) -> ChannelState:
    known = channel(target).model_dump()
    platform = {"wanted": status, "confirmed": confirmed, "confirmed_generation": known["generation"] - behind}
    return ChannelState.model_validate(known | {"status": status, "platform": platform})


def sent(change: str, target: str = ABOUT, **fields: Any) -> BaseModel:
    return audit("a", target=target, **{"what": "deliver", "outcome": "delivered", "detail": {"type": change}} | fields)


@pytest.mark.parametrize(
    ("topic", "message", "steps"),
    [
        (ALERT_STATE, told(), {"alert"}),
        (ALERT_STATE, told(status="updated"), {"alert"}),
        (ALERT_STATE, told(status="resolved"), {"all clear"}),
        (ALERT_STATE, told("platform:douyin-ads"), set()),
        (CHANNEL_STATE, state("throttled", None), set()),
        (CHANNEL_STATE, state("throttled", "throttled"), {"there"}),
        (CHANNEL_STATE, state("paused", "throttled"), {"in force"}),
        (CHANNEL_STATE, state("paused", "paused"), {"in force", "confirmed"}),
        (CHANNEL_STATE, state("paused", "paused", behind=1), {"in force"}),
        (CHANNEL_STATE, state("running", "paused"), set()),
        (CHANNEL_STATE, state("running", "running"), {"let go"}),
        (CHANNEL_STATE, state("paused", "paused", "channel:douyin"), set()),
        (AUDIT, sent("alert.opened"), {"told"}),
        (AUDIT, sent("alert.resolved"), {"told again"}),
        (AUDIT, sent("alert.opened", outcome="failed"), set()),
        (AUDIT, sent("alert.opened", TARGET), set()),
        (AUDIT, sent("alert.opened", what="pause"), set()),
    ],
)
def test_a_record_is_a_step_only_where_it_is_about_this_drill(topic: str, message: BaseModel, steps: set[str]) -> None:
    course = Course(OUTAGE.drill(60), {"away": 0.1, "back": 0.2})
    course.take(topic, message.model_dump_json().encode(), 0.5)
    course.take(topic, b'{"v": 99}', 0.6)
    assert course.seen == {"away": 0.1, "back": 0.2} | dict.fromkeys(steps, 0.5)


def test_what_was_told_before_the_platform_was_away_is_not_of_the_drill() -> None:
    course = Course(OUTAGE.drill(60))
    for topic, message in (
        (ALERT_STATE, told()),
        (AUDIT, sent("alert.opened")),
        (ALERT_STATE, told(status="resolved")),
    ):
        course.take(topic, message.model_dump_json().encode(), 0.5)
    assert course.seen == {}
    course.note("away", 1.0)
    course.take(CHANNEL_STATE, state("paused", "paused").model_dump_json().encode(), 1.1)
    assert course.seen == {"away": 1.0, "in force": 1.1}, "nothing is confirmed by a platform that is away"


def test_the_report_has_every_step() -> None:
    course = Course(OUTAGE.drill(60), dict.fromkeys(STEPS, 2.0))
    text = "\n".join(report(course, AT))
    assert "on channel `drill-b`, whose platform `drill-ads` the drill played." in text
    assert "**Passed**: all steps within 2.00 s (60 s allowed)." in text
    assert all(f"| {step} | {says} | 2.00 |" in text for step, says in STEPS.items())


def wanted(generation: int, status: TargetStatus = "paused", target: str = TARGET) -> WantedState:
    return WantedState(target=target, status=status, factor=0.0, generation=generation)


def test_the_platform_keeps_the_newest_order_for_its_own_target() -> None:
    platform = PlayedPlatform(TARGET)
    assert platform.get(TARGET) == (404, None)
    assert platform.put(wanted(1, target="channel:douyin")) == 404
    assert [platform.put(wanted(2)), platform.put(wanted(1)), platform.put(wanted(2))] == [200, 409, 200]
    assert platform.get(TARGET) == (200, wanted(2))
    assert platform.get("channel:douyin") == (404, None)


def test_a_platform_that_is_away_takes_nothing_and_says_nothing() -> None:
    platform = PlayedPlatform(TARGET)
    platform.put(wanted(1))
    platform.away = True
    assert (platform.put(wanted(2)), platform.get(TARGET)) == (503, (503, None))
    platform.away = False
    assert platform.get(TARGET) == (200, wanted(1))
