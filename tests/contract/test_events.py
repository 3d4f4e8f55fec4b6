"""The events' contract as ingest holds senders to it: every type is accepted, every breach refused with its field."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.dead_letters import Problem
from schemas.events import EVENTS, MAX_RECORD_BYTES, TOPIC_OF
from services.ingest.reading.judging import Judge
from services.ingest.reading.records import Records

AT = "2026-11-23T09:30:00Z"
AT_MS = 1_795_426_200_000
FIVE_MINUTES_MS = 300_000

REQUIRED: dict[str, dict[str, Any]] = {
    "impression": {"channel_id": "douyin", "count": 3},
    "click": {"channel_id": "douyin"},
    "search": {"channel_id": "douyin", "product_id": "p-1", "count": 2},
    "spend": {"channel_id": "douyin", "amount": 12.5},
    "engagement": {"channel_id": "douyin", "kind": "like", "count": 1},
    "content_published": {"channel_id": "douyin", "content_id": "c-1", "body": "稳健", "reviewers": ["wang", "li"]},
    "content_removed": {"channel_id": "douyin", "content_id": "c-1"},
    "complaint_opened": {"channel_id": "douyin", "complaint_id": "k-1", "entry": "hotline"},
    "complaint_answered": {"complaint_id": "k-1"},
    "complaint_closed": {"complaint_id": "k-1"},
    "conversion": {"channel_id": "douyin", "stage": "purchase"},
    "mention": {"sentiment": "negative", "source": "weibo"},
    "rate": {"series": "lpr_1y", "month": "2026-11", "percent": 3.1},
    "gdp_growth": {"quarter": "2026-Q2", "percent": -4.8},
    "policy_change": {"title": "a notice"},
}
"""What an event of each type must have, besides `event_id`, `type` and `occurred_at`."""

OPTIONAL: dict[str, dict[str, Any]] = {
    "click": {"ip": "203.0.113.7", "account_id": "a-1", "link_id": "l-1", "count": 2},
    "content_published": {
        "disclosure_share": 0.2,
        "disclosure_font_ratio": 1.5,
        "reviewed_fingerprint": "0123456789abcdef" * 4,
    },
    "complaint_opened": {"account_id": "a-1", "ip": "203.0.113.7", "text": "不满意\n请回电", "contact": "a@b.cn"},
    "conversion": {"account_id": "a-1", "amount": 100},
    "mention": {"text": "…", "url": "https://example.org/1"},
    "policy_change": {"url": "https://example.org/2"},
}
COMMON_OPTIONAL = {"channel_id": "douyin", "product_id": "p-1", "segment": "high_net_worth"}
TYPES = sorted(REQUIRED)


def _event(kind: str, /, **changes: Any) -> dict[str, Any]:
    """A minimal valid event with changes; `...` takes a field out."""
    whole = {"event_id": "e-1", "type": kind, "occurred_at": AT} | REQUIRED[kind] | changes
    return {name: value for name, value in whole.items() if value is not ...}


def _judge(value: bytes | None, topic: str, received_ms: int = AT_MS) -> list[Problem]:
    """What is wrong with a record that is received at a time; nothing if it is accepted."""
    judged = Judge(topic, "wall").judge(Records(0, 1, [0], [received_ms], [value]))
    assert len(judged.events) + len(judged.bad) == 1
    return judged.bad.get(0, [])


def _fields(event: Any, topic: str | None = None) -> list[str]:
    """The fields that are refused, whether the text is plain or escaped; the problems are told but quote nothing."""
    home = topic or TOPIC_OF[event["type"]]
    spellings = [json.dumps(event, ensure_ascii=ascii_only).encode() for ascii_only in (True, False)]
    found = [_judge(spelling, home) for spelling in spellings]
    assert found[0] == found[1]
    assert all(problem.problem for problem in found[0])
    return sorted(problem.field for problem in found[0])


def test_this_page_knows_every_type() -> None:
    assert set(TYPES) == set(TOPIC_OF)


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_is_accepted_with_what_it_must_have_and_with_all_that_it_may(kind: str) -> None:
    assert _fields(_event(kind)) == []
    assert _fields(_event(kind, **{**COMMON_OPTIONAL, **OPTIONAL.get(kind, {})})) == []


@pytest.mark.parametrize("kind", TYPES)
def test_null_is_the_same_as_absent_where_absent_is_allowed(kind: str) -> None:
    allowed = (set(COMMON_OPTIONAL) | set(OPTIONAL.get(kind, {}))) - set(REQUIRED[kind])
    assert _fields(_event(kind, **dict.fromkeys(allowed))) == []


@pytest.mark.parametrize(
    ("kind", "field"), [(kind, field) for kind in TYPES for field in ["event_id", "occurred_at", *REQUIRED[kind]]]
)
def test_what_must_be_there_may_be_neither_missing_nor_null(kind: str, field: str) -> None:
    assert _fields(_event(kind, **{field: ...})) == [field]
    assert _fields(_event(kind, **{field: None})) == [field]


@pytest.mark.parametrize("kind", TYPES)
def test_a_type_belongs_on_its_own_topic(kind: str) -> None:
    for topic in EVENTS:
        assert _fields(_event(kind), topic) == ([] if topic == TOPIC_OF[kind] else ["type"])


@pytest.mark.parametrize("value", ["unheard_of", "", "Click", 5, None, ...])
def test_an_unknown_or_missing_type_is_refused(value: Any) -> None:
    for topic in EVENTS:
        assert _fields(_event("click", type=value), topic) == ["type"]


def test_unknown_fields_are_no_problem() -> None:
    assert _fields(_event("click", more={"deep": [1, {"er": None}]}, v=1)) == []


_COUNTED = [kind for kind in TYPES if "count" in REQUIRED[kind] | OPTIONAL.get(kind, {})]


@pytest.mark.parametrize("kind", _COUNTED)
@pytest.mark.parametrize("value", ["5", 5.0, 1e3, True, -1, 10**13, [], {}, float("nan"), float("inf")])
def test_what_is_no_count(kind: str, value: Any) -> None:
    assert _fields(_event(kind, count=value)) == ["count"]


@pytest.mark.parametrize("kind", _COUNTED)
@pytest.mark.parametrize("value", [0, 1, 10**12])
def test_what_is_a_count(kind: str, value: int) -> None:
    assert _fields(_event(kind, count=value)) == []


@pytest.mark.parametrize("kind", ["spend", "conversion"])
@pytest.mark.parametrize("value", ["5", True, -0.01, 1e13, [], float("nan"), float("inf"), -float("inf")])
def test_what_is_no_amount(kind: str, value: Any) -> None:
    assert _fields(_event(kind, amount=value)) == ["amount"]


@pytest.mark.parametrize("kind", ["spend", "conversion"])
@pytest.mark.parametrize("value", [0, 5, 0.01, 1e12])
def test_what_is_an_amount(kind: str, value: float) -> None:
    assert _fields(_event(kind, amount=value)) == []


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("rate", "percent", "3.1"),
        ("rate", "percent", float("nan")),
        ("rate", "percent", 1001),
        ("gdp_growth", "percent", False),
        ("content_published", "disclosure_share", 1.01),
        ("content_published", "disclosure_share", -0.01),
        ("content_published", "disclosure_font_ratio", "1.5"),
        ("content_published", "reviewed_fingerprint", "0" * 32),
        ("content_published", "reviewed_fingerprint", "A" * 64),
        ("content_published", "reviewed_fingerprint", "0" * 64 + "\n"),
    ],
)
def test_other_figures_are_as_strict(kind: str, field: str, value: Any) -> None:
    assert _fields(_event(kind, **{field: value})) == [field]


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-23T09:30:00",
        "2026-11-23",
        "2026-11-23T09:30Z",
        "09:30:00Z",
        "23 Nov 2026 09:30:00 +0000",
        "2026-11-23T09:30:00+0800",
        "2026-11-23T09:30:00,5Z",
        "2026-02-30T09:30:00Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T09:30:60Z",
        " 2026-11-23T09:30:00Z",
        "",
        "1795426200",
        1795426200,
        1795426200.5,
        True,
        ["2026-11-23T09:30:00Z"],
    ],
)
def test_what_is_no_time(value: Any) -> None:
    assert _fields(_event("click", occurred_at=value)) == ["occurred_at"]


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-23T09:30:00Z",
        "2026-11-23t09:30:00z",
        "2026-11-23 09:30:00+00:00",
        "2026-11-23T17:30:00.123456789+08:00",
        "2026-11-23T01:00:00.5-08:30",
        "1970-01-01T00:00:00Z",
    ],
)
def test_what_is_a_time(value: str) -> None:
    assert _fields(_event("click", occurred_at=value)) == []


def test_more_than_five_minutes_ahead_of_the_append_time_is_refused() -> None:
    value = json.dumps(_event("click")).encode()
    assert _judge(value, "channel-events", received_ms=AT_MS - FIVE_MINUTES_MS) == []
    (problem,) = _judge(value, "channel-events", received_ms=AT_MS - FIVE_MINUTES_MS - 1)
    assert problem.field == "occurred_at"
    assert "five minutes" in problem.problem
    assert _judge(value, "channel-events", received_ms=AT_MS + 10**12) == [], "late is no reason"


_NAMES = ["event_id", "channel_id", "product_id", "ip", "account_id", "link_id"]


@pytest.mark.parametrize("field", _NAMES)
@pytest.mark.parametrize("value", ["", "x" * 201, "a\x00b", "a\nb", "a\x7f", 5, True, ["x"]])
def test_what_is_no_name(field: str, value: Any) -> None:
    assert _fields(_event("click", **{field: value})) == [field]


@pytest.mark.parametrize("field", _NAMES)
@pytest.mark.parametrize("value", ["x", "x" * 200, "抖音", "抖" * 200, "a b", "a\u2028b", "😀"])
def test_what_is_a_name(field: str, value: str) -> None:
    assert _fields(_event("click", **{field: value})) == []


@pytest.mark.parametrize(
    ("kind", "field"), [("content_published", "body"), ("complaint_opened", "text"), ("mention", "text")]
)
def test_texts_are_up_to_20_000_characters(kind: str, field: str) -> None:
    assert _fields(_event(kind, **{field: "字" * 20_000})) == []
    assert _fields(_event(kind, **{field: "字" * 20_001})) == [field]
    assert _fields(_event(kind, **{field: "a\x00b"})) == [field]


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("click", "segment", "old"),
        ("conversion", "stage", "refund"),
        ("complaint_opened", "entry", "fax"),
        ("mention", "sentiment", "bad"),
        ("rate", "month", "2026-13"),
        ("rate", "month", "2026-1"),
        ("rate", "month", "2026-11\n"),
        ("gdp_growth", "quarter", "2026-Q5"),
        ("gdp_growth", "quarter", "2026-2"),
        ("policy_change", "title", ""),
    ],
)
def test_words_and_periods_outside_of_their_lists_are_refused(kind: str, field: str, value: str) -> None:
    assert _fields(_event(kind, **{field: value})) == [field]


def test_each_wrong_reviewer_is_named() -> None:
    assert _fields(_event("content_published", reviewers=["wang", 5, ""])) == ["reviewers.1", "reviewers.2"]
    assert _fields(_event("content_published", reviewers="wang")) == ["reviewers"]


def test_every_wrong_field_is_named_at_once() -> None:
    wrong = _event("click", event_id=..., occurred_at="yesterday", channel_id=5, count=-1)
    assert _fields(wrong) == ["channel_id", "count", "event_id", "occurred_at"]


_OPEN = json.dumps(_event("click")).encode()[:-1]


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b" ",
        b"\x00",
        b"null",
        b"5",
        b'"click"',
        b"[]",
        b"[{}]",
        b"{",
        b"{}}",
        b"\xff\xfe{}",
        b"\xef\xbb\xbf" + _OPEN + b"}",
        _OPEN + b',"more":NaN}',
        _OPEN + b',"more":\xff}',
        _OPEN + b',"more":"\xed\xa0\x80"}',
        _OPEN + b',"more":"\\ud800"}',
        _OPEN + b',"more":"\\x00"}',
        _OPEN + b',"more":"a\x00b"}',
        _OPEN + b',"more":' + b"[" * 1_000 + b"]" * 1_000 + b"}",
        _OPEN + b',"more":' + b'{"a":' * 30_000 + b"1" + b"}" * 30_000 + b"}",
        _OPEN + b"}\n" + _OPEN + b"}",
        _OPEN + b',"more":"' + b"x" * MAX_RECORD_BYTES + b'"}',
        b"x" * 2 * 1024 * 1024,
    ],
    ids=range(24),
)
def test_what_is_no_json_object_or_too_large_or_too_deep_has_an_empty_field(value: bytes | None) -> None:
    assert [problem.field for problem in _judge(value, "channel-events")] == [""]


def test_a_record_of_256_kilobytes_is_accepted() -> None:
    room = MAX_RECORD_BYTES - len(_OPEN) - len(b',"more":""}')
    value = _OPEN + b',"more":"' + b"x" * room + b'"}'
    assert len(value) == MAX_RECORD_BYTES
    assert _judge(value, "channel-events") == []
