"""The time of a raw event, at the price of looking at two of its fields."""

from typing import Final

import msgspec

from schemas.events import TOPIC_OF
from services.ingest.reading.instants import Instants


class _Head(msgspec.Struct):
    """What has to be known of an event to put it in its place."""

    type: str
    occurred_at: str


_DECODE: Final = msgspec.json.Decoder(_Head).decode


class EventTimes:
    """Reads the times of raw events."""

    def __init__(self) -> None:
        self._instants = Instants()

    def head(self, value: bytes | None) -> tuple[str, int] | None:
        """An event's raw topic and time (ms); None for what is no event."""
        try:
            head = _DECODE(value or b"")
            return TOPIC_OF[head.type], self._instants.ms(head.occurred_at)
        except (msgspec.MsgspecError, KeyError, ValueError):
            return None
