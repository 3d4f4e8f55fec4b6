"""The records of a batch, read more patiently than aiokafka does: a header's name may be any bytes.

Slow, and only used when aiokafka gives up; a broker takes such records, so one of them must not cost its neighbours.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from services.ingest.reading.records import UnreadableError


@dataclass(frozen=True, slots=True)
class LooseRecord:
    """Like aiokafka's. A header's name that is no UTF-8 has replacement characters in it, so it is none of ours."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


class _Reader:
    """Reads fields one after the other. Raises IndexError at the end, UnreadableError for what cannot be."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.place = 0

    def varint(self) -> int:
        raw = shift = 0
        while True:
            byte = self._data[self.place]
            self.place += 1
            raw |= (byte & 0x7F) << shift
            if byte < 0x80:
                return raw >> 1 ^ -(raw & 1)
            shift += 7
            if shift > 63:
                raise UnreadableError("it holds a number without an end")

    def field(self) -> bytes | None:
        length = self.varint()
        if length < 0:
            return None
        begin, self.place = self.place, self.place + length
        if self.place > len(self._data):
            raise IndexError
        return self._data[begin : self.place]


def read_loosely(data: bytes, count: int, base_offset: int, first_stamp: int) -> list[LooseRecord]:
    """`count` records, unpacked. Raises UnreadableError when that is not what the data holds."""
    reader = _Reader(data)
    try:
        found = list(_records(reader, count, base_offset, first_stamp))
    except IndexError:
        raise UnreadableError("it ends in the middle of a record") from None
    if reader.place != len(data):
        raise UnreadableError("it holds more than its records")
    return found


def _records(reader: _Reader, count: int, base_offset: int, first_stamp: int) -> Iterator[LooseRecord]:
    for _ in range(count):
        length = reader.varint()
        end = reader.place + length
        reader.place += 1  # attributes, which mean nothing yet
        stamp, offset = first_stamp + reader.varint(), base_offset + reader.varint()
        key, value = reader.field(), reader.field()
        headers = [((reader.field() or b"").decode(errors="replace"), reader.field()) for _ in range(reader.varint())]
        if reader.place != end:
            raise UnreadableError("it holds a record that is not as long as it says")
        yield LooseRecord(offset, stamp, key, value, headers)
