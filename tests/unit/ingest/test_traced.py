"""Which frames a traced event is in, so that its trace goes on there and nowhere else."""

from schemas.frames import SubjectFrame, source_of
from services.ingest.reading.records import Records
from services.ingest.sources.quarantine import BadLimit
from services.ingest.sources.source import Source
from services.ingest.spans_io import EventSpans
from services.ingest.traced import headers_of
from services.runtime.murmur import partition_of
from services.runtime.tracing.traces import MOST, Context, parse
from tests.support.frames import FrameMaker, Placed
from tests.unit.ingest.samples import event

HERE, THERE = "douyin", "weibo"
"""Channels of different partitions."""
EVENTS: list[Placed] = [
    ("channel-events", 0, 4, event("click", channel_id=HERE, ip="192.0.2.1")),
    ("channel-events", 0, 5, event("click", event_id="another", channel_id=THERE, ip=...)),
    ("channel-events", 0, 6, event("content_published", content_id="c-1")),
    ("channel-events", 1, 5, event("click", channel_id=THERE, ip=...)),
    ("channel-events", 1, 6, event("click", channel_id=THERE, ip=...)),
    ("complaint-events", 0, 4, event("complaint_opened", channel_id=HERE, entry="one_click", ip="192.0.2.1")),
    ("complaint-events", 1, 4, event("complaint_opened", channel_id=THERE, entry="branch")),
    ("conversion-events", 0, 4, event("conversion", channel_id=HERE, stage="purchase", product_id="p-1")),
    ("mention-events", 0, 4, event("mention")),
    ("market-events", 0, 4, event("rate")),
]


def frames() -> list[tuple[str, int, SubjectFrame]]:
    return FrameMaker(partitions=2).poll(EVENTS)


def context(number: int) -> Context:
    return Context(f"{number:032x}", f"{number:016x}")


def where(topic: str, partition: int, offset: int) -> list[tuple[str, int]]:
    """The frames that carry the trace of this event."""
    traced = {source_of(topic, partition): {offset: context(7)}}
    found = [(subject, home, headers_of(frame, traced)) for subject, home, frame in frames()]
    assert {headers for _, _, headers in found} <= {(), (context(7).header(),)}
    return [(subject, home) for subject, home, headers in found if headers]


def test_the_channels_lie_apart() -> None:
    assert partition_of(HERE.encode(), 2) != partition_of(THERE.encode(), 2)


def test_a_trace_goes_on_in_the_frames_that_hold_a_row_of_its_event() -> None:
    here, there = partition_of(HERE.encode(), 2), partition_of(THERE.encode(), 2)
    assert where("channel-events", 0, 5) == [("channel", there)]
    assert where("channel-events", 1, 5) == [("channel", there)]
    assert where("channel-events", 1, 6) == [], "a duplicate"
    assert where("channel-events", 1, 4) == [], "there is no such event"
    assert {subject for subject, _ in where("channel-events", 0, 4)} == {"channel", "actor"}
    assert {subject for subject, _ in where("channel-events", 0, 6)} == {"content"}
    opened = where("complaint-events", 0, 4)
    assert ("channel", here) in opened
    assert {subject for subject, _ in opened} == {"channel", "actor", "complaint"}
    assert {subject for subject, _ in where("conversion-events", 0, 4)} == {"channel", "product"}
    assert {subject for subject, _ in where("mention-events", 0, 4)} == {"brand"}
    assert {subject for subject, _ in where("market-events", 0, 4)} == {"market"}


def test_one_request_is_one_trace_and_there_are_not_too_many() -> None:
    clicks = [("channel-events", 0, number, event("click", event_id=f"{number}", ip=...)) for number in range(60)]
    ((_, _, frame),) = FrameMaker().poll(clicks)
    traced = {source_of("channel-events", 0): {number: context(1 + number // 3) for number in range(60)}}
    assert headers_of(frame, traced) == tuple(context(number).header() for number in range(1, MOST + 1))


def test_off_a_senders_trace_is_of_no_account() -> None:
    source = Source("channel-events", 0, "wall", BadLimit())
    spans = EventSpans()
    spans.begin(source, Records(0, 1, [0], [0], [b"{}"], traces={0: context(1).header()[1]}))
    assert parse(context(1).header()[1]) == context(1)
    assert [spans.headers(frame) for _, _, frame in frames()] == [()] * len(frames())
