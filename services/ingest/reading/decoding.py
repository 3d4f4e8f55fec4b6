"""From a record's bytes to its event, for the good ones: msgspec takes what it can prove to be good.

Everything else is left to pydantic (`validation`), which accepts it or says what is wrong. That msgspec accepts nothing
which pydantic would refuse, and reads the same values, is a property test.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Annotated, Any, Final

import msgspec

from schemas.events import EVENTS, type_of
from services.ingest.reading.structs import STRICT_STRUCTS, STRUCTS, Event

MAX_PLAIN_BYTES: Final = 4_096
"""A longer record is left to pydantic, which gives up at numbers of 4,300 digits where msgspec does not."""
MAX_PLAIN_OPENERS: Final = 150
"""Likewise one that opens more brackets: pydantic gives up at a depth of 200."""
_FLAT_BYTES: Final = 900
"""A record without `[` that is no longer cannot be that deep: an object in an object takes five bytes."""

_REFUSALS: Final = (msgspec.MsgspecError, UnicodeDecodeError)


def needs_pydantic(value: bytes) -> bool:
    """Whether no decoder's word on a record can be trusted: it is too long, too deep, or not UTF-8."""
    if len(value) > MAX_PLAIN_BYTES or value.count(b"{") + value.count(b"[") > MAX_PLAIN_OPENERS:
        return True
    return not _is_utf8(value)


def needs_patterns(value: bytes) -> bool:
    """Whether a record may hold control characters."""
    return b"\\" in value or b"\x7f" in value


def _is_utf8(value: bytes) -> bool:
    if value.isascii():
        return True
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _all_plain(values: Sequence[bytes | None]) -> bool:
    """Whether all of them need neither, for a fraction of the price of asking each. False may be wrong."""
    try:
        joined = b"\n".join(values)  # type: ignore[arg-type]
    except TypeError:
        return False
    if needs_patterns(joined) or not _is_utf8(joined):
        return False
    longest = max(map(len, values))  # type: ignore[arg-type]
    if longest <= _FLAT_BYTES and b"[" not in joined:
        return True
    openers = joined.count(b"{") + joined.count(b"[")
    return longest <= MAX_PLAIN_BYTES and openers < len(values) + MAX_PLAIN_OPENERS


class Decoder:
    """Decodes the records of one raw topic."""

    def __init__(self, topic: str) -> None:
        self._plain = _decoder(topic, STRUCTS)
        self._strict = _decoder(topic, STRICT_STRUCTS)

    def decode_all(self, values: Sequence[bytes | None]) -> list[Event] | None:
        """The event in each record; None when not all are proven good, and each has to be looked at by itself.

        Their times are text that nobody has read yet.
        """
        if not values or not _all_plain(values):
            return None if values else []
        try:
            return list(map(self._plain, values))  # type: ignore[arg-type]
        except _REFUSALS:
            return None

    def decode(self, value: bytes | None) -> Event | None:
        """The event in one record, or None for pydantic to judge."""
        if value is None or needs_pydantic(value):
            return None
        try:
            return self._strict(value) if needs_patterns(value) else self._plain(value)
        except _REFUSALS:
            return None


class _Nothing(msgspec.Struct, tag_field="type", tag=""):
    """Never decoded. A union of two has to look at the tag, where of one alone it may be missing."""

    never: Annotated[int, msgspec.Meta(ge=1, le=0)]


def _decoder(topic: str, structs: Mapping[str, type[Event]]) -> Callable[[bytes], Event]:
    kinds: list[Any] = [structs[type_of(model)] for model in EVENTS[topic]]
    decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(reduce(or_, kinds, _Nothing))
    return decoder.decode
