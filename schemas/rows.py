"""Rows: single events in a frame, where an event is more than a number to add up.

Each begins with its place: `slice` is the index of its slice in the frame, `offset` its offset there, `at_ms` its event
time. Pseudonyms are 16 bytes.
"""

from typing import Literal

import msgspec


class Row(msgspec.Struct, array_like=True, frozen=True):
    """What all rows have."""

    slice: int
    offset: int
    at_ms: int


class ComplaintRow(Row, frozen=True):
    """One `complaint_opened`, for its channel."""

    channel: str
    complaint_id: str
    account: bytes | None
    ip: bytes | None
    one_click: bool
    product: str | None = None


class FloodRow(Row, frozen=True):
    """One `complaint_opened` by one click from an address, for that actor."""

    ip: bytes
    account: bytes | None
    channel: str
    complaint_id: str


class CaseRow(Row, frozen=True):
    """Something that happened to one complaint, for that complaint. An answer may lack the channel."""

    complaint_id: str
    what: Literal["opened", "answered", "closed"]
    channel: str | None
    product: str | None
    high_net_worth: bool
    entry: str | None
    segment: str | None = None


class ContentRow(Row, frozen=True):
    """One content item published on a channel, or removed from it (then it has neither body nor figures).

    reviewers: how many different ones. reviewed: the fingerprint of the body that they saw.
    """

    content_id: str
    channel: str
    published: bool
    product: str | None = None
    body: str = ""
    disclosure_share: float | None = None
    disclosure_font_ratio: float | None = None
    reviewers: int = 0
    reviewed: str | None = None


class MentionRow(Row, frozen=True):
    """One mention of the brand. quote: the beginning of a negative one, without what could name a person."""

    sentiment: Literal["positive", "neutral", "negative"]
    source: str
    product: str | None
    quote: str | None


class ReadingRow(Row, frozen=True):
    """One reading of the market. series: `lpr_1y`, …, `gdp` or `policy`. period: `2026-11` or `2026-Q2`. percent: as
    decimal text. A policy change has a title instead of period and percent."""

    series: str
    period: str | None
    percent: str | None
    title: str | None
    url: str | None
