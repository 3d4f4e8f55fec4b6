"""Spans of the events that ingest takes in: one for each request that they came with, until its frames are written."""

from schemas.frames import SubjectFrame
from services.ingest.reading.records import Records
from services.ingest.sources.source import Source
from services.ingest.traced import headers_of
from services.runtime.tracing import traces, traces_io
from services.runtime.tracing.traces import Context, Headers
from services.runtime.tracing.traces_io import NOTHING, Span


class EventSpans:
    """Those of the events that are read and whose rows may still wait."""

    def __init__(self) -> None:
        self._open: dict[bytes, Span] = {}
        self._traced: dict[int, dict[int, Context]] = {}

    def begin(self, source: Source, records: Records) -> None:
        """These records are about to be taken; not those that are only read again to be remembered."""
        if not traces_io.on():
            return
        for index, header in records.traces.items():
            offset = records.offsets[index]
            context = self._context(header, source.topic) if offset >= source.next else None
            if context is not None:
                self._traced.setdefault(source.source, {})[offset] = context

    def _context(self, header: bytes, topic: str) -> Context | None:
        if header not in self._open:
            parents = traces.recorded([(traces.HEADER, header)])
            self._open[header] = (
                traces_io.begin("ingest", "consumer", parents, {"topic": topic}) if parents else NOTHING
            )
        return self._open[header].context

    def headers(self, frame: SubjectFrame) -> Headers:
        """What a frame carries, so that the traces of its events go on."""
        return headers_of(frame, self._traced) if self._traced else ()

    def end(self) -> None:
        """What was urgent is acknowledged."""
        for span in self._open.values():
            span.end()
        self._open.clear()

    def forget(self) -> None:
        """No row waits any more."""
        self._traced.clear()
