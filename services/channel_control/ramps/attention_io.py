"""Reads `readings`, beside the machines, to know whether the indicators look."""

import asyncio
import contextlib
import logging
import time
from typing import Any, Final

from aiokafka.errors import KafkaError
from pydantic import ValidationError

from schemas.readings import READINGS_MESSAGE, Reading
from schemas.topics import READINGS
from services.channel_control.ramps.attention import BEHIND, Attention
from services.runtime.end_io import end_process
from services.runtime.kafka import kafka_io
from services.runtime.settings import CommonSettings

log = logging.getLogger(__name__)

SINCE_S: Final = 2 * BEHIND.total_seconds()


class Listener:
    """The companion that keeps an `Attention` up to date while this process has any partition."""

    def __init__(self, settings: CommonSettings, attention: Attention) -> None:
        self._settings = settings
        self._attention = attention
        self._partitions: set[int] = set()
        self._task: asyncio.Task[None] | None = None

    async def start(self, partition: int, machine: Any) -> None:
        """Begins to read with the first partition."""
        self._partitions.add(partition)
        if self._task is None:
            self._task = asyncio.create_task(self._listen(), name="listener")

    async def stop(self, partition: int) -> None:
        """Ends with the last one."""
        self._partitions.discard(partition)
        if not self._partitions and self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def kick(self, partition: int) -> None:
        """What the machine applies is of no interest here."""

    async def _listen(self) -> None:
        try:
            while True:
                try:
                    await self._read()
                except KafkaError as error:
                    log.warning("reading again", extra={"topic": READINGS, "reason": type(error).__name__})
                    await kafka_io.wait_for_broker(self._settings)
        except Exception as error:  # noqa: BLE001
            end_process("the listener failed", error)

    async def _read(self) -> None:
        since_ms = int((time.time() - SINCE_S) * 1000)
        async with contextlib.aclosing(kafka_io.follow(self._settings, READINGS, since_ms=since_ms)) as batches:
            async for batch in batches:
                for record in batch.records:
                    self._take(record.value or b"")

    def _take(self, value: bytes) -> None:
        try:
            told = READINGS_MESSAGE.validate_json(value)
        except ValidationError:
            log.warning("not understood, left out", extra={"topic": READINGS})
            return
        if isinstance(told, Reading):
            self._attention.fold(told)
