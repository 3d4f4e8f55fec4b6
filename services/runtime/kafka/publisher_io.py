"""Hands messages of HTTP requests to the broker and says within a bounded time which of them it has acknowledged.

All requests share one lane for each partition. A lane sends what has come together while its last batch was on the
way, in batches of our own making: handing aiokafka each message by itself costs ten times as much CPU. While a batch is
unacknowledged nothing follows it, so when the broker is away all but that one batch wait here, where they can be
withdrawn as soon as their sender is told to try again.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from aiokafka.errors import (
    InvalidMessageError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)
from aiokafka.partitioner import murmur2

from schemas.topics import TOPICS
from services.runtime import metrics
from services.runtime.health import Part
from services.runtime.kafka import kafka_io, producer_io
from services.runtime.machines.machine import Output
from services.runtime.settings import CommonSettings
from services.runtime.tracing import traces

log = logging.getLogger(__name__)

PROBE_S = 5.0
"""How often the broker is asked for its metadata, so that an outage is known before a request meets it, and how long
it may take to answer."""

_OF_ONE_BATCH = (InvalidMessageError, MessageSizeTooLargeError, RecordListTooLargeError, TopicAuthorizationFailedError)
"""After any other lasting error the producer's sequence numbers are out of step for good."""


class BrokerAwayError(Exception):
    """The broker does not answer now; nothing was sent."""


class _ProducerLostError(Exception):
    """The producer is of no use any more: another one has to take its place."""


class _Shipment:
    """The messages of one request, on their way. `missing`: places of those that are not acknowledged."""

    def __init__(self, size: int) -> None:
        self.headers = [*traces.headers()]
        self.missing = set(range(size))
        self.withdrawn = False
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._open = size

    def settle(self, place: int, acknowledged: bool) -> None:
        """One message has been acknowledged, or has failed."""
        self._open -= 1
        if acknowledged:
            self.missing.discard(place)
        if not self._open:
            self.end()

    def end(self) -> None:
        """Nothing more is waited for."""
        if not self.done.done():
            self.done.set_result(None)


@lru_cache(maxsize=65_536)
def _hash(key: bytes) -> int:
    """Kafka's own partitioner; slow in Python, and keys repeat."""
    return int(murmur2(key)) & 0x7FFFFFFF


class _Lane:
    """The way to one partition."""

    def __init__(self, producer: Any, prefix: str, topic: str, partition: int) -> None:
        self._producer = producer
        self._topic = prefix + topic
        self._sent = metrics.RECORDS_SENT.labels(topic)
        self._partition = partition
        self._waiting: deque[tuple[_Shipment, int, Output]] = deque()
        self._filled = asyncio.Event()
        self.sent_at: float | None = None
        """When the batch on its way was handed over, by the loop's clock."""

    def put(self, shipment: _Shipment, place: int, message: Output) -> None:
        self._waiting.append((shipment, place, message))
        self._filled.set()

    async def run(self) -> None:
        """Sends without end. Raises _ProducerLostError."""
        loop = asyncio.get_running_loop()
        while True:
            await self._filled.wait()
            builder, taken = self._load()
            if taken:
                self.sent_at = loop.time()
                acknowledged = await self._send(builder)
                self.sent_at = None
                for shipment, place in taken:
                    shipment.settle(place, acknowledged)
                self._sent.inc(len(taken) if acknowledged else 0)
            if not self._waiting:
                self._filled.clear()

    def _load(self) -> tuple[Any, list[tuple[_Shipment, int]]]:
        """A batch of what waits, up to the largest size of a batch; what was withdrawn falls away."""
        builder, taken = self._producer.create_batch(), []
        while self._waiting:
            shipment, place, message = self._waiting[0]
            if not shipment.withdrawn:
                headers = shipment.headers
                if builder.append(timestamp=None, key=message.key, value=message.value, headers=headers) is None:
                    break
                taken.append((shipment, place))
            self._waiting.popleft()
        return builder, taken

    async def _send(self, builder: Any) -> bool:
        """Whether the broker has acknowledged the batch; the producer repeats it until there is an answer."""
        try:
            future = await self._producer.send_batch(builder, self._topic, partition=self._partition)
            await future
        except KafkaError as error:
            where = {"topic": self._topic, "partition": self._partition, "reason": type(error).__name__}
            log.error("a batch was not accepted", extra=where)
            if not isinstance(error, _OF_ONE_BATCH):
                raise _ProducerLostError(type(error).__name__) from error
            return False
        return True


