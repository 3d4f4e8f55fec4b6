"""What the gateway accepts is no dead letter afterwards: ingest judges the same bytes by the same models."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import TOPIC_OF
from services.gateway.checking import check
from services.ingest.reading.validation import judge
from services.runtime.machines.machine import Output
from tests.unit.gateway.samples import NOW, sender

SOUND: dict[str, Any] = {
    "event_id": "e",
    "occurred_at": "2026-03-02T09:29:00Z",
    "channel_id": "c",
    "product_id": "p",
    "count": 1,
    "amount": 1.5,
    "percent": 1.5,
    "kind": "like",
    "content_id": "x",
    "body": "b",
    "reviewers": ["r"],
    "complaint_id": "k",
    "entry": "hotline",
    "stage": "lead",
    "sentiment": "neutral",
    "source": "s",
    "series": "shibor",
    "month": "2026-02",
    "quarter": "2026-Q1",
    "title": "t",
}
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["\x00", "\ud800", "", "x" * 201, "2026-02-30T00:00:00Z", "0001-01-01T00:00:00+23:59"]),
    st.lists(st.floats(), max_size=2),
)
Events = st.builds(
    lambda kind, odd: SOUND | {"type": kind} | odd,
    st.sampled_from(sorted(TOPIC_OF)),
    st.dictionaries(st.sampled_from([*SOUND, "type", "unknown"]), ODD, max_size=2),
)


@settings(max_examples=400)
@given(Events, st.booleans(), st.integers(0, 400), st.sampled_from([b"", b"\\", b'"', b"NaN", b"\xff", b"e9", b" "]))
def test_ingest_takes_what_the_gateway_takes(event: dict[str, Any], ascii_only: bool, place: int, extra: bytes) -> None:
    raw = json.dumps(event, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    raw = raw[:place] + extra + raw[place:]
    (judged,) = check([raw], sender(), NOW)
    if isinstance(judged, Output):
        assert judged.value == raw
        assert not isinstance(judge(judged.topic, raw), list)


def test_every_type_is_taken_by_both() -> None:
    for kind, topic in TOPIC_OF.items():
        raw = json.dumps(SOUND | {"type": kind}).encode()
        assert check([raw], sender(), NOW) == [Output(topic, b"c", raw)]
        assert not isinstance(judge(topic, raw), list)
