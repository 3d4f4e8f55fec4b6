"""Moments as people name them on the command line."""

from datetime import datetime, timedelta

from pydantic import TypeAdapter, ValidationError

from schemas.base import Instant, to_ms
from schemas.closed import Duration

_AGO: TypeAdapter[timedelta] = TypeAdapter(Duration)
_AT: TypeAdapter[datetime] = TypeAdapter(Instant)


class MomentError(ValueError):
    """Neither a duration nor a time."""


def moment_ms(text: str, now_ms: int) -> int:
    """`24h` (so long before now) or an RFC 3339 time, in milliseconds; raises MomentError."""
    try:
        return now_ms - _AGO.validate_python(text) // timedelta(milliseconds=1)
    except ValidationError:
        pass
    try:
        return to_ms(_AT.validate_python(text))
    except ValidationError:
        raise MomentError(f"{text!r} is no time such as 24h, 7d or 2026-11-23T09:30:00+08:00") from None
