"""What the harness does with the traces of a log: they go on in the outputs, and nothing else is changed by them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from schemas.topics import ALERTS, READINGS
from services.runtime.machines.machine import Output, Record
from services.runtime.settings import CommonSettings
from services.runtime.tracing import traces_io
from services.runtime.tracing.record_spans_io import RecordSpans
from services.runtime.tracing.traces import Context, Headers, recorded
from tests.support.collector import Collector, collector
from tests.support.waiting import eventually

FIRST, SECOND = (Context(f"{number:032x}", f"{number:016x}") for number in (1, 2))
RECORD = Record(7, 0, b"channel:douyin", b"{}")
TOLD, READ = Output(ALERTS, b"an-alert", b"{}", 1), Output(READINGS, b"w", b"{}")
CONSUMER = 5


@pytest.fixture
def to(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """Tracing is on, but no request is traced by chance."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
    monkeypatch.setattr(traces_io._State, "spans", None)
    monkeypatch.setattr(traces_io._State, "ratio", 0.0)
    with collector() as found:
        traces_io.configure("channel_control", CommonSettings(traces_endpoint=found.url))
        yield found
        traces_io._State.last.clear()


def noted(spans: RecordSpans, outputs: Sequence[Output], headers: Headers = ()) -> Sequence[Output]:
    since_ns = spans.since()
    assert since_ns is not None
    found = spans.note(3, RECORD, headers, outputs, since_ns)
    assert [replace(each, headers=()) for each in found] == [*outputs], "but for the headers all is as it was"
    return found


async def test_a_trace_goes_on_in_the_outputs_and_ends_when_they_are_acknowledged(to: Collector) -> None:
    spans = RecordSpans("channel-commands")
    told, read = noted(spans, [TOLD, READ], (FIRST.header(), SECOND.header()))
    (carried,) = recorded(told.headers)
    assert (carried.trace_id, told.headers) == (FIRST.trace_id, read.headers)
    assert traces_io.last(RECORD.key or b"") == carried
    assert to.spans() == []
    assert spans.exemplar(3, RECORD) == {"trace_id": FIRST.trace_id}
    spans.end()
    assert spans.exemplar(3, RECORD) is None
    await eventually(lambda: bool(to.spans()), "the span")
    (seen,) = to.spans()
    assert (seen.name, seen.kind) == ("process channel-commands", CONSUMER)
    assert (seen.span, seen.parent, seen.links) == (carried.span_id, FIRST.span_id, [SECOND.span_id])
    assert seen.attributes == {"tidegate.partition": 3, "tidegate.offset": 7, "tidegate.alert_ids": ["an-alert"]}


async def test_what_acts_begins_a_trace_and_what_only_tells_figures_does_not(to: Collector) -> None:
    spans = RecordSpans("frames.channel")
    assert noted(spans, [READ]) == [READ]
    assert noted(spans, []) == []
    told, read = noted(spans, [TOLD, READ])
    assert told.headers == read.headers != ()


def test_off_there_is_nothing_to_note() -> None:
    assert RecordSpans("frames.channel").since() is None
