"""What the parts of the policy are made of: closed models, and durations as people write them."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"^(\d+)([smhd])$")


def _duration(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    match = _DURATION.match(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("is not a duration such as 30s, 15m, 2h or 7d")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


def _write_duration(value: timedelta) -> str:
    seconds = int(value.total_seconds())
    unit = next(unit for unit in ("d", "h", "m", "s") if seconds % _UNITS[unit] == 0) if seconds else "s"
    return f"{seconds // _UNITS[unit]}{unit}"


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration, json_schema_input_type=str),
    PlainSerializer(_write_duration, return_type=str),
]
"""A whole number of seconds, minutes, hours or days: `30s`, `15m`, `2h`, `7d`."""


class Closed(BaseModel):
    """A part of the policy: strict, frozen, no unknown keys."""

    model_config = ConfigDict(
        strict=True, frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )
