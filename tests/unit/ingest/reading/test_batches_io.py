import dataclasses
import tracemalloc
from typing import Any

import pytest
from aiokafka.codec import snappy_encode
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.reading import batches_io
from services.ingest.reading.batches_io import BATCH_BYTES, BATCH_RECORDS, unpack
from services.ingest.reading.loose_records import read_loosely
from services.ingest.reading.records import CONTROL_HEADER
from tests.support.batches import CODECS, PRODUCER, STAMP, appended, batch, encode, repacked


def _marker(first: int, *, commit: bool) -> bytes:
    """The control batch that ends a transaction."""
    builder = DefaultRecordBatchBuilder(2, 0, True, PRODUCER, 0, 0, 1 << 20)
    builder.append(0, STAMP, b"\0\0" + int(commit).to_bytes(2, "big"), b"\0\0\0\0\0\0", [])
    return appended(builder.build(), first, STAMP, attributes=0b100000)


def test_batches_become_columns() -> None:
    records = unpack(batch(5, b"a", None, stamp=10) + batch(7, b"c", stamp=20), 5)
    assert (records.first, records.next) == (5, 8)
    assert records.offsets == [5, 6, 7]
    assert records.stamps == [10, 10, 20]
    assert records.values == [b"a", None, b"c"]
    assert records.keys == []


def test_a_batch_is_entered_where_the_position_is() -> None:
    records = unpack(batch(5, b"a", b"b", b"c"), 6)
    assert (records.first, records.next, records.offsets, records.values) == (6, 8, [6, 7], [b"b", b"c"])
    assert len(unpack(batch(5, b"a", b"b"), 9)) == 0


def test_gaps_in_the_offsets_are_kept() -> None:
    records = unpack(batch(5, b"a") + batch(9, b"b"), 5)
    assert (records.offsets, records.next) == ([5, 9], 10)


def test_an_incomplete_batch_at_the_end_is_left_for_the_next_time() -> None:
    assert unpack(batch(5, b"a") + batch(6, b"b")[:-3], 5).next == 6
    assert unpack(b"", 5).next == 5


def test_keys_only_where_they_are_wanted() -> None:
    assert unpack(batch(0, b"a", b"b", key=b"k"), 0, keyed=True).keys == [b"k", b"k"]


def test_control_headers_are_noted_and_others_are_not() -> None:
    plain = batch(0, b"a", headers=[("trace", b"1")])
    control = batch(1, b"b", headers=[("trace", b"1"), (CONTROL_HEADER, b"end")])
    assert unpack(plain + control, 0).controls == {1: b"end"}


def test_the_trace_of_a_record_goes_with_it() -> None:
    raw = b"".join(batch(number, b"a", headers=[("traceparent", b"%d" % number)]) for number in range(4))
    records = unpack(raw + batch(4, b"b", headers=[("traceparent", None)]), 0)
    assert records.traces == {0: b"0", 1: b"1", 2: b"2", 3: b"3", 4: b""}
    assert (records.head(2).traces, records.tail(3).traces) == ({0: b"0", 1: b"1"}, {0: b"3", 1: b""})


def test_only_committed_transactions_are_read() -> None:
    raw = (
        batch(0, b"given up", transaction=True)
        + batch(1, b"between")
        + _marker(2, commit=False)
        + batch(3, b"kept", transaction=True)
        + _marker(4, commit=True)
    )
    records = unpack(raw, 0, [(PRODUCER, 0)])
    assert (records.values, records.offsets, records.next) == ([b"between", b"kept"], [1, 3], 5)


def test_markers_alone_move_the_position() -> None:
    assert unpack(_marker(4, commit=True), 4).next == 5


def test_a_broken_batch_is_never_taken_for_records() -> None:
    raw = bytearray(batch(0, b"abc"))
    raw[-2] ^= 1
    with pytest.raises(CorruptRecordException):
        unpack(bytes(raw), 0)


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_compressed_batches_are_read(codec: int) -> None:
    headers = [(CONTROL_HEADER, b"end")]
    records = unpack(batch(3, b"a" * 500, b"b", codec=codec, headers=headers) + batch(5, b"c"), 3)
    assert (records.offsets, records.values) == ([3, 4, 5], [b"a" * 500, b"b", b"c"])
    assert records.controls == {0: b"end", 1: b"end"}
    assert records.unreadable == {}


def test_snappy_without_the_framing_of_java_is_read() -> None:
    plain = batch(0, b"a" * 500)
    raw = repacked(plain, snappy_encode(plain[61:], xerial_compatible=False), codec=2)
    assert unpack(raw, 0).values == [b"a" * 500]


def _bomb(codec: int, first: int, megabytes: int) -> bytes:
    """One record of zeros, as few bytes as they can be."""
    builder = DefaultRecordBatchBuilder(2, codec, False, -1, 0, 0, 1 << 30)
    builder.append(0, STAMP, None, bytes(megabytes << 20), [])
    return appended(builder.build(), first, STAMP)


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_a_bomb_is_a_dead_letter_and_takes_no_more_memory_than_it_may(codec: int) -> None:
    raw = _bomb(codec, 3, 80) + batch(4, b"d")
    assert len(raw) < 4 << 20
    tracemalloc.start()
    try:
        records = unpack(raw, 3)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (records.offsets, records.values, records.next) == ([3, 4], [None, b"d"], 5)
    assert "16,777,216 bytes" in records.unreadable[0]
    assert peak < 3 * BATCH_BYTES


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_what_nearly_is_a_bomb_is_read_a_batch_at_a_time(codec: int) -> None:
    raw = b"".join(_bomb(codec, first, 9) for first in range(3))
    position, sizes = 0, []
    while position < 3:
        records = unpack(raw, position)
        position = records.next
        sizes.append(sum(len(value or b"") for value in records.values))
    assert sizes == [9 << 20] * 3


