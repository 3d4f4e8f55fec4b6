"""The take-down drill: where it may run, which records it takes for which step, and what it reports."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

from schemas.alerts import AlertFact
from schemas.channels import ChannelState
from schemas.content import ContentPolicy
from schemas.topics import ALERTS, AUDIT, CHANNEL_STATE
from services.cli.drill.course import Course, NotMarkedError, report
from services.cli.drill.take_down import BODY, STEPS, take_down_of
from services.runtime.ids import derive
from services.scanning.report import Figures, Material
from services.scanning.scanner import Scanner
from tests.unit.console.samples import audit, channel

AT = datetime(2026, 11, 27, 1, tzinfo=UTC)
PLAN = take_down_of("drill-a", "0f")
DRILL = PLAN.drill(60)
TARGET = "content:drill-0f"


@pytest.mark.parametrize("name", ["douyin", "a-drill-b", "Drill-a", ""])
def test_it_runs_on_marked_channels_only(name: str) -> None:
    with pytest.raises(NotMarkedError, match="begins with 'drill-'"):
        take_down_of(name, "0f")


def test_the_text_breaks_the_usual_rules_and_two_events_are_all_that_it_sends() -> None:
    assert Scanner(ContentPolicy()).scan(Material(body=BODY), Figures()).findings
    published, removed = PLAN.published(AT), PLAN.removed(AT)
    assert {published.channel_id, removed.channel_id} == {"drill-a"}
    assert f"content:{published.content_id}" == f"content:{removed.content_id}" == PLAN.target == TARGET
    assert published.event_id != removed.event_id


def fact(subject: str = TARGET, **fields: Any) -> AlertFact:
    known: dict[str, Any] = {"alert_id": derive("a"), "writer": "indicators-content:0", "seq": 1, "at": AT}
    return AlertFact(**known | {"subject": subject, "status": "open"} | fields)


def state(target: str = TARGET, status: str = "taken_down", confirmed: str | None = None) -> ChannelState:
    platform = {"wanted": status, "confirmed": confirmed}
    return ChannelState.model_validate(channel(target).model_dump() | {"status": status, "platform": platform})


def told(target: str = TARGET, outcome: str = "delivered") -> BaseModel:
    return audit("a", target=target, what="deliver", outcome=outcome)


@pytest.mark.parametrize(
    ("topic", "message", "steps"),
    [
        (ALERTS, fact(), {"alert"}),
        (ALERTS, fact(status="resolved"), set()),
        (ALERTS, fact("content:c-1"), set()),
        (CHANNEL_STATE, state(), {"in force"}),
        (CHANNEL_STATE, state(confirmed="running"), {"in force"}),
        (CHANNEL_STATE, state(confirmed="taken_down"), {"in force", "confirmed"}),
        (CHANNEL_STATE, state("content:c-1", confirmed="taken_down"), set()),
        (CHANNEL_STATE, state(status="running", confirmed="running"), set()),
        (AUDIT, told(), {"told"}),
        (AUDIT, told(outcome="failed"), set()),
        (AUDIT, told("content:c-1"), set()),
        (AUDIT, audit("a", target=TARGET), set()),
    ],
)
def test_a_record_is_a_step_only_where_it_is_about_this_drill(topic: str, message: BaseModel, steps: set[str]) -> None:
    course = Course(DRILL)
    course.take(topic, message.model_dump_json().encode(), 0.5)
    course.take(topic, b'{"v": 99}', 0.6)
    course.take(topic, message.model_dump_json().encode(), 0.7)
    assert course.seen == dict.fromkeys(steps, 0.5)


def test_the_report_says_what_took_how_long_and_what_is_left() -> None:
    course = Course(DRILL, {step: number / 4 for number, step in enumerate(STEPS)})
    text = "\n".join(report(course, AT))
    assert not course.missing
    assert "**Passed**: all steps within 1.00 s (60 s allowed)." in text
    assert "| confirmed | the platform has confirmed it | 0.75 |" in text
    assert f"the hold on `{TARGET}`" in text


def test_the_report_names_each_step_that_was_not_seen() -> None:
    course = Course(DRILL, {"accepted": 0.01, "alert": 0.2, "told": 0.3})
    text = "\n".join(report(course, AT))
    assert course.missing == ["in force", "confirmed"]
    assert "**Failed**: not seen within 60 s: in force, confirmed." in text
    assert text.count("not seen |") == 2
