"""From a body to its events: sizes are bounded before memory is spent, and one bad event does not spoil the others."""

import contextlib
import gzip
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.bodies import JSON, MARKS_PER_EVENT, NDJSON, TooLargeError, UnreadableError, inflate, split

LIMIT = 1000

Json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def unpack(data: bytes, limit: int) -> bytes:
    return b"".join(inflate(data, limit))


@given(st.binary(max_size=5000))
def test_gzip_gives_back_what_went_in(data: bytes) -> None:
    assert unpack(gzip.compress(data), 5000) == data


def test_joined_gzip_files_are_one_body() -> None:
    assert unpack(gzip.compress(b"one,") + gzip.compress(b"two"), 7) == b"one,two"


def test_a_body_of_exactly_the_limit_passes_and_one_byte_more_does_not() -> None:
    packed = gzip.compress(b"x" * 1000)
    assert len(unpack(packed, 1000)) == 1000
    with pytest.raises(TooLargeError, match="more than 999 bytes"):
        unpack(packed, 999)


def test_a_bomb_is_left_packed() -> None:
    bomb, unpacked = gzip.compress(b"\0" * 50_000_000), 0
    with pytest.raises(TooLargeError):
        for piece in inflate(bomb, 1_000_000):
            unpacked += len(piece)
    assert unpacked <= 1_000_000


def test_many_tiny_members_are_refused() -> None:
    with pytest.raises(UnreadableError, match="members"):
        unpack(gzip.compress(b"") * 1000, 1000)


@pytest.mark.parametrize(
    "data", [b"plain", gzip.compress(b"x" * 100, mtime=0)[:-9], gzip.compress(b"x", mtime=0) + b"rest", b"\x1f\x8b"]
)
def test_what_is_no_gzip_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableError):
        unpack(data, 1000)


@given(Json)
def test_one_document_is_one_event(value: object) -> None:
    body = json.dumps({"x": value}).encode()
    assert split(b" \n" + body + b"\t", JSON, LIMIT) == [body]


@given(st.lists(Json, max_size=8))
def test_an_array_is_its_elements(values: list[object]) -> None:
    found = split(json.dumps(values, indent=1).encode(), JSON, LIMIT)
    assert [json.loads(raw) for raw in found] == values


@given(st.lists(Json, max_size=8), st.integers(0, 8))
def test_a_bad_element_leaves_the_others_whole(values: list[object], place: int) -> None:
    parts = [json.dumps(value).encode() for value in values]
    parts.insert(place, b'{"a": "\\ud800", "b": tru}')
    found = split(b"[" + b" , ".join(parts) + b"]", JSON, LIMIT)
    assert found == parts


@given(st.lists(st.fixed_dictionaries({"x": Json}), max_size=8))
def test_lines_are_events_and_empty_ones_do_not_count(values: list[object]) -> None:
    lines = [json.dumps(value).encode() for value in values]
    assert split(b"\n\r\n".join([b"{}", *lines, b" "]), NDJSON, LIMIT) == [b"{}", *lines]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "empty"),
        (b" \n ", "empty"),
        (b'[{"a": 1}', "does not end"),
        (b'["a', "does not end"),
        (b'["\\', "does not end"),
        (b"[1, tru] 2", "after the end"),
        (b"[1] [2]", "after the end"),
    ],
)
def test_a_body_that_cannot_be_taken_apart_is_refused(body: bytes, problem: str) -> None:
    with pytest.raises(UnreadableError, match=problem):
        split(body, JSON, LIMIT)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b"[" + b"1," * LIMIT + b"1]", JSON), (b"[" + b"1," * LIMIT + b"tru]", JSON), (b"{}\n" * (LIMIT + 1), NDJSON)],
)
def test_too_many_events_are_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(TooLargeError, match=f"more than {LIMIT} events"):
        split(body, content_type, LIMIT)


@given(st.binary(max_size=300))
def test_any_bytes_are_split_or_refused(body: bytes) -> None:
    for content_type in (JSON, NDJSON):
        for wrapped in (body, b"[" + body + b"]"):
            try:
                found = split(wrapped, content_type, 20)
            except (TooLargeError, UnreadableError):
                continue
            assert len(found) <= 20


HOSTILE = {
    "brackets": b"[" * 2_000_000,
    "pairs": b"[" + b"{}," * 700_000 + b"tru]",
    "one element": b"[[" + b"{}," * 700_000 + b"tru]]",
    "quotes": b'["' + b'\\"' * 1_000_000,
    "commas": b"[" + b"," * 2_000_000 + b"]",
    "numbers": b"[" + b"1," * 1_000_000 + b"1]",
    "lines": b"\n" * 2_000_000 + b"{",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_hostile_bodies_are_refused_in_bounded_time(body: bytes) -> None:
    began = time.process_time()
    for content_type in (JSON, NDJSON):
        with contextlib.suppress(TooLargeError, UnreadableError):
            assert len(split(body, content_type, 100)) <= 100
    # Quadratic work on these two megabytes would take hours; this leaves room for a slow machine.
    assert time.process_time() - began < 5


def test_text_with_many_commas_is_no_reason_to_refuse() -> None:
    event = json.dumps({"text": "," * 50 * MARKS_PER_EVENT}).encode()
    assert split(b"[" + event + b"," + event + b"]", JSON, 10) == [event, event]
