"""Valid events of every type, and helpers that the tests of ingest share."""

from __future__ import annotations

import json
from typing import Any

from services.ingest.reading.records import Records

AT = "2026-11-23T09:30:00.250Z"
AT_MS = 1_795_426_200_250

_OWN: dict[str, dict[str, Any]] = {
    "impression": {"count": 3},
    "click": {"ip": "203.0.113.7", "account_id": "a-1", "link_id": "l-1"},
    "search": {"product_id": "p-1", "count": 2},
    "spend": {"amount": 12.5},
    "engagement": {"kind": "like", "count": 1},
    "content_published": {"content_id": "c-1", "body": "稳健理财", "reviewers": ["wang", "li"]},
    "content_removed": {"content_id": "c-1"},
    "complaint_opened": {"complaint_id": "k-1", "entry": "hotline", "account_id": "a-1", "ip": "203.0.113.7"},
    "complaint_answered": {"complaint_id": "k-1"},
    "complaint_closed": {"complaint_id": "k-1"},
    "conversion": {"stage": "purchase", "amount": 100.0},
    "mention": {"sentiment": "negative", "source": "weibo"},
    "rate": {"series": "lpr_1y", "month": "2026-11", "percent": 3.1},
    "gdp_growth": {"quarter": "2026-Q2", "percent": 4.8},
    "policy_change": {"title": "a notice"},
}
TYPES = tuple(_OWN)


def event(kind: str, /, **changes: Any) -> dict[str, Any]:
    """A valid event of a type, with some fields changed; `...` takes a field out."""
    common = {"event_id": f"e-{kind}", "type": kind, "occurred_at": AT, "channel_id": "douyin"}
    merged = common | _OWN[kind] | changes
    return {name: value for name, value in merged.items() if value is not ...}


def raw(kind: str, /, **changes: Any) -> bytes:
    """The same as a record's value."""
    return json.dumps(event(kind, **changes), ensure_ascii=False).encode()


def records(*values: bytes | None, first: int = 0, stamp: int = AT_MS) -> Records:
    """Records at the offsets from `first` on, all appended at the same time."""
    offsets = list(range(first, first + len(values)))
    return Records(first, first + len(values), offsets, [stamp] * len(values), list(values))
