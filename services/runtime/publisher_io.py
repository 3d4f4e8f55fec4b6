"""Hands messages of HTTP requests to the broker and says within a bounded time which of them it has acknowledged.

All requests share one lane for each partition. A lane sends what has come together while its last batch was on the
way, in batches of our own making: handing aiokafka each message by itself costs ten times as much CPU. While a batch is
unacknowledged nothing follows it, so when the broker is away all but that one batch wait here, where they can be
withdrawn as soon as their sender is told to try again.
"""

import asyncio
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
from services.runtime import kafka_io, metrics
from services.runtime.health import Part
from services.runtime.machine import Output
from services.runtime.settings import CommonSettings

log = logging.getLogger(__name__)

PROBE_S = 5.0
"""How often the broker is asked for its metadata, so that an outage is known before a sender meets it."""
STOP_S = 3.0

_OF_ONE_BATCH = (InvalidMessageError, MessageSizeTooLargeError, RecordListTooLargeError, TopicAuthorizationFailedError)
"""After any other lasting error the producer's sequence numbers are out of step for good."""


class BrokerAwayError(Exception):
    """The broker does not answer now; nothing was sent."""


class ProducerLostError(Exception):
    """The producer is beyond repair: another one has to take its place."""


class _Shipment:
    """The messages of one request, on their way. `missing`: places of those that are not acknowledged."""

    def __init__(self, size: int) -> None:
        self.missing = set(range(size))
        self.withdrawn = False
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._open = size

    def settle(self, place: int, acknowledged: bool) -> None:
        """One message has been acknowledged, or has failed."""
        self._open -= 1
        if acknowledged:
            self.missing.discard(place)
        if not self._open and not self.done.done():
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
        """Sends without end. Raises ProducerLostError."""
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
                if builder.append(timestamp=None, key=message.key, value=message.value) is None:
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
                raise ProducerLostError(type(error).__name__) from error
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
        self._up = False

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
        for place, (lane, message) in enumerate(zip(lanes, messages, strict=True)):
            lane.put(shipment, place, message)
        try:
            async with asyncio.timeout(self._ack_timeout_s):
                await shipment.done
        except TimeoutError:
            log.warning("not acknowledged in time", extra={"messages": len(shipment.missing)})
        finally:
            shipment.withdrawn = True
        return shipment.missing

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
                if group.split(ProducerLostError)[1] is not None:
                    raise
                log.warning("making a new producer")
            finally:
                # What still waits in the old lanes is never settled: its senders are told so when their time is up.
                self._up, self._lanes = False, {}
                await _stop(producer)

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
            producer = kafka_io.producer(self._settings, client=self._client)
            try:
                await producer.start()
            except KafkaError as error:
                await _stop(producer)
                log.warning("Kafka went away again", extra={"reason": type(error).__name__})
            except BaseException:
                await _stop(producer)
                raise
            else:
                return producer

    async def _watch(self, producer: Any) -> None:
        """Asks the broker for its metadata now and then, and keeps in mind whether it answers."""
        while True:
            try:
                async with asyncio.timeout(PROBE_S):
                    answered = bool(await producer.client.force_metadata_update())
            except TimeoutError:
                answered = False
            if answered != self._up:
                log.log(logging.INFO if answered else logging.WARNING, "Kafka answers" if answered else "Kafka is away")
            self._up = answered
            metrics.BROKER_UP.set(answered)
            if answered:
                self._part.ok()
            else:
                self._part.wait("Kafka does not answer")
            await asyncio.sleep(PROBE_S if answered else PROBE_S / 5)


async def _stop(producer: Any) -> None:
    """Ends a producer, which by itself would wait without limit for a broker that is away."""
    try:
        async with asyncio.timeout(STOP_S):
            await producer.stop()
    except TimeoutError:
        log.warning("the producer did not end in time")
