"""From the fields of a form to the body of an order. Pure; the time comes in."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from schemas.problem_words import both
from schemas.problems import ToldError, problems_of
from services.console.orders.orders import Order

Fields = Mapping[str, Sequence[str]]
"""All values of each field, as a browser sends them."""


class FormError(ToldError):
    """What is wrong with a form, a line for each field."""


def order_of(body: type[Order], fields: Fields, now: datetime) -> Order:
    """The order that a form gives; fields that the order does not have and empty ones are left out.

    `reason` is its note, `percent` its factor, and `minutes` how long it lasts (`none`: no end is
    given, which ends a silence) unless `until` says when it ends, on the clocks of the zone of `now`. Raises FormError.
    """
    given: dict[str, Any] = {}
    for name, (field, read) in _FIELDS.items():
        values = [value.strip() for value in fields.get(name, ()) if value.strip()]
        if values and field in body.model_fields:
            given[field] = _read(name, read, values, now)
    try:
        return body.model_validate(given)
    except ValidationError as error:
        told = [(each.field, both(each.problem)) for each in problems_of(error)]
        raise FormError(
            "; ".join(f"{field or 'the form'}: {said.en}" for field, said in told),
            "；".join(f"{field or '表单'}：{said.zh}" for field, said in told),
        ) from None


def _read(name: str, read: "_Reader", values: Sequence[str], now: datetime) -> Any:
    try:
        found = read(values, now)
    except (ValueError, OverflowError):
        raise FormError(f"{name}: cannot be read", f"{name}：无法识别") from None
    if name == "until" and found <= now:
        raise FormError("until: is over already", "until：时间已过")
    return found


_Reader = Callable[[Sequence[str], datetime], Any]


def _text(values: Sequence[str], _: datetime) -> str:
    return values[-1]


def _number(values: Sequence[str], _: datetime) -> int:
    return int(values[-1])


def _percent(values: Sequence[str], _: datetime) -> float:
    return float(values[-1]) / 100


def _from_now(values: Sequence[str], now: datetime) -> datetime | None:
    return None if values[-1] == "none" else now + timedelta(minutes=float(values[-1]))


def _at_clock(values: Sequence[str], now: datetime) -> datetime:
    return datetime.fromisoformat(values[-1]).replace(tzinfo=now.tzinfo).astimezone(UTC)


def _all(values: Sequence[str], _: datetime) -> list[str]:
    return list(values)


_FIELDS: Mapping[str, tuple[str, _Reader]] = MappingProxyType(
    {
        "target": ("target", _text),
        "command": ("command", _text),
        "alert_id": ("alert_id", _text),
        "reason": ("note", _text),
        "percent": ("factor", _percent),
        "minutes": ("expires_at", _from_now),
        "until": ("expires_at", _at_clock),
        "expected_generation": ("expected_generation", _number),
        "hold_ids": ("hold_ids", _all),
        "indicators": ("indicators", _all),
        "incident_ids": ("incident_ids", _all),
        "alert_ids": ("alert_ids", _all),
    }
)
"""The field of an order that each field of a form is for; of two for the same the later one counts."""
