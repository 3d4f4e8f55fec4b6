"""Stock Faust, made to keep the order that durability needs. Every override says what would go wrong without it.

Read together with Faust 0.15.3's `transport/consumer.py`, `transport/drivers/aiokafka.py`, `tables/recovery.py` and
`app/base.py`; the version is pinned, for what is overridden here is not Faust's public interface.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from typing import Any

import faust
from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import ConsumerStoppedError
from faust.app.base import BootStrategy
from faust.tables.manager import TableManager
from faust.tables.recovery import RebalanceAgain, Recovery, ServiceStopped
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode import Service

from schemas.topics import TOPICS
from services.runtime import kafka_io
from services.runtime.end_io import end_process
from services.runtime.harness_io import Harness
from services.runtime.pulse import Pulse
from services.runtime.settings import CommonSettings
from services.runtime.snapshots import LogBounds

log = logging.getLogger(__name__)
FAUST_LOG = logging.getLogger("faust.app")
"""Faust's own chatter stays under its name, also where it comes from our subclasses."""

MAX_POLL_RECORDS = 200
"""Also what Faust buffers: frames of a backlog can be 300 kB each."""
FETCH_WAIT_MS = 500
"""How long the broker may hold a fetch open. While one is under way no other goes to that broker, so a partition
whose buffer was full waits for the end of it; Faust's 1,500 ms would be noticed."""
FULL_S = 0.01
"""Until looking again whether a partition whose buffer was full may be read."""
NEVER_S = 365 * 86_400.0


class HarnessApp(faust.App):
    """A Faust app that is a consumer with one agent, and nothing else."""

    logger = FAUST_LOG
    harness: Harness
    kafka_settings: CommonSettings
    pulse: Pulse

    def on_init_dependencies(self) -> Iterable[Any]:
        """Without Faust's monitor, which would keep statistics of every message."""
        return self.boot_strategy.server()

    def _create_directories(self) -> None:
        """Without a data directory: there are no tables."""

    def on_rebalance_return(self) -> None:
        """Only the monitor would hear of it."""

    def on_rebalance_end(self) -> None:
        """Without a warning that there is no monitor."""
        self.rebalancing = False


