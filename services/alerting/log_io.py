"""The deliverer's side of the log: where it ends, and reports that get into it whatever happens to the broker."""

import asyncio
import logging

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from schemas.alerts import AlertFact
from schemas.topics import ALERTS
from services.runtime import kafka_io
from services.runtime.machine import Output
from services.runtime.output_io import OutputSender
from services.runtime.settings import CommonSettings

log = logging.getLogger(__name__)

PATIENCE_S = 30.0
PAUSE_S = 1.0


class AlertLog:
    """`alerts` as the deliverer sees it."""

    def __init__(self, settings: CommonSettings) -> None:
        self._settings = settings
        self._sender: OutputSender | None = None
        self._starting = asyncio.Lock()

    async def end(self, partition: int) -> int:
        """The offset that the next record of a partition will get. Waits for the broker without limit."""
        while True:
            client = kafka_io.consumer(self._settings, client="alerting-reports")
            try:
                await client.start()
                wanted = TopicPartition(self._settings.prefix + ALERTS, partition)
                ends: dict[TopicPartition, int] = await client.end_offsets([wanted])
                return ends[wanted]
            except (KafkaError, OSError, TimeoutError) as error:
                log.warning("cannot see where the alerts end", extra={"reason": type(error).__name__})
            finally:
                await client.stop()
            await asyncio.sleep(PAUSE_S)

    async def report(self, partition: int, fact: AlertFact) -> None:
        """Returns when the fact is in the log. Tried without limit: a repeat has the same seq, so it is known.

        The partition is named: it must be the one whose machine waits for the report, whoever put the alert there.
        """
        said = Output(ALERTS, fact.alert_id.encode(), fact.model_dump_json().encode(), partition)
        while True:
            sender = None
            try:
                sender = await self._started()
                await sender.send([said], PATIENCE_S)
                return
            except (KafkaError, OSError, TimeoutError) as error:
                log.warning("a report is not in the log yet, trying again", extra={"reason": type(error).__name__})
                if sender is not None:
                    await self._discard(sender)
            await asyncio.sleep(PAUSE_S)

    async def close(self) -> None:
        """Disconnect; a report may follow all the same."""
        if self._sender is not None:
            await self._discard(self._sender)

    async def _started(self) -> OutputSender:
        async with self._starting:
            if self._sender is None:
                sender = OutputSender(self._settings, "alerting-reports")
                try:
                    await sender.start()
                except BaseException:
                    await sender.stop()
                    raise
                self._sender = sender
            return self._sender

    async def _discard(self, sender: OutputSender) -> None:
        """A sender that failed cannot be used again; others may have noticed at the same time."""
        if self._sender is sender:
            self._sender = None
            await sender.stop()
