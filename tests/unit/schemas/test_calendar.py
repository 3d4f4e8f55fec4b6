"""The part of the policy about days."""

from datetime import time
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from schemas.calendar import CalendarPolicy


def _read(text: str) -> CalendarPolicy:
    return CalendarPolicy.model_validate(yaml.safe_load(text))


def test_what_people_write_in_yaml_survives_the_topic() -> None:
    policy = _read(
        """
        holidays: {2027-01-01: {en: New Year, zh: 元旦}}
        workdays: [2027-01-03, "2027-01-10"]
        shopping_days: {03-08: {en: "38", zh: 三八节}, 02-29: {en: Leap, zh: 闰日}, 2027-01-20: {en: New, zh: 年货节}}
        work_from: "08:30"
        work_to: "17:30"
        """
    )
    assert [f"{day}" for day in policy.holidays] == ["2027-01-01"]
    assert [f"{day}" for day in policy.workdays] == ["2027-01-03", "2027-01-10"]
    assert list(policy.shopping_days) == ["03-08", "02-29", "2027-01-20"]
    assert (policy.work_from, policy.work_to) == (time(8, 30), time(17, 30))
    assert CalendarPolicy.model_validate_json(policy.model_dump_json()) == policy


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("workdays: [2027-01-03, 20270104]", ("workdays", 1), "is not a date such as 2027-01-26"),
        ('workdays: ["20270104"]', ("workdays", 0), "is not a date such as 2027-01-26"),
        ("workdays: [2027-01-04 10:00:00]", ("workdays", 0), "is not a date such as 2027-01-26"),
        ('workdays: ["2027-02-29"]', ("workdays", 0), "is not a day that exists"),
        ("holidays: {01-01: {en: a, zh: b}}", ("holidays", "01-01", "[key]"), "is not a date such as 2027-01-26"),
        ("shopping_days: {11-31: {en: a, zh: b}}", ("shopping_days", "11-31", "[key]"), "is not a day that exists"),
        ("shopping_days: {1111: {en: a, zh: b}}", ("shopping_days", 1111, "[key]"), "or 11-11 for every year"),
        ("work_to: 18:00", ("work_to",), 'is not a time of day such as "18:00", in quotes'),
        ('work_to: "24:00"', ("work_to",), 'is not a time of day such as "18:00", in quotes'),
        ('work_to: "9:00"', ("work_to",), 'is not a time of day such as "18:00", in quotes'),
        ('work_from: "17:01"', (), "work_to must be at least an hour after work_from"),
        (
            "{holidays: {2027-01-01: {en: a, zh: b}}, workdays: [2027-01-01]}",
            (),
            "2027-01-01 is both in holidays and in workdays",
        ),
        ("country: US", ("country",), "'CN'"),
        ("holiday: {}", ("holiday",), "Extra inputs are not permitted"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, place: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        _read(text)
    (problem,) = caught.value.errors()
    assert problem["loc"] == place
    assert message in problem["msg"]