class Boot(BootStrategy):
    """Which parts of Faust are started: no web server, no producer (outputs go through ours), no leader, no replies."""

    enable_web = False
    enable_kafka_producer = False
    enable_sensors = False

    def kafka_consumer(self) -> Iterable[Any]:
        """Only the consumer."""
        return [self.app.consumer]


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread that fetches and sends heartbeats."""

    logger = FAUST_LOG
    app: HarnessApp

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        """Made by us, because Faust has no setting for the fetch wait, nor for our ways to prove ourselves."""
        settings = self.app.kafka_settings
        tuning = self.app.harness.tuning
        return AIOKafkaConsumer(
            **kafka_io.connection(settings, self.app.conf.id),
            group_id=self.app.conf.id,
            group_instance_id=self.app.conf.consumer_group_instance_id,
            partition_assignment_strategy=[RoundRobinPartitionAssignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=MAX_POLL_RECORDS,
            max_poll_interval_ms=1_000_000,
            max_partition_fetch_bytes=TOPICS[self.app.harness.service.topic].max_message_bytes,
            fetch_max_wait_ms=FETCH_WAIT_MS,
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
        self._fetching = self._thread.fetch(wanted, FULL_S if self._buffered_partitions else 1.0)
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


class HarnessRecovery(Recovery):
    """Loads the machines where Faust would load tables: partitions are assigned, nothing flows yet."""

    logger = FAUST_LOG
    app: HarnessApp

    async def _resume_streams(self, generation_id: int = 0) -> None:
        rebalance = self.app.rebalancing_count
        await self.app.on_rebalance_complete.send()
        try:
            await self._take_up(generation_id, rebalance)
        except (RebalanceAgain, ServiceStopped):
            raise  # the caller's: the load is cancelled, the next one starts afresh
        except BaseException as error:
            if self.app.harness.stopping:
                raise
            if self._overtaken(generation_id, rebalance) and isinstance(error, Exception):
                log.info("taking up partitions was overtaken by a rebalance", exc_info=error)
                return
            end_process("partitions could not be taken up", error)

    async def _take_up(self, generation_id: int, rebalance: int) -> None:
        app, harness = self.app, self.app.harness
        consumer: Any = app.consumer
        assignment: set[TP] = consumer.assignment()
        if self._overtaken(generation_id, rebalance):
            return
        began = time.perf_counter()
        replay = await self._unless_overtaken(harness.load(await self._bounds(assignment)))
        if self._overtaken(generation_id, rebalance):
            return
        # Faust resumes the flow control last, which clears queues that were filled meanwhile.
        app.flow_control.resume()
        if assignment:
            await self._unless_overtaken(consumer.perform_seek())
            # Explicitly, also to 0: without a committed offset the seek above leaves the position where a fetch of the
            # last assignment may have put it. And in the consumer's thread, which alone may touch it.
            await self._unless_overtaken(consumer.seek_wait({tp: replay[tp.partition] for tp in assignment}))
        await harness.activate()
        if self._overtaken(generation_id, rebalance):
            return  # a revocation came in between, and has stopped the flow that we would start again
        consumer.resume_partitions(assignment)
        consumer.resume_flow()
        self.completed.set()
        await app._fetcher.maybe_start()
        self.tables.on_actives_ready()
        self.tables.on_standbys_ready()
        app.on_rebalance_end()
        seconds = round(time.perf_counter() - began, 3)
        log.info("partitions taken up", extra={"partitions": sorted(replay), "seconds": seconds})

    async def _unless_overtaken(self, work: Any) -> Any:
        """Await it, but cancel it when the service stops or another rebalance has assigned partitions anew."""
        task = asyncio.ensure_future(work)
        await self._wait(task)
        return task.result()

    def _overtaken(self, generation_id: int, rebalance: int) -> bool:
        return self.app.consumer_generation_id != generation_id or self.app.rebalancing_count != rebalance

    async def _bounds(self, assignment: set[TP]) -> Mapping[int, LogBounds]:
        if not assignment:
            return {}
        consumer: Any = self.app.consumer
        starts: Mapping[TP, int] = await consumer.earliest_offsets(*assignment)
        ends: Mapping[TP, int] = await consumer.highwaters(*assignment)
        committed: Mapping[TP, int | None] = await consumer.seek_to_committed()
        return {tp.partition: LogBounds(starts[tp], ends[tp], committed.get(tp)) for tp in assignment}


class HarnessTables(TableManager):
    """Where Faust asks for its tables: there are none, but the recovery is ours."""

    logger = FAUST_LOG
    app: HarnessApp

    @property
    def recovery(self) -> Recovery:
        """Made when first asked for."""
        if self._recovery is None:
            self._recovery = HarnessRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery

    async def on_start(self) -> None:
        """Faust would sleep a second first."""
        await self._update_channels()
        await self.recovery.start()


def build_app(harness: Harness, settings: CommonSettings, pulse: Pulse) -> HarnessApp:
    """The Faust app of a service, not started. Call in the running loop."""
    service = harness.service
    group = f"{settings.prefix}{service.name}"
    app = HarnessApp(
        group,
        broker=f"kafka://{settings.kafka.split(',')[0]}",  # for Faust's own parts, which we do not start
        consumer_group_instance_id=f"{group}-{settings.instance}",
        TableManager=HarnessTables,
        autodiscover=False,
        broker_commit_every=2**62,
        broker_commit_interval=NEVER_S,
        broker_session_timeout=harness.tuning.session_s,
        consumer_auto_offset_reset="earliest",
        processing_guarantee="at_least_once",
        producer_request_timeout=30.0,
        stream_buffer_maxsize=MAX_POLL_RECORDS,
        stream_wait_empty=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        web_tables_enabled=False,
        worker_redirect_stdouts=False,
    )
    app.boot_strategy = Boot(app)
    app.harness, app.kafka_settings, app.pulse = harness, settings, pulse
    app.transport = Transport(app.conf.broker_consumer, app)
    return app
