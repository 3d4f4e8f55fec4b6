"""The part of the policy about days: which are holidays, which are worked, which are shopping days."""

from datetime import date, time
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from schemas.base import Name
from schemas.closed import Closed


def _date(value: Any) -> Any:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _time(value: Any) -> Any:
    return time.fromisoformat(value) if isinstance(value, str) else value


Date = Annotated[
    date, BeforeValidator(_date, json_schema_input_type=str), PlainSerializer(date.isoformat, return_type=str)
]
TimeOfDay = Annotated[
    time, BeforeValidator(_time, json_schema_input_type=str), PlainSerializer(time.isoformat, return_type=str)
]


class CalendarPolicy(Closed):
    """Whose days they are.

    country: whose public holidays and make-up workdays apply, None for none but those named here. holidays, workdays:
    days beyond what the library knows, or against it. shopping_days: `11-11` (every year) or a date, with a name.
    work_from, work_to: the working hours of a workday.
    """

    country: Name | None = "CN"
    holidays: dict[str, Name] = {}
    workdays: list[Date] = []
    shopping_days: dict[str, Name] = {}
    work_from: TimeOfDay = time(9)
    work_to: TimeOfDay = time(18)
