"""What was read of one source partition, in columns, and what control records say."""

from dataclasses import dataclass, field
from typing import Final

from services.ingest.reading.instants import slow_ms

CONTROL_HEADER: Final = "tidegate-control"
"""The Kafka header of a control record: `time` (its value an RFC 3339 time up to which the source is complete) or
`end` (nothing will follow). Only with the `events` clock."""


@dataclass(slots=True)
class Records:
    """Records of one source partition in the order of their offsets, and how far they reach.

    first: where reading began. next: the offset after the last record, transaction markers included. offsets, stamps
    (the broker's append time, ms) and values have the same length. By index, of the few that it concerns: controls, the
    CONTROL_HEADER of a record; unreadable, why its value could not be read; traces, the traces.HEADER of its sender.
    keys: only where they were asked for.
    """

    first: int
    next: int
    offsets: list[int] = field(default_factory=list)
    stamps: list[int] = field(default_factory=list)
    values: list[bytes | None] = field(default_factory=list)
    controls: dict[int, bytes] = field(default_factory=dict)
    unreadable: dict[int, str] = field(default_factory=dict)
    keys: list[bytes | None] = field(default_factory=list)
    traces: dict[int, bytes] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.values)

    def head(self, count: int) -> "Records":
        """The first `count` records; what follows them has not been read."""
        return self if count >= len(self) else self._part(slice(0, count), self.first, self._after(count))

    def tail(self, count: int) -> "Records":
        """All but the first `count` records."""
        return self if count <= 0 else self._part(slice(count, len(self)), self._after(count), self.next)

    def _after(self, count: int) -> int:
        return self.offsets[count - 1] + 1 if 0 < count <= len(self) else self.first

    def _part(self, which: slice, first: int, next_offset: int) -> "Records":
        begin, end = which.start, which.stop
        return Records(
            first,
            next_offset,
            self.offsets[which],
            self.stamps[which],
            self.values[which],
            {index - begin: word for index, word in self.controls.items() if begin <= index < end},
            {index - begin: why for index, why in self.unreadable.items() if begin <= index < end},
            traces={index - begin: trace for index, trace in self.traces.items() if begin <= index < end},
        )


class UnreadableError(ValueError):
    """A batch whose records cannot be had; the message says why, after `it`."""


class ControlError(ValueError):
    """A control record that says nothing we know; the message says why, without quoting it."""


def read_control(word: bytes, value: bytes | None) -> int | None:
    """The time (ms) up to which the source is complete, None for its end. Raises ControlError."""
    if word == b"end":
        return None
    if word != b"time":
        raise ControlError(f"has a {CONTROL_HEADER} header that is neither time nor end")
    try:
        return slow_ms((value or b"").decode())
    except ValueError:
        raise ControlError("is a control record whose value is no RFC 3339 time with a zone") from None
