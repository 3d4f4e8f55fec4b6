import json
from typing import Any

import pytest

from schemas.dead_letters import Problem
from schemas.events import TOPIC_OF
from services.ingest.reading.judging import Judge
from services.ingest.reading.records import Records
from services.ingest.reading.structs import Event
from services.ingest.reading.validation import MAX_AHEAD_MS, judge
from tests.unit.ingest.samples import AT_MS, TYPES, raw, records

_HEAD = raw("click", ip=...)[:-1]


def _problems(value: bytes | None, topic: str = "channel-events") -> list[tuple[str, str]]:
    found = judge(topic, value)
    assert isinstance(found, list), "accepted"
    assert all(isinstance(each, Problem) for each in found)
    return [(each.field, each.problem) for each in found]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "not a JSON object"),
        (b"", "not valid JSON"),
        (b"\x00\x00", "not valid JSON"),
        (b"[]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (b"{", "not valid JSON"),
        (b'\xef\xbb\xbf{"type":"click"}', "not valid JSON"),
        (_HEAD + b',"ip":"\\ud800"}', "not valid JSON"),
        (_HEAD + b',"ip":"\xed\xa0\x80"}', "not valid JSON"),
        (_HEAD + b',"ip":"a\x00b"}', "not valid JSON"),
        (_HEAD + b',"unknown":' + b"[" * 50_000 + b"]" * 50_000 + b"}", "recursion"),
        (_HEAD + b',"unknown":NaN}', "NaN"),
        (_HEAD + b',"unknown":-Infinity}', "NaN"),
        (_HEAD + b',"text":"' + b"x" * 300_000 + b'"}', "larger than 262144 bytes"),
        (b"x" * 2 * 1024 * 1024, "larger than 262144 bytes"),
    ],
)
def test_what_is_wrong_with_the_whole_has_no_field(value: bytes | None, problem: str) -> None:
    ((field, text),) = _problems(value)
    assert field == ""
    assert problem in text


def test_a_type_on_a_topic_that_is_not_its_own_is_refused() -> None:
    assert _problems(raw("mention")) == [("type", "mention belongs on the topic mention-events")]


def test_a_problem_never_quotes_the_value() -> None:
    secret = "203.0.113.99"
    for changes in (
        {"ip": [secret]},
        {"count": secret},
        {"type": secret},
        {"segment": secret},
        {"occurred_at": secret},
    ):
        assert secret not in str(_problems(raw("click", **changes)))


def test_every_wrong_field_is_named() -> None:
    found = dict(_problems(raw("click", ip=5, count="5", occurred_at="2026-11-23")))
    assert set(found) == {"ip", "count", "occurred_at"}


@pytest.mark.parametrize("kind", TYPES)
def test_records_that_are_not_plain_are_accepted_all_the_same(kind: str) -> None:
    long = raw(kind, unknown="x" * 5_000, unknown2={"NaN": [1, {}]})
    found = judge(TOPIC_OF[kind], long)
    assert isinstance(found, Event)


def _judged(*values: bytes | None, stamp: int = AT_MS, **parts: Any) -> tuple[list[str], dict[int, list[Problem]]]:
    wanted = records(*values, stamp=stamp)
    wanted = Records(wanted.first, wanted.next, wanted.offsets, wanted.stamps, wanted.values, **parts)
    judged = Judge("channel-events", "wall").judge(wanted)
    assert len(judged.events) == len(judged.offsets) == len(judged.stamps) == len(judged.times)
    return [event.event_id for event in judged.events], judged.bad


def test_an_event_may_be_five_minutes_ahead_of_its_record_and_no_more() -> None:
    good = [raw("click", event_id=str(number)) for number in range(3)]
    assert _judged(*good, stamp=AT_MS - MAX_AHEAD_MS) == (["0", "1", "2"], {})
    events, bad = _judged(*good, stamp=AT_MS - MAX_AHEAD_MS - 1)
    assert events == []
    assert [[problem.field for problem in each] for each in bad.values()] == [["occurred_at"]] * 3


def test_a_bad_record_does_not_touch_its_neighbours() -> None:
    strange: list[bytes | None] = [
        None,
        b"",
        b"x" * 2 * 1024 * 1024,
        b"\x00" * 10,
        _HEAD + b',"count":NaN}',
        _HEAD + b',"unknown":' + b"[" * 50_000,
        _HEAD + b',"ip":"\\ud800"}',
        raw("click", occurred_at="2026-02-30T00:00:00Z"),
    ]
    values: list[bytes | None] = []
    for number, value in enumerate(strange):
        values += [raw("click", event_id=f"good-{number}"), value]
    values.append(raw("click", event_id="last"))
    events, bad = _judged(*values)
    assert events == [*(f"good-{number}" for number in range(len(strange))), "last"]
    assert list(bad) == list(range(1, 2 * len(strange), 2))
    assert bad[9][0].field == "count"
    assert bad[15][0].field == "occurred_at"


def test_a_batch_that_could_not_be_read_is_told_of_record_by_record() -> None:
    events, bad = _judged(raw("click"), None, None, unreadable={1: "cannot be read: x", 2: "cannot be read: x"})
    assert len(events) == 1
    assert bad == {index: [Problem(field="", problem="cannot be read: x")] for index in (1, 2)}


def test_a_control_record_has_no_meaning_on_the_wall_clock() -> None:
    events, bad = _judged(raw("click"), b"", controls={1: b"end"})
    assert len(events) == 1
    assert "control record" in bad[1][0].problem


@pytest.mark.parametrize(
    ("word", "value", "expected"),
    [
        (b"time", b"2026-11-23T09:30:00.250Z", [AT_MS]),
        (b"end", None, [None]),
        (b"end", b"whatever", [None]),
        (b"time", b"soon", "no RFC 3339 time"),
        (b"time", None, "no RFC 3339 time"),
        (b"time", b"\xff", "no RFC 3339 time"),
        (b"pause", b"", "neither time nor end"),
    ],
)
def test_control_records_of_a_replay(word: bytes, value: bytes | None, expected: Any) -> None:
    wanted = records(value)
    wanted.controls[0] = word
    judged = Judge("channel-events", "events").judge(wanted)
    if isinstance(expected, list):
        assert (judged.controls, judged.bad) == (expected, {})
    else:
        assert judged.controls == []
        assert expected in judged.bad[0][0].problem


def test_all_at_once_and_one_by_one_are_the_same() -> None:
    values = [raw("click", event_id=str(number), count=number) for number in range(5)]
    judge_ = Judge("channel-events", "wall")
    together = judge_.judge(records(*values))
    apart = judge_.judge(records(*values, json.dumps({}).encode()))
    assert list(apart.bad) == [5]
    assert (together.events, together.offsets, together.stamps, together.times) == (
        apart.events,
        apart.offsets,
        apart.stamps,
        apart.times,
    )