class Publisher:
    """Publishes to a few topics. `run` beside it, for as long as it is used."""

    def __init__(
        self, settings: CommonSettings, topics: Sequence[str], part: Part, *, client: str, ack_timeout_s: float
    ) -> None:
        self._settings = settings
        self._topics = {name: TOPICS[name].partitions(settings.partitions) for name in topics}
        self._part = part
        self._client = client
        self._ack_timeout_s = ack_timeout_s
        self._lanes: dict[tuple[str, int], _Lane] = {}
        self._shipments: set[_Shipment] = set()
        self._up = False
        self._doubt = asyncio.Event()

    async def publish(self, messages: Sequence[Output]) -> set[int]:
        """Returns the places of those messages that the broker has not acknowledged in time.

        Of these a few may still arrive, since a batch that is on its way cannot be called back. Raises
        BrokerAwayError, having sent nothing, when it is known that the broker does not answer.
        """
        if not messages:
            return set()
        if not self._up:
            raise BrokerAwayError
        now = asyncio.get_running_loop().time()
        lanes = [self._lane(message) for message in messages]
        if any(self._stuck(lane, now) for lane in set(lanes)):
            raise BrokerAwayError
        shipment = _Shipment(len(messages))
        self._shipments.add(shipment)
        for place, (lane, message) in enumerate(zip(lanes, messages, strict=True)):
            lane.put(shipment, place, message)
        try:
            async with asyncio.timeout(self._ack_timeout_s):
                await shipment.done
        except TimeoutError:
            self._doubt.set()
        finally:
            shipment.withdrawn = True
            self._shipments.discard(shipment)
        if shipment.missing:
            log.warning("not acknowledged", extra={"messages": len(shipment.missing), "of": len(messages)})
        return shipment.missing

    def give_up(self) -> None:
        """Lets all that is being published end now, with what has been acknowledged so far."""
        for shipment in self._shipments:
            shipment.end()

    def _lane(self, message: Output) -> _Lane:
        partition = message.partition
        if partition is None:
            partition = _hash(message.key or b"") % self._topics[message.topic]
        return self._lanes[message.topic, partition]

    def _stuck(self, lane: _Lane, now: float) -> bool:
        return lane.sent_at is not None and now - lane.sent_at > self._ack_timeout_s

    async def run(self) -> None:
        """Waits for the broker, makes sure of the topics, then sends without end.

        Raises TopicMismatchError and TopicRefusedError.
        """
        while True:
            producer = await self._connect()
            try:
                await self._serve(producer)
            except ExceptionGroup as group:
                await producer_io.break_off(producer)
                if group.split(_ProducerLostError)[1] is not None:
                    raise
            except asyncio.CancelledError:
                await producer_io.end(producer)
                raise
            finally:
                self._up, self._lanes = False, {}
                self.give_up()

    async def _serve(self, producer: Any) -> None:
        for topic, count in self._topics.items():
            for partition in range(count):
                self._lanes[topic, partition] = _Lane(producer, self._settings.prefix, topic, partition)
        async with asyncio.TaskGroup() as tasks:
            for lane in self._lanes.values():
                tasks.create_task(lane.run())
            tasks.create_task(self._watch(producer))

    async def _connect(self) -> Any:
        self._part.wait("waiting for Kafka")
        while True:
            await kafka_io.wait_for_broker(self._settings)
            await kafka_io.ensure_topics(self._settings, [TOPICS[name] for name in self._topics])
            try:
                return await producer_io.started(self._settings, self._client)
            except KafkaError as error:
                log.warning("Kafka went away again", extra={"reason": type(error).__name__})

    async def _watch(self, producer: Any) -> None:
        """Asks the broker for its metadata now and then, and at once when something was not acknowledged.

        Raises _ProducerLostError when there is no answer: aiokafka would go on trying without an end, while what is on
        its way has been told as missing and will be sent again.
        """
        while await producer_io.answers(producer, PROBE_S):
            if not self._up:
                log.info("Kafka answers")
                self._up = True
                metrics.BROKER_UP.set(1)
                self._part.ok()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PROBE_S):
                    await self._doubt.wait()
            self._doubt.clear()
        log.warning("Kafka is away")
        raise _ProducerLostError
