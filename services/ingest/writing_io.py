"""Everything that ingest writes, each call acknowledged before it returns; what is not in time ends the process."""

import time
from collections.abc import Iterable

from aiokafka.errors import KafkaError

from schemas import frames
from schemas.dead_letters import DeadLetter
from schemas.topics import DEAD_LETTERS, SUBJECTS
from schemas.topics import frames as frames_topic
from services.ingest import marks, metrics
from services.ingest.frames.routing import Frames, PatientRows, Rows
from services.ingest.marks import PolicyInMarks, Progress
from services.ingest.settings import IngestSettings
from services.ingest.spans_io import EventSpans
from services.runtime.end_io import end_process
from services.runtime.machines.machine import Output
from services.runtime.machines.output_io import OutputSender


class Writer:
    """Writes to the frames topics and to dead-letters, in order: its producer is idempotent."""

    def __init__(self, settings: IngestSettings, spans: EventSpans) -> None:
        self._spans = spans
        self._clock: marks.Clock = settings.clock
        self._partitions = settings.partitions
        self._patience_s = settings.ingest_ack_s
        self._sender = OutputSender(settings, "tidegate-ingest")

    async def start(self) -> None:
        """Connect. Raises KafkaConnectionError when no broker answers."""
        await self._sender.start()

    async def stop(self) -> None:
        """Disconnect."""
        await self._sender.stop()

    async def write(self, rows: Rows, dead: Iterable[DeadLetter]) -> None:
        """The frames of a poll that are urgent, and when they are acknowledged its dead letters."""
        await self._write(rows.urgent(self._partitions))
        await self._send([Output(DEAD_LETTERS, each.topic.encode(), each.model_dump_json().encode()) for each in dead])

    async def write_patient(self, rows: PatientRows) -> None:
        """The frames that have waited."""
        await self._write(rows.frames(self._partitions))

    async def _write(self, found: Frames) -> None:
        outputs = [
            Output(frames_topic(subject), None, frames.encode(frame), partition, self._spans.headers(frame))
            for subject, partition, frame in found
        ]
        await self._send(outputs)
        metrics.FRAMES.inc(len(outputs))

    async def mark(self, progress: Iterable[Progress], policy: PolicyInMarks) -> None:
        """A mark, the same to every partition of every subject."""
        wall_ms = time.time_ns() // 1_000_000
        value = frames.encode(marks.build(wall_ms, self._clock, self._partitions, progress, policy))
        await self._send(
            [
                Output(frames_topic(subject), None, value, partition)
                for subject in SUBJECTS
                for partition in range(self._partitions)
            ]
        )
        metrics.MARKS.inc()

    async def _send(self, outputs: list[Output]) -> None:
        try:
            await self._sender.send(outputs, self._patience_s)
        except (TimeoutError, KafkaError) as error:
            end_process("what was sent is not acknowledged", error)
