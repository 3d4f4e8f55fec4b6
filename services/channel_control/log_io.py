"""The reconciler's side of the log: where it ends, and reports that get onto it whatever happens to the broker."""

import asyncio
import logging

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from schemas.commands import Command
from schemas.topics import CHANNEL_COMMANDS
from services.runtime import kafka_io
from services.runtime.machine import Output
from services.runtime.output_io import OutputSender
from services.runtime.settings import CommonSettings

log = logging.getLogger(__name__)

PATIENCE_S = 30.0
PAUSE_S = 1.0


class CommandLog:
    """`channel-commands` as the reconciler sees it."""

    def __init__(self, settings: CommonSettings) -> None:
        self._settings = settings
        self._sender: OutputSender | None = None
        self._starting = asyncio.Lock()

    async def end(self, partition: int) -> int:
        """The offset that the next record will get, 0 where there is none to read. Waits for the broker."""
        wanted = TopicPartition(self._settings.prefix + CHANNEL_COMMANDS, partition)
        while True:
            client = kafka_io.consumer(self._settings, client="channel_control-reports")
            try:
                await client.start()
                begins: dict[TopicPartition, int] = await client.beginning_offsets([wanted])
                ends: dict[TopicPartition, int] = await client.end_offsets([wanted])
                return ends[wanted] if ends[wanted] > begins[wanted] else 0
            except (KafkaError, OSError, TimeoutError) as error:
                log.warning("cannot see where the orders end", extra={"reason": type(error).__name__})
            finally:
                await client.stop()
            await asyncio.sleep(PAUSE_S)

    async def report(self, partition: int, command: Command) -> None:
        """Returns when it is on the log of this partition; tries without limit. A repeat has the same id."""
        output = Output(CHANNEL_COMMANDS, command.target.encode(), command.model_dump_json().encode(), partition)
        while True:
            sender: OutputSender | None = None
            try:
                sender = await self._started()
                await sender.send([output], PATIENCE_S)
                return
            except (KafkaError, OSError, TimeoutError) as error:
                log.warning("a report is not on the log yet, trying again", extra={"reason": type(error).__name__})
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
                sender = OutputSender(self._settings, "channel_control-reports")
                try:
                    await sender.start()
                except BaseException:
                    await sender.stop()
                    raise
                self._sender = sender
            return self._sender

    async def _discard(self, sender: OutputSender) -> None:
        """What a failed sender has sent is unknown; several reports may find that out at once."""
        if self._sender is sender:
            self._sender = None
            await sender.stop()
