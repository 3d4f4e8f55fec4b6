"""Faust's consumer, made to lose nothing over a rebalance and to commit what the snapshots say; see `faust_app_io`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import Future
from typing import Any

from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import ConsumerStoppedError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode import Service

from schemas.topics import TOPICS
from services.runtime.end_io import end_process
from services.runtime.faust.faust_app_io import FAUST_LOG, HarnessApp
from services.runtime.kafka import kafka_io

MAX_POLL_RECORDS = 200
"""Also what Faust buffers: frames of a backlog can be 300 kB each."""
FULL_S = 0.01
"""Until looking again whether a partition whose buffer was full may be read."""
QUIET_S = 60.0
"""Until asking again while nothing comes."""


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread that fetches and sends heartbeats."""

    logger = FAUST_LOG
    app: HarnessApp

    def _create_worker_consumer(self, transport: Any) -> kafka_io.QuietConsumer:
        """Made by us, because Faust has no setting for the fetch wait, nor for our ways to prove ourselves."""
        settings = self.app.kafka_settings
        tuning = self.app.harness.tuning
        return kafka_io.QuietConsumer(
            **kafka_io.connection(settings, self.app.conf.id),
            group_id=self.app.conf.id,
            group_instance_id=self.app.conf.consumer_group_instance_id,
            partition_assignment_strategy=[RoundRobinPartitionAssignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=MAX_POLL_RECORDS,
            max_poll_interval_ms=1_000_000,
            max_partition_fetch_bytes=TOPICS[self.app.harness.service.topic].max_message_bytes,
            fetch_max_wait_ms=tuning.fetch_wait_ms,
            consumer_timeout_ms=kafka_io.IDLE_MS,
            session_timeout_ms=int(tuning.session_s * 1000),
            heartbeat_interval_ms=int(tuning.heartbeat_s * 1000),
            rebalance_timeout_ms=int(tuning.ack_s * 1000),
        )

    def fetch(self, partitions: frozenset[TP], timeout: float) -> Future[Any]:
        """Records of these partitions; cancelling it takes effect before whatever the thread is asked next.

        Not through Faust's queue of calls, which can cancel nothing and wakes up six times as often.
        """
        consumer = self._ensure_consumer()
        wanted: Any = partitions
        fetching = self._fetch_records(consumer, wanted, timeout=timeout, max_records=MAX_POLL_RECORDS)
        return asyncio.run_coroutine_threadsafe(fetching, self.thread_loop)

    async def _keepalive2(self) -> None:
        """Without a second one, which would wake the main loop as well."""

    @Service.task
    async def _thread_keepalive(self) -> None:
        """Faust's once-a-second wake-up of the thread's loop, which now also is our pulse."""
        while not self.should_stop:
            pause = self.app.pulse.beat()
            if self.app.pulse.lost(pause):
                # Not told to a frozen worker, unless it happens to write a snapshot: that the group went on without it.
                end_process("the process was frozen, its partitions may be another's", seconds=round(pause, 1))
            await asyncio.sleep(1.0)


class Consumer(driver.Consumer):
    """Reads and commits on the main loop's side."""

    logger = FAUST_LOG
    app: HarnessApp

    _thread: ConsumerThread
    _fetching: Future[Any] | None = None

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def _drain_messages(self, fetcher: Any) -> None:
        """Hand what is fetched to the streams: Faust's loop without its statistics, its guesses and its stalls.

        Faust gives aiokafka a set of active partitions that goes on changing, and that aiokafka takes for "all" when a
        rebalance has just emptied it: hand over a frozen copy, and never an empty one. It sleeps a second when all
        buffers are full. It notes a record as read that a rebalance kept from being delivered, and seeks back to the
        committed offsets whenever a fetch outlives the flow, also after the flow has resumed at our replay point.
        """
        try:
            while not (self.should_stop or fetcher.should_stop):
                await self._fetch_once()
        except (asyncio.CancelledError, ConsumerStoppedError):
            if not self.app.should_stop:
                raise

    async def _fetch_once(self) -> None:
        if not self.flow_active:
            await self.can_resume_flow.wait()
        wanted = frozenset(self._get_active_partitions())
        if not wanted:
            await asyncio.sleep(FULL_S)
            return
        generation = self.app.consumer_generation_id
        # A partition that may be read again meanwhile is not in our copy, so do not wait long while one is held back.
        self._fetching = self._thread.fetch(wanted, FULL_S if self._buffered_partitions else QUIET_S)
        try:
            records = await asyncio.wrap_future(self._fetching)
        except asyncio.CancelledError:
            if self.flow_active:
                raise
            return  # by `stop_flow`
        for tp, batch in records.items():
            for record in batch:
                if not self.flow_active or self.app.consumer_generation_id != generation:
                    return  # records of an assignment that has ended; the next one seeks
                await self.callback(self._to_message(tp, record))

    def stop_flow(self) -> None:
        """Also give up the fetch under way.

        It could outlive the rebalance, and take the first records of the new assignment, from behind our seek, for
        some of the old one.
        """
        super().stop_flow()
        if self._fetching is not None:
            self._fetching.cancel()

    def _filter_committable_offsets(self, tps: Iterable[TP]) -> dict[TP, int]:
        """What the snapshots say, never what was acked: what is past the last snapshot must be read again."""
        self._acked.clear()
        self._acked_index.clear()
        self._gap.clear()
        topic = self.app.kafka_settings.prefix + self.app.harness.service.topic
        offsets = {TP(topic, partition): offset for partition, offset in self.app.harness.committable().items()}
        return {tp: offset for tp, offset in offsets.items() if self._committed_offset[tp] != offset}


class Transport(driver.Transport):
    """Faust's Kafka transport with our consumer."""

    Consumer = Consumer
