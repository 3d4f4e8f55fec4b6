"""The part of the policy about days: holidays, make-up workdays, shopping days, and the hours worked."""

import re
from datetime import date, datetime, time
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, PlainSerializer, model_validator

from schemas.closed import Closed
from schemas.directory import Label

HoursBasis = Literal["natural", "working"]
"""How an answer's time runs: through day and night, or in working hours only."""

_DATE = re.compile(r"^\d{4}-\d\d-\d\d$")
_EVERY_YEAR = re.compile(r"^\d\d-\d\d$")
_TIME = re.compile(r"^([01]\d|2[0-3]):[0-5]\d$")
_A_LEAP_YEAR = "2000-"
_SHORTEST_WORKDAY_MIN = 60
"""So that the days over which a wait extends stay few: they are walked one by one."""


def _date(value: Any) -> date:
    """YAML reads an unquoted date by itself; a moment is no day."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and _DATE.match(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError("is not a day that exists") from None
    raise ValueError("is not a date such as 2027-01-26")


def _shopping_day(value: Any) -> str:
    if isinstance(value, str) and _EVERY_YEAR.match(value):
        _date(_A_LEAP_YEAR + value)
        return value
    try:
        return _date(value).isoformat()
    except ValueError as error:
        raise ValueError(f"{error}, or 11-11 for every year") from None


def _time(value: Any) -> time:
    """YAML reads an unquoted 18:00 as the number 1080."""
    if isinstance(value, time) and value.tzinfo is None:
        return value
    if isinstance(value, str) and _TIME.match(value):
        return time.fromisoformat(value)
    raise ValueError('is not a time of day such as "18:00", in quotes')


def _write_time(value: time) -> str:
    return f"{value:%H:%M}"


def _minutes(value: time) -> int:
    return value.hour * 60 + value.minute


Date = Annotated[
    date, BeforeValidator(_date, json_schema_input_type=str), PlainSerializer(date.isoformat, return_type=str)
]
"""A day, `2027-01-26`."""

ShoppingDay = Annotated[str, BeforeValidator(_shopping_day, json_schema_input_type=str)]
"""A day of every year, `11-11`, or of one, `2027-01-26`."""

TimeOfDay = Annotated[
    time, BeforeValidator(_time, json_schema_input_type=str), PlainSerializer(_write_time, return_type=str)
]
"""A time of day to the minute, `18:00`."""


class CalendarPolicy(Closed):
    """Whose days they are, beyond Saturdays and Sundays.

    country: whose public holidays and make-up workdays are taken from the library, None for none. holidays, workdays:
    what the library does not know yet, or has otherwise. work_from, work_to: the working hours of a workday.
    """

    country: Literal["CN"] | None = "CN"
    holidays: dict[Date, Label] = {}
    workdays: list[Date] = []
    shopping_days: dict[ShoppingDay, Label] = {
        "06-18": Label(en="618", zh="618"),
        "11-11": Label(en="Double 11", zh="双十一"),
        "12-12": Label(en="Double 12", zh="双十二"),
    }
    work_from: TimeOfDay = time(9)
    work_to: TimeOfDay = time(18)

    @model_validator(mode="after")
    def _makes_sense(self) -> "CalendarPolicy":
        if both := sorted(self.holidays.keys() & set(self.workdays)):
            raise ValueError(f"{both[0]} is both in holidays and in workdays")
        if _minutes(self.work_to) - _minutes(self.work_from) < _SHORTEST_WORKDAY_MIN:
            raise ValueError("work_to must be at least an hour after work_from")
        return self
