"""Sends a machine's outputs and waits until the broker has them all."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from services.runtime import metrics
from services.runtime.kafka import producer_io
from services.runtime.machines.machine import Output
from services.runtime.settings import CommonSettings


class OutputSender:
    """An idempotent producer: outputs of one partition of a topic stay in order, and a retry doubles none."""

    def __init__(self, settings: CommonSettings, client: str) -> None:
        self._settings = settings
        self._client = client
        self._producer: Any = None

    async def start(self) -> None:
        """Connect. Raises KafkaConnectionError when no broker answers."""
        self._producer = await producer_io.started(self._settings, self._client)

    async def send(self, outputs: Sequence[Output], patience_s: float) -> None:
        """Returns when all are acknowledged. Raises TimeoutError after `patience_s`, KafkaError when one is refused.

        After either the producer cannot be used again: what it has sent, and in which order, is unknown.
        """
        if not outputs:
            return
        began = time.perf_counter()
        prefix = self._settings.prefix
        async with asyncio.timeout(patience_s):
            pending = [
                await self._producer.send(
                    prefix + each.topic, each.value, each.key, each.partition, headers=[*each.headers]
                )
                for each in outputs
            ]
            for acknowledged in pending:
                await acknowledged
        metrics.SEND_SECONDS.observe(time.perf_counter() - began)
        for topic, count in Counter(each.topic for each in outputs).items():
            metrics.RECORDS_SENT.labels(topic).inc(count)

    async def stop(self) -> None:
        """Disconnect; within a second or two, be the broker there or not."""
        await producer_io.end(self._producer)
