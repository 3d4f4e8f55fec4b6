"""Each event is judged by itself; what passes is sent on byte by byte."""

import json
from datetime import timedelta
from typing import Any

import pytest

from schemas.dead_letters import Problem
from schemas.events import MAX_RECORD_BYTES
from services.gateway.checking import Refused, check
from services.runtime.machines.machine import Output
from tests.unit.gateway.samples import NOW, click, sender


def refused(raw: bytes, **rights: Any) -> Refused:
    (judged,) = check([raw], sender(**rights), NOW)
    assert isinstance(judged, Refused)
    return judged


def test_the_original_bytes_go_out_under_the_channel() -> None:
    raw = click(unknown_field=1).replace(b", ", b" ,  ")
    assert check([raw], sender(), NOW) == [Output("channel-events", b"douyin", raw)]


@pytest.mark.parametrize(
    ("event", "topic", "key"),
    [
        (
            {"type": "mention", "sentiment": "negative", "source": "weibo", "product_id": "基金"},
            "mention-events",
            "基金",
        ),
        ({"type": "rate", "series": "shibor", "month": "2026-02", "percent": 1.5}, "market-events", "rate"),
        (
            {"type": "complaint_opened", "channel_id": "app", "complaint_id": "c", "entry": "hotline"},
            "complaint-events",
            "app",
        ),
        ({"type": "conversion", "channel_id": "app", "stage": "lead"}, "conversion-events", "app"),
    ],
)
def test_topic_and_key_follow_from_the_event(event: dict[str, object], topic: str, key: str) -> None:
    raw = json.dumps({"event_id": "e", "occurred_at": "2026-03-02T09:29:00Z"} | event, ensure_ascii=False).encode()
    assert check([raw], sender(), NOW) == [Output(topic, key.encode(), raw)]


def test_good_and_bad_keep_their_places() -> None:
    judged = check([click("a"), b"{", click("b"), b"[]"], sender(), NOW, first=500)
    assert [type(one) for one in judged] == [Output, Refused, Output, Refused]
    assert [one.index for one in judged if isinstance(one, Refused)] == [501, 503]


def test_an_event_from_the_future_is_refused() -> None:
    def at(ahead: timedelta) -> bytes:
        return click(occurred_at=(NOW + ahead).isoformat())

    assert isinstance(check([at(timedelta(minutes=5))], sender(), NOW)[0], Output)
    late = refused(at(timedelta(minutes=5, microseconds=1)))
    assert late.errors == [Problem(field="occurred_at", problem="is more than 5 minutes ahead of the gateway's clock")]
    assert not late.forbidden


def test_the_largest_event_passes_and_a_larger_one_does_not() -> None:
    def of(size: int) -> bytes:
        raw = click(padding="")
        return raw.replace(b'"padding": ""', b'"padding": "' + b"x" * (size - len(raw)) + b'"')

    assert len(of(MAX_RECORD_BYTES)) == MAX_RECORD_BYTES
    assert isinstance(check([of(MAX_RECORD_BYTES)], sender(), NOW)[0], Output)
    assert refused(of(MAX_RECORD_BYTES + 1)).errors[0].problem == f"is larger than {MAX_RECORD_BYTES} bytes"


@pytest.mark.parametrize("value", [b"NaN", b"Infinity", b"-Infinity", b"[{}, NaN]"])
def test_numbers_that_json_does_not_have_are_refused_even_where_nobody_looks(value: bytes) -> None:
    raw = click(unknown=0).replace(b'"unknown": 0', b'"unknown": ' + value)
    assert "NaN" in refused(raw).errors[0].problem


def test_the_word_in_a_text_is_no_such_number() -> None:
    assert isinstance(check([click(unknown="NaN and Infinity")], sender(), NOW)[0], Output)


@pytest.mark.parametrize(
    ("rights", "field"),
    [({"channels": ["kuaishou"]}, "channel_id"), ({"types": ["impression", "mention"]}, "type")],
)
def test_a_valid_event_that_is_not_the_senders_is_forbidden(rights: dict[str, Any], field: str) -> None:
    judged = refused(click(), **rights)
    assert judged.forbidden
    assert [error.field for error in judged.errors] == [field]


def test_rights_are_not_asked_of_an_event_that_is_not_valid() -> None:
    assert not refused(click(count=-1), channels=["kuaishou"]).forbidden


def test_an_event_without_a_channel_takes_the_right_to_all() -> None:
    raw = json.dumps(
        {"type": "complaint_answered", "event_id": "e", "occurred_at": "2026-03-02T09:29:00Z", "complaint_id": "c"}
    ).encode()
    assert refused(raw, channels=["douyin"]).forbidden
    assert isinstance(check([raw], sender(channels="*"), NOW)[0], Output)


@pytest.mark.parametrize(
    "raw",
    [b"", b"null", b"[" * 100_000, b'{"type":' * 10_000, b"\xff\xfe", b"\x00", b'{"type": "click", "count": 1e999}'],
)
def test_odd_bytes_are_refused_and_nothing_is_raised(raw: bytes) -> None:
    assert refused(raw).errors
