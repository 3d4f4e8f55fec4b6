"""Spans of the records of a log: each from its apply until the outputs of its group are acknowledged."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from schemas.topics import ALERTS, CHANNEL_COMMANDS, CHANNEL_STATE
from services.runtime.machines.machine import Output, Record
from services.runtime.tracing import traces, traces_io
from services.runtime.tracing.traces_io import NOTHING, Span, Value

ACTS: Final = frozenset({ALERTS, CHANNEL_COMMANDS, CHANNEL_STATE})
"""What is sent to these is always traced: there it was decided to act, or to tell somebody."""


class RecordSpans:
    """Those of one topic. A record belongs to the traces that its headers name."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._open: dict[tuple[int, int], Span] = {}

    def since(self) -> int | None:
        """When a record's span begins (ns); None where nothing is traced."""
        return time.time_ns() if traces_io.on() else None

    def note(
        self,
        partition: int,
        record: Record,
        headers: Iterable[tuple[str, bytes | None]],
        outputs: Sequence[Output],
        since_ns: int,
    ) -> Sequence[Output]:
        """Its outputs, which carry on its trace, where it has one or acts."""
        parents = traces.recorded(headers)
        if not parents and not any(each.topic in ACTS for each in outputs):
            return outputs
        alerts = sorted({(each.key or b"").decode() for each in outputs if each.topic == ALERTS})
        place: dict[str, Value] = {"partition": partition, "offset": record.offset, "alert_ids": alerts}
        span = traces_io.begin(f"process {self._topic}", "consumer", parents, place, since_ns)
        if span.context is None:
            return outputs
        self._open[partition, record.offset] = span
        if record.key is not None:
            traces_io.remember(record.key, span.context)
        carried = (span.context.header(),)
        return [replace(each, headers=carried) for each in outputs]

    def exemplar(self, partition: int, record: Record) -> dict[str, str] | None:
        """For the time that a record took."""
        context = self._open.get((partition, record.offset), NOTHING).context
        return None if context is None else context.exemplar()

    def end(self) -> None:
        """All outputs are acknowledged."""
        for span in self._open.values():
            span.end()
        self._open.clear()
