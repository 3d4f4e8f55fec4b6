"""By when an answer is promised."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schemas.answer_time import AnswerTime
from schemas.base import Bilingual
from schemas.policy import Policy, PolicyRef
from services.gateway.door.promise import Promise, PromiseBook, in_words
from services.indicators.rules.complaint_sla import ComplaintSlaLimits

SHANGHAI = ZoneInfo("Asia/Shanghai")
FRIDAY = datetime(2026, 11, 27, 16, 30, 20, tzinfo=SHANGHAI)


def policy(version: int = 1, **thresholds: Any) -> Policy:
    return Policy.model_validate({"version": version, "indicators": {"complaint_sla": {"thresholds": thresholds}}})


def local(at: datetime) -> str:
    return f"{at.astimezone(SHANGHAI):%a %H:%M}"


def test_the_door_promises_what_the_rule_watches() -> None:
    rule, ours = ComplaintSlaLimits(), AnswerTime()
    assert {name: getattr(rule, name) for name in AnswerTime.model_fields} == ours.model_dump()


@pytest.mark.parametrize(
    ("thresholds", "rich", "expected"),
    [
        ({}, False, "Sun 16:30"),
        ({}, True, "Fri 18:30"),
        ({"hours": 9.0, "basis": "working"}, False, "Mon 16:30"),
        ({"hours": 2.0, "basis": "working", "warn_share": 0.5}, False, "Mon 09:30"),
    ],
)
def test_working_hours_pass_over_the_weekend(thresholds: dict[str, Any], rich: bool, expected: str) -> None:
    assert local(Promise(policy(**thresholds)).answer_by(FRIDAY, high_net_worth=rich)) == expected


def test_a_holiday_is_no_business_day() -> None:
    before = datetime(2026, 9, 30, 17, 0, tzinfo=SHANGHAI)
    due = Promise(policy(hours=2.0, basis="working")).answer_by(before).astimezone(SHANGHAI)
    assert (due.month, due.day, due.hour) == (10, 8, 10)


def test_it_is_said_with_the_day_of_the_week() -> None:
    assert in_words(FRIDAY.astimezone(UTC), SHANGHAI) == Bilingual(
        en="Friday, 27 November 2026, 16:30 (UTC+8)", zh="2026年11月27日（星期五）16:30（UTC+8）"
    )
    assert in_words(FRIDAY, ZoneInfo("Asia/Kolkata")).en.endswith("14:00 (UTC+5:30)")
    assert in_words(FRIDAY, ZoneInfo("America/New_York")).en.endswith("03:30 (UTC\u22125)")


def test_the_policy_in_force_counts_and_a_bad_one_never_takes_its_place() -> None:
    book = PromiseBook()
    for version, hours in ((1, 9.0), (2, 3.0)):
        book.fold(f"default/{version}".encode(), policy(version, hours=hours).model_dump_json().encode())
    book.fold(b"active", PolicyRef(name="default", version=2).model_dump_json().encode())
    book.adopt()
    assert local(book.current.answer_by(FRIDAY)) == "Fri 19:30"
    book.fold(b"default/3", policy(3, hours="many").model_dump_json().encode())
    book.fold(b"active", PolicyRef(name="default", version=3).model_dump_json().encode())
    with pytest.raises(ValueError, match="hours"):
        book.adopt()
    assert local(book.current.answer_by(FRIDAY)) == "Fri 19:30"
