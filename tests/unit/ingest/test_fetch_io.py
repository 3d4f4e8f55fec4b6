from typing import Any

import pytest
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from services.ingest.fetch_io import unpack
from services.ingest.records import CONTROL_HEADER

STAMP = 1_795_426_200_250
_PRODUCER = 77


def _batch(
    first: int, *values: bytes | None, stamp: int = STAMP, transaction: bool = False, codec: int = 0, **parts: Any
) -> bytes:
    """One batch as a broker keeps it, with the append time of the log."""
    builder = DefaultRecordBatchBuilder(2, codec, transaction, _PRODUCER if transaction else -1, 0, 0, 1 << 20)
    for index, value in enumerate(values):
        builder.append(index, STAMP, parts.get("key"), value, parts.get("headers", []))
    return _appended(builder.build(), first, stamp)


def _appended(batch: bytearray, first: int, stamp: int, attributes: int = 0) -> bytes:
    """What a broker writes into a batch: its place, its time, and what kind of time that is."""
    from aiokafka.record.util import calc_crc32c_py

    batch[0:8] = first.to_bytes(8, "big")
    batch[22] |= 0b1000 | attributes
    batch[35:43] = stamp.to_bytes(8, "big")
    batch[17:21] = calc_crc32c_py(memoryview(batch)[21:]).to_bytes(4, "big")
    return bytes(batch)


def _marker(first: int, *, commit: bool) -> bytes:
    """The control batch that ends a transaction."""
    builder = DefaultRecordBatchBuilder(2, 0, True, _PRODUCER, 0, 0, 1 << 20)
    builder.append(0, STAMP, b"\0\0" + int(commit).to_bytes(2, "big"), b"\0\0\0\0\0\0", [])
    return _appended(builder.build(), first, STAMP, attributes=0b100000)


def test_batches_become_columns() -> None:
    records = unpack(_batch(5, b"a", None, stamp=10) + _batch(7, b"c", stamp=20), 5)
    assert (records.first, records.next) == (5, 8)
    assert records.offsets == [5, 6, 7]
    assert records.stamps == [10, 10, 20]
    assert records.values == [b"a", None, b"c"]
    assert records.keys == []


def test_a_batch_is_entered_where_the_position_is() -> None:
    records = unpack(_batch(5, b"a", b"b", b"c"), 6)
    assert (records.first, records.next, records.offsets, records.values) == (6, 8, [6, 7], [b"b", b"c"])
    assert len(unpack(_batch(5, b"a", b"b"), 9)) == 0


def test_gaps_in_the_offsets_are_kept() -> None:
    records = unpack(_batch(5, b"a") + _batch(9, b"b"), 5)
    assert (records.offsets, records.next) == ([5, 9], 10)


def test_an_incomplete_batch_at_the_end_is_left_for_the_next_time() -> None:
    assert unpack(_batch(5, b"a") + _batch(6, b"b")[:-3], 5).next == 6
    assert unpack(b"", 5).next == 5


def test_keys_only_where_they_are_wanted() -> None:
    assert unpack(_batch(0, b"a", b"b", key=b"k"), 0, keyed=True).keys == [b"k", b"k"]


def test_control_headers_are_noted_and_others_are_not() -> None:
    plain = _batch(0, b"a", headers=[("trace", b"1")])
    control = _batch(1, b"b", headers=[("trace", b"1"), (CONTROL_HEADER, b"end")])
    assert unpack(plain + control, 0).controls == {1: b"end"}


def test_only_committed_transactions_are_read() -> None:
    raw = (
        _batch(0, b"given up", transaction=True)
        + _batch(1, b"between")
        + _marker(2, commit=False)
        + _batch(3, b"kept", transaction=True)
        + _marker(4, commit=True)
    )
    records = unpack(raw, 0, [(_PRODUCER, 0)])
    assert (records.values, records.offsets, records.next) == ([b"between", b"kept"], [1, 3], 5)


def test_markers_alone_move_the_position() -> None:
    assert unpack(_marker(4, commit=True), 4).next == 5


def test_a_broken_batch_is_never_taken_for_records() -> None:
    raw = bytearray(_batch(0, b"abc"))
    raw[-2] ^= 1
    with pytest.raises(CorruptRecordException):
        unpack(bytes(raw), 0)


def test_gzip_is_read() -> None:
    assert unpack(_batch(3, b"a" * 500, b"b", codec=1), 3).values == [b"a" * 500, b"b"]


def test_a_compression_that_cannot_be_read_does_not_stop_what_follows() -> None:
    strange = bytearray(_batch(3, b"a", b"b", b"c"))
    strange[22] |= 4  # says that it is zstd
    records = unpack(_appended(strange, 3, STAMP) + _batch(6, b"d"), 4)
    assert (records.offsets, records.values, records.next) == ([4, 5, 6], [None, None, b"d"], 7)
    assert list(records.unreadable) == [0, 1]
    assert records.unreadable[0].startswith("cannot be read: ")


def test_a_header_that_is_not_text_does_not_stop_what_follows() -> None:
    strange = bytearray(_batch(3, b"a", headers=[("kkkk", b"v")]))
    strange[strange.index(b"kkkk")] = 0xFF
    records = unpack(_appended(strange, 3, STAMP) + _batch(4, b"d"), 3)
    assert (records.offsets, records.values) == ([3, 4], [None, b"d"])
    assert list(records.unreadable) == [0]
