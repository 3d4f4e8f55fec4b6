"""A log of frames and marks, written by hand: what ingest would have sent, without ingest or a broker."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any

import msgspec
import numpy as np

from schemas.alerts import AlertFact
from schemas.base import to_ms
from schemas.commands import Command
from schemas.frames import (
    FEED_OF_MEASURE,
    FORMAT,
    MEASURES,
    RAW_TOPIC_ORDER,
    ActorFrame,
    AnyFrame,
    BrandFrame,
    ChannelFrame,
    ComplaintFrame,
    ContentFrame,
    Mark,
    MarketFrame,
    Read,
    RowFrame,
    Slice,
    encode,
    source_of,
)
from schemas.policy import Policy
from schemas.rows import ComplaintRow, Row
from services.runtime.machines.machine import Output, Record

TEN = to_ms(datetime.fromisoformat("2026-11-23T10:00:00+08:00"))
"""Ten in the morning of a Monday in Shanghai."""
CHANNEL = source_of("channel-events", 0)
COMPLAINT = source_of("complaint-events", 0)
CONVERSION = source_of("conversion-events", 0)
MENTION = source_of("mention-events", 0)
MARKET = source_of("market-events", 0)
ROSTER = (CHANNEL, COMPLAINT, CONVERSION, MENTION, MARKET)


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """One event as ingest knows it. `what` is `complaints` or one of MEASURES."""

    source: int
    offset: int
    at_ms: int
    what: str
    channel: str = "douyin"
    count: int = 1
    account: str | None = None
    ip: str | None = None
    link: str | None = None
    one_click: bool = False
    complaint_id: str = ""


def pseudonym(value: str) -> bytes:
    """16 bytes for an address or account."""
    return blake2b(value.encode(), digest_size=16).digest()


def actor(ip: str) -> str:
    """The subject of an address."""
    return f"actor:{pseudonym(ip).hex()}"


def source_for(what: str) -> int:
    """The source that such events come from."""
    return COMPLAINT if what == "complaints" else source_of(RAW_TOPIC_ORDER[FEED_OF_MEASURE[MEASURES.index(what)]], 0)


def _slices(events: Sequence[Event]) -> list[tuple[int, list[Event]]]:
    by_source: dict[int, list[Event]] = {}
    for event in events:
        by_source.setdefault(event.source, []).append(event)
    return [(source, sorted(found, key=lambda event: event.offset)) for source, found in by_source.items()]


def channel_frame(events: Sequence[Event]) -> ChannelFrame:
    """The frame of some events, in order of offsets."""
    slices, rows, complaints = [], [], []
    for number, (source, found) in enumerate(_slices(events)):
        numeric = [event for event in found if event.what != "complaints"]
        slices.append(Slice(source, found[0].offset, found[-1].offset + 1, len(numeric)))
        rows += numeric
        complaints += [_complaint(number, event) for event in found if event.what == "complaints"]
    names = list(dict.fromkeys(event.channel for event in rows))
    return ChannelFrame(
        FORMAT,
        slices,
        names,
        _column("<i8", [event.offset for event in rows]),
        _column("<i8", [event.at_ms for event in rows]),
        _column("<i4", [names.index(event.channel) for event in rows]),
        _column("u1", [MEASURES.index(event.what) for event in rows]),
        _column("<i8", [event.count for event in rows]),
        complaints,
    )


def _complaint(number: int, event: Event) -> ComplaintRow:
    return ComplaintRow(
        number,
        event.offset,
        event.at_ms,
        event.channel,
        event.complaint_id or f"complaint-{event.source}-{event.offset}",
        pseudonym(event.account) if event.account else None,
        pseudonym(event.ip) if event.ip else None,
        event.one_click,
    )


def actor_frame(events: Sequence[Event]) -> ActorFrame:
    """The frame of some clicks, in order of offsets."""
    grouped = _slices(events)
    rows = [event for _, found in grouped for event in found]
    slices = [Slice(source, found[0].offset, found[-1].offset + 1, len(found)) for source, found in grouped]
    actors = list(dict.fromkeys(event.ip or "" for event in rows))
    accounts = list(dict.fromkeys(event.account for event in rows if event.account))
    names = list(dict.fromkeys(name for event in rows for name in (event.channel, event.link) if name))
    return ActorFrame(
        FORMAT,
        slices,
        b"".join(map(pseudonym, actors)),
        b"".join(map(pseudonym, accounts)),
        names,
        _column("<i8", [event.offset for event in rows]),
        _column("<i8", [event.at_ms for event in rows]),
        _column("<i4", [actors.index(event.ip or "") for event in rows]),
        _column("<i4", [accounts.index(event.account) if event.account else -1 for event in rows]),
        _column("<i4", [names.index(event.channel) for event in rows]),
        _column("<i4", [names.index(event.link) if event.link else -1 for event in rows]),
        _column("<i8", [event.count for event in rows]),
        [],
    )


ROW_FRAMES: dict[str, type[RowFrame]] = {
    "complaint": ComplaintFrame,
    "content": ContentFrame,
    "brand": BrandFrame,
    "market": MarketFrame,
}


def row_frame(subject: str, rows: Sequence[tuple[int, Row]]) -> RowFrame:
    """The frame of some `(source, row)`, in order of offsets; what the rows say of slices is not read."""
    by_source: dict[int, list[Row]] = {}
    for source, row in rows:
        by_source.setdefault(source, []).append(row)
    slices, placed = [], []
    for number, (source, found) in enumerate(by_source.items()):
        found.sort(key=lambda row: row.offset)
        slices.append(Slice(source, found[0].offset, found[-1].offset + 1, 0))
        placed += [msgspec.structs.replace(row, slice=number) for row in found]
    return ROW_FRAMES[subject](FORMAT, slices, placed)  # type: ignore[arg-type]


def _column(kind: str, values: list[int]) -> bytes:
    return np.array(values, kind).tobytes()


def mark(
    time_ms: int, *, policy: Policy | None = None, roster: Iterable[int] = ROSTER, read: dict[int, int] | None = None
) -> Mark:
    """A mark by which every source (or those in `read`) has been read up to a time."""
    document = policy.model_dump_json().encode() if policy else None
    reads = dict.fromkeys(roster, time_ms) if read is None else read
    return Mark(
        FORMAT,
        time_ms,
        "wall",
        list(roster),
        [Read(source, 0, time) for source, time in reads.items()],
        policy.label if policy else "default/1",
        document,
    )


def policy(version: int = 1, **indicators: Any) -> Policy:
    """A policy that says something of some indicators; the rest has its defaults."""
    return Policy.model_validate({"version": version, "indicators": indicators})


@dataclass
class Log:
    """Records of one partition, offsets without gaps. A record's append time is a function of its offset."""

    subject: str
    records: list[Record] = field(default_factory=list)

    def put(self, message: AnyFrame) -> Record:
        """Appends a frame or mark."""
        return self.put_raw(encode(message))

    def put_raw(self, value: bytes) -> Record:
        """Appends a message."""
        offset = len(self.records)
        self.records.append(Record(offset, TEN + 2_000_000_000 + offset, None, value))
        return self.records[-1]

    def frame(self, events: Sequence[Event]) -> Record:
        """Appends a frame of these events."""
        return self.put(channel_frame(events) if self.subject == "channel" else actor_frame(events))


def facts(outputs: Iterable[Output]) -> list[AlertFact]:
    """The alert facts among some outputs."""
    return [AlertFact.model_validate_json(each.value or b"") for each in outputs if each.topic == "alerts"]


def commands(outputs: Iterable[Output]) -> list[Command]:
    """The orders among some outputs."""
    return [each for each in _all_commands(outputs) if each.is_from_indicator()]


def easings(outputs: Iterable[Output]) -> list[Command]:
    """The words among some outputs that the episode of a hold is over."""
    return [each for each in _all_commands(outputs) if each.command == "eased"]


def _all_commands(outputs: Iterable[Output]) -> list[Command]:
    return [Command.model_validate_json(each.value or b"") for each in outputs if each.topic == "channel-commands"]


def plain(output: Output) -> Any:
    """An output as plain data, to be read in a failed assertion."""
    return output.topic, msgspec.json.decode(output.value or b"")
