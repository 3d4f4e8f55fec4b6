"""From the bytes of a fetch to records in columns. Whoever may write to a raw topic decides what is in them, so nothing
in here may take more memory than it was given, and nothing may stop what follows it."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.memory_records import MemoryRecords

from services.ingest.reading.inflating import inflate
from services.ingest.reading.loose_records import read_loosely
from services.ingest.reading.records import CONTROL_HEADER, Records, UnreadableError
from services.runtime.tracing import traces

BATCH_BYTES: Final = 16 * 1024 * 1024
"""What a batch may unpack to: four times the largest that a raw topic takes."""
BATCH_RECORDS: Final = 100_000
"""How many records it may hold: an event of its own in each would fill 12 MB."""
ANSWER_BYTES: Final = 8 * 1024 * 1024
"""When a partition's batches have unpacked to so much, those that follow are left for the next answer."""
_LOG_APPEND_TIME: Final = 1
# A batch: its offset (8 bytes), its length (4) from there on, and a header up to the first record.
_LENGTH: Final = 8
_OVERHEAD: Final = 12
_MAGIC: Final = 16
_ATTRIBUTES: Final = 22
_CODEC_BITS: Final = 0b111
_FIRST_STAMP: Final = slice(27, 35)
_COUNT: Final = slice(57, 61)
_HEADER: Final = 61


def unpack(raw: bytes, position: int, aborted: Iterable[tuple[int, int]] = (), *, keyed: bool = False) -> Records:
    """The committed records from `position` on in the bytes of a fetch, with their keys or without.

    aborted: (producer id, first offset) of the transactions in it that were given up. A batch that cannot be read is
    one unreadable record, at its last offset. Raises CorruptRecordException when a checksum is wrong.
    """
    records = Records(position, position)
    room = ANSWER_BYTES
    for batch, data, committed in _batches(raw, aborted):
        if room <= 0:
            break
        if committed and batch.next_offset > position:
            room -= _add(records, batch, data, keyed)
        records.next = max(records.next, batch.next_offset)
    return records


def _batches(raw: bytes, aborted: Iterable[tuple[int, int]]) -> Iterator[tuple[Any, bytes, bool]]:
    """Each batch, its bytes, and whether it holds committed records."""
    memory: Any = MemoryRecords(raw)
    waiting = sorted(aborted, key=lambda each: each[1], reverse=True)
    given_up: set[int] = set()
    begin = 0
    while memory.has_next():
        batch = memory.next_batch()
        if not batch.validate_crc():
            raise CorruptRecordException(f"the batch at {batch.base_offset} has another checksum than it says")
        end = begin + _OVERHEAD + int.from_bytes(raw[begin + _LENGTH : begin + _OVERHEAD], "big")
        while waiting and waiting[-1][1] <= batch.base_offset:
            given_up.add(waiting.pop()[0])
        if batch.is_control_batch:
            given_up.discard(batch.producer_id)  # whichever its marker: the transaction ends here
        committed = not batch.is_control_batch and not (batch.is_transactional and batch.producer_id in given_up)
        yield batch, raw[begin:end], committed
        begin = end


def _add(records: Records, batch: Any, data: bytes, keyed: bool) -> int:
    """The records of one batch that are not before the position: it comes as a whole, wherever in it one begins.

    What they took, in bytes.
    """
    try:
        plain = _plain(data)
        found = _records(batch, data, plain)
    except UnreadableError as error:
        _add_unreadable(records, batch, str(error))
        return len(data)
    if found and found[0].offset < records.next:
        found = [each for each in found if each.offset >= records.next]
    if not found:
        return len(plain)
    before = len(records)
    first, last = found[0].offset, found[-1].offset
    records.offsets += range(first, last + 1) if last - first + 1 == len(found) else [each.offset for each in found]
    if batch.timestamp_type == _LOG_APPEND_TIME:
        records.stamps += [batch.max_timestamp] * len(found)
    else:
        records.stamps += [each.timestamp for each in found]
    records.values += [each.value for each in found]
    if keyed:
        records.keys += [each.key for each in found]
    for index in [index for index, each in enumerate(found) if each.headers]:
        for name, word in found[index].headers:
            if name == CONTROL_HEADER:
                records.controls[before + index] = word or b""
            elif name == traces.HEADER:
                records.traces[before + index] = word or b""
    return len(plain)


def _plain(data: bytes) -> bytes:
    """The batch without compression. Raises UnreadableError."""
    codec = data[_ATTRIBUTES] & _CODEC_BITS
    if data[_MAGIC] < 2:
        raise UnreadableError("it is in a format from before Kafka 0.11")
    if (count := int.from_bytes(data[_COUNT], "big")) > BATCH_RECORDS:
        raise UnreadableError(f"it holds {count:,} records, more than {BATCH_RECORDS:,}")
    if not codec:
        return data
    header = bytearray(data[:_HEADER])
    header[_ATTRIBUTES] &= ~_CODEC_BITS
    return bytes(header) + inflate(codec, data[_HEADER:], BATCH_BYTES)


def _records(batch: Any, data: bytes, plain: bytes) -> list[Any]:
    """Raises UnreadableError."""
    try:
        return list(batch if plain is data else DefaultRecordBatch(plain))
    except (CorruptRecordException, UnicodeDecodeError):
        count = int.from_bytes(data[_COUNT], "big")
        stamp = int.from_bytes(data[_FIRST_STAMP], "big", signed=True)
        return list(read_loosely(plain[_HEADER:], count, batch.base_offset, stamp))


def _add_unreadable(records: Records, batch: Any, reason: str) -> None:
    """One dead letter for the batch: nobody knows how many records it would be, or they are too many."""
    first, last = batch.base_offset, batch.next_offset - 1
    records.unreadable[len(records)] = f"is a batch, offsets {first} to {last}, that cannot be read: {reason}"
    records.offsets.append(last)
    records.stamps.append(batch.max_timestamp)
    records.values.append(None)
    records.keys.append(None)
