"""Every dead letter is counted under one of few words."""

import json

import pytest

from schemas.topics import CHANNEL_EVENTS, COMPLAINT_EVENTS
from services.ingest.reading.reasons import reason_of
from services.ingest.reading.validation import AHEAD, judge

CLICK = {
    "v": 1,
    "type": "click",
    "event_id": "01J0000000000000000000000A",
    "occurred_at": "2026-01-01T00:00:00Z",
    "channel_id": "douyin",
    "ip": "203.0.113.7",
}


def told(topic: str = CHANNEL_EVENTS, **fields: object) -> str:
    problems = judge(topic, json.dumps({k: v for k, v in (CLICK | fields).items() if v is not None}).encode())
    assert isinstance(problems, list)
    return reason_of(problems)


def test_what_is_wrong_with_an_event() -> None:
    assert not isinstance(judge(CHANNEL_EVENTS, json.dumps(CLICK).encode()), list)
    assert told(channel_id=None) == "missing_field"
    assert told(type=None) == "missing_field"
    assert told(type="clack") == "unknown_word"
    assert told(occurred_at="yesterday") == "bad_value"
    assert told(topic=COMPLAINT_EVENTS) == "wrong_topic"
    assert reason_of([AHEAD]) == "ahead_of_time"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "no_json"),
        (b"{", "no_json"),
        (b"[]", "no_json"),
        (b'{"a":' * 5000, "no_json"),
        (b" " * 5_000_000, "too_large"),
    ],
)
def test_what_is_no_event_at_all(value: bytes | None, reason: str) -> None:
    problems = judge(CHANNEL_EVENTS, value)
    assert isinstance(problems, list)
    assert reason_of(problems) == reason