def test_a_batch_of_too_many_records_is_one_dead_letter() -> None:
    raw = batch(3, *[None] * (BATCH_RECORDS + 1), codec=1)
    records = unpack(raw + batch(4 + BATCH_RECORDS, b"d"), 3)
    assert records.offsets == [3 + BATCH_RECORDS, 4 + BATCH_RECORDS]
    assert "100,001 records" in records.unreadable[0]
    assert len(unpack(batch(3, *[None] * BATCH_RECORDS, codec=1), 3)) == BATCH_RECORDS


@pytest.mark.parametrize("codec", range(1, 8))
@given(payload=st.binary(max_size=200) | st.sampled_from([b"", b"\x82SNAPPY\0", b"\x82SNAPPY\0" + b"\xff" * 40]))
def test_rubbish_is_one_dead_letter_and_does_not_stop_what_follows(codec: int, payload: bytes) -> None:
    strange = repacked(batch(3, b"a", b"b", b"c"), payload, codec)
    records = unpack(strange + batch(6, b"d"), 4)
    assert (records.offsets, records.values, records.next) == ([5, 6], [None, b"d"], 7)
    assert records.unreadable[0].startswith("is a batch, offsets 3 to 5, that cannot be read: it ")


@given(st.lists(st.tuples(st.integers(61, 200), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_batch_with_changed_bytes_does_not_stop_what_follows(changes: list[tuple[int, int]]) -> None:
    strange = bytearray(batch(3, b"a" * 40, b"b" * 40, headers=[("name", b"v"), ("other", None)]))
    for place, byte in changes:
        strange[min(place, len(strange) - 1)] = byte
    records = unpack(appended(strange, 3, STAMP) + batch(5, b"d"), 3)
    assert (records.values[-1], records.next) == (b"d", 6)


def test_a_header_whose_name_is_not_text_costs_nobody_anything() -> None:
    for codec in (0, *CODECS.values()):
        plain = batch(3, b"a", headers=[("kkkk", b"v"), (CONTROL_HEADER, b"end")])
        body = plain[61:].replace(b"kkkk", b"\xff\xfek\x80")
        strange = repacked(plain, encode(codec, body) if codec else body, codec)
        records = unpack(strange + batch(4, b"d"), 3, keyed=True)
        assert (records.offsets, records.values, records.keys) == ([3, 4], [b"a", b"d"], [None, None])
        assert (records.controls, records.unreadable) == ({0: b"end"}, {})


_FIELD = st.none() | st.binary(max_size=40)


@given(
    rows=st.lists(
        st.tuples(_FIELD, _FIELD, st.lists(st.tuples(st.text(max_size=8), _FIELD), max_size=3)), min_size=1, max_size=5
    ),
    stamps=st.lists(st.integers(0, STAMP), min_size=5, max_size=5),
)
def test_the_patient_reader_reads_what_aiokafka_reads(rows: list[Any], stamps: list[int]) -> None:
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, 0, 0, 1 << 20)
    for index, (key, value, headers) in enumerate(rows):
        builder.append(index, stamps[index], key, value, headers)
    raw = bytes(builder.build())
    found = read_loosely(raw[61:], len(rows), 0, stamps[0])
    assert [dataclasses.astuple(each) for each in found] == [
        (each.offset, each.timestamp, each.key, each.value, each.headers) for each in DefaultRecordBatch(raw)
    ]


@pytest.mark.parametrize("key", [None, b"", b"\0", b"\0\0\0\x09rubbish"])
@pytest.mark.parametrize("codec", [0, 1])
def test_a_marker_that_cannot_be_read_ends_its_transaction_all_the_same(key: bytes | None, codec: int) -> None:
    builder = DefaultRecordBatchBuilder(2, codec, True, PRODUCER, 0, 0, 1 << 20)
    builder.append(0, STAMP, key, b"", [])
    marker = appended(builder.build(), 1, STAMP, attributes=0b100000)
    raw = batch(0, b"given up", transaction=True) + marker + batch(2, b"kept", transaction=True)
    assert unpack(raw, 0, [(PRODUCER, 0)]).values == [b"kept"]


def test_an_empty_marker_is_passed_over() -> None:
    empty = bytearray(_marker(4, commit=True)[:61])
    empty[8:12], empty[57:61] = (49).to_bytes(4, "big"), bytes(4)
    assert unpack(appended(empty, 4, STAMP) + batch(5, b"d"), 4).values == [b"d"]


def test_want_of_memory_is_not_the_senders_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def inflate(codec: int, packed: bytes, limit: int) -> bytes:
        raise MemoryError

    monkeypatch.setattr(batches_io, "inflate", inflate)
    with pytest.raises(MemoryError):
        unpack(batch(3, b"a", codec=1), 3)
