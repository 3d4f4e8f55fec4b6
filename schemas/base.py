"""What all messages share: strict frozen models, times with a zone, names, and the way subjects are written."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
)
from pydantic_core import PydanticCustomError

_RFC3339 = re.compile(r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$")

_FIRST, _LAST = datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 29, tzinfo=UTC)
"""The earliest and latest that are read as they stand: the hours beyond, by which people say "for ever", are no time in
some zones."""


def read_instant(value: Any) -> Any:
    """A time from its one accepted form; pydantic alone would also read numbers and dates without a time."""
    if not isinstance(value, str):
        return value
    if not _RFC3339.match(value):
        raise PydanticCustomError("rfc3339", "is not an RFC 3339 time with a zone, such as 2026-11-23T09:30:00+08:00")
    try:
        at = datetime.fromisoformat(value.upper())
    except ValueError:
        raise PydanticCustomError("rfc3339", "is not a time that exists") from None
    return min(max(at, _FIRST), _LAST)


def _write_utc(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


Instant = Annotated[
    AwareDatetime,
    BeforeValidator(read_instant, json_schema_input_type=AwareDatetime),
    PlainSerializer(_write_utc, return_type=str, when_used="json"),
]
"""A moment, RFC 3339 with a zone, cut to the microsecond; written in UTC."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""An identifier or short name: 1 to 200 characters, none of them a control character."""

Text = Annotated[str, StringConstraints(max_length=20_000, pattern=r"^[^\x00]*$")]
"""Free text up to 20,000 characters, without NUL."""

HexId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""32 hex digits."""

Fingerprint = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""64 hex digits: of a body, normalised (services.scanning.fingerprints)."""

Ref = Annotated[str, StringConstraints(max_length=420, pattern=r"^[a-z_]+:[^\x00-\x1f\x7f]+$")]
"""A subject or target, written `kind:id`: `channel:douyin`, `actor:<pseudonym>`."""

Severity = Literal["info", "warning", "critical"]
Maturity = Literal["shadow", "notify", "approve", "auto"]


class Message(BaseModel):
    """Strict (`"5"` is no number) and frozen; unknown fields are dropped, since fields may be added in a version."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", allow_inf_nan=False)


class Versioned(Message):
    """A message of ours: it says which major version of the contract it follows."""

    v: Literal[1] = 1


class Bilingual(Message):
    """One sentence for people, in both languages."""

    en: str
    zh: str

    @classmethod
    def of(cls, en: str | None, zh: str | None) -> Self | None:
        """Of a field of a message and the one beside it with its Chinese, which is null for somebody's own words."""
        return None if en is None else cls(en=en, zh=zh or en)

    @classmethod
    def parted(cls, text: str) -> Self:
        """Of a docstring that people read on pages: English, then `·`, then Chinese; the same for both without that."""
        en, _, zh = text.partition("· ")
        said = " ".join(en.split())
        return cls(en=said, zh="".join(line.strip() for line in zh.splitlines()) or said)


class Window(Message):
    """A stretch of event time, `from` inclusive, `to` exclusive."""

    from_: Annotated[Instant, Field(alias="from")]
    to: Instant

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)


def from_ms(ms: int) -> datetime:
    """A UTC time from milliseconds since the epoch."""
    return datetime.fromtimestamp(ms / 1000, UTC) if ms % 1000 else datetime.fromtimestamp(ms // 1000, UTC)


def to_ms(at: datetime) -> int:
    """Milliseconds since the epoch, rounded down, without a detour through floats."""
    delta = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1000 + delta.microseconds // 1000
