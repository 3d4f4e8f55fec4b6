"""The log of a machine as its companion sees it: where it ends, and reports that get onto it whatever happens."""

import asyncio
import logging

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from services.runtime.kafka import kafka_io
from services.runtime.machines.machine import Output
from services.runtime.machines.output_io import OutputSender
from services.runtime.settings import CommonSettings
from services.runtime.tracing import traces

log = logging.getLogger(__name__)

PATIENCE_S = 30.0
PAUSE_S = 1.0


class ReportLog:
    """One topic (by its logical name), seen by a client of that name. Waits for the broker without limit."""

    def __init__(self, settings: CommonSettings, topic: str, client: str) -> None:
        self._settings = settings
        self._topic = topic
        self._client = client
        self._sender: OutputSender | None = None
        self._starting = asyncio.Lock()

    async def end(self, partition: int) -> int:
        """The offset that the next record will get; 0 where there is none to read, be it that retention took all."""
        wanted = TopicPartition(self._settings.prefix + self._topic, partition)
        while True:
            client = kafka_io.consumer(self._settings, client=self._client)
            try:
                await client.start()
                begins: dict[TopicPartition, int] = await client.beginning_offsets([wanted])
                ends: dict[TopicPartition, int] = await client.end_offsets([wanted])
                return ends[wanted] if ends[wanted] > begins[wanted] else 0
            except (KafkaError, OSError, TimeoutError) as error:
                log.warning("cannot see where the log ends", extra=self._why(partition, error))
            finally:
                await client.stop()
            await asyncio.sleep(PAUSE_S)

    async def report(self, partition: int, key: bytes, value: bytes) -> None:
        """Returns when it is on the log of this partition. It may be there twice: the machine has to know a repeat.

        The partition is named: it must be the one whose machine waits for the report.
        """
        output = Output(self._topic, key, value, partition, traces.headers())
        while True:
            sender: OutputSender | None = None
            try:
                sender = await self._started()
                await sender.send([output], PATIENCE_S)
                return
            except (KafkaError, OSError, TimeoutError) as error:
                log.warning("a report is not on the log yet, trying again", extra=self._why(partition, error))
                if sender is not None:
                    await self._discard(sender)
            await asyncio.sleep(PAUSE_S)

    async def close(self) -> None:
        """Disconnects; a later report connects again."""
        if self._sender is not None:
            await self._discard(self._sender)

    async def _started(self) -> OutputSender:
        async with self._starting:
            if self._sender is None:
                sender = OutputSender(self._settings, self._client)
                await sender.start()
                self._sender = sender
            return self._sender

    async def _discard(self, sender: OutputSender) -> None:
        """What a failed sender has sent is unknown; several reports may find that out at once."""
        if self._sender is sender:
            self._sender = None
            await sender.stop()

    def _why(self, partition: int, error: Exception) -> dict[str, object]:
        return {"topic": self._topic, "partition": partition, "reason": type(error).__name__}
