"""Runs a stateful service: a machine for each partition of its log, on Faust.

    run(MachineService("alerting", ALERTS, STATE_ALERTING, build), settings, port=settings.alerting_port)

Faust runs the group, the assignment and the stream of each worker; `harness_io` makes the machines durable.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from socket import socket
from typing import Any

import faust.streams as faust_streams
import faust.transport.conductor as faust_conductor
from aiokafka.errors import KafkaError
from faust.types import TP

from services.runtime import logs, metrics
from services.runtime.end_io import end_process
from services.runtime.faust.faust_app_io import Boot, HarnessApp
from services.runtime.faust.faust_consumer_io import MAX_POLL_RECORDS, Transport
from services.runtime.faust.faust_recovery_io import HarnessTables
from services.runtime.health import Health
from services.runtime.http import http_io
from services.runtime.kafka import kafka_io
from services.runtime.machines.harness_io import Harness, Tuning
from services.runtime.machines.machine import MachineService, Record
from services.runtime.machines.pulse import Pulse, safe_pause
from services.runtime.settings import CommonSettings
from services.runtime.tracing import traces_io
from services.runtime.tracing.traces import Headers

log = logging.getLogger(__name__)

OBSERVE_S = 5.0
NEVER_S = 365 * 86_400.0


def run(
    service: MachineService,
    settings: CommonSettings,
    *,
    port: int = 0,
    port_setting: str = "port",
    tuning: Tuning | None = None,
    health: Health | None = None,
) -> None:
    """Run the service until SIGTERM or SIGINT; sets up logging, serves /healthz, /readyz and /metrics on `port`.

    Creates the topics that are missing and refuses others than ours (exit 2). Ends with 0 after a clean stop, with
    `end_io.EXIT_CODE` when it must not go on; the supervisor restarts it, and it takes up where it left off.
    """
    logs.configure(service.name, settings.log_level)
    traces_io.configure(service.name, settings)
    _require_cython()
    bound = http_io.listen(settings.http_host, port, port_setting)
    asyncio.run(_serve(service, settings, tuning or Tuning(), health or Health(), bound))


def _require_cython() -> None:
    """Faust falls back silently to a Python path that is slower, and is not the one that we have read and tried."""
    parts = (vars(faust_streams)["_CStreamIterator"], vars(faust_conductor)["ConductorHandler"])
    if None in parts:
        sys.stderr.write("Faust's Cython extensions are missing: install a wheel of faust-streaming that has them\n")
        raise SystemExit(2)


async def _serve(
    service: MachineService, settings: CommonSettings, tuning: Tuning, health: Health, bound: socket
) -> None:
    stop = http_io.stop_on_signals()
    health.part("group").wait("waiting for Kafka")
    async with http_io.serving(http_io.health_app(health), bound):
        if await _unless_stopped(stop, _prepare(settings)):
            await _work(Harness(service, settings, tuning, health), settings, stop)


async def _prepare(settings: CommonSettings) -> None:
    await kafka_io.wait_for_broker(settings)
    try:
        await kafka_io.ensure_topics(settings)
    except (kafka_io.TopicMismatchError, kafka_io.TopicRefusedError) as error:
        sys.stderr.write(f"the topics on the cluster are not ours:\n{error}\n")
        raise SystemExit(2) from None


async def _unless_stopped(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Do it, or give it up when the process is told to stop; whether it was done."""
    task, stopped = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait((task, stopped), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not task.done():
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return False
    task.result()
    return True


async def _work(harness: Harness, settings: CommonSettings, stop: asyncio.Event) -> None:
    tuning = harness.tuning
    pulse = Pulse(safe_pause(tuning.session_s, tuning.heartbeat_s), _boot_clock)
    harness.check_ownership = lambda: _end_if_frozen(pulse)
    app = build_app(harness, settings, pulse)
    harness.commit = app.consumer.commit
    signals: Any = app  # Faust's types for them cannot be met
    signals.on_partitions_revoked.connect(_on_revoked)
    signals.on_before_shutdown.connect(_on_shutdown)
    _add_agent(app)
    await harness.start()
    tasks = [
        asyncio.create_task(_start(app)),
        asyncio.create_task(_watch_crash(app)),
        asyncio.create_task(_observe(app)),
    ]
    await stop.wait()
    log.info("stopping")
    harness.stopping = True
    _stop_within(tuning.stop_s)
    await app.stop()
    for task in tasks:
        task.cancel()
    log.info("stopped")


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


def _boot_clock() -> float:
    """Seconds that count while the machine sleeps, where the system has such a clock."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _end_if_frozen(pulse: Pulse) -> None:
    pause = pulse.pause()
    if pulse.lost(pause):
        end_process("the process was frozen, its partitions may be another's", seconds=round(pause, 1))


def _stop_within(seconds: float) -> None:
    """A thread of its own, since the loop may be what does not end."""
    timer = threading.Timer(seconds, end_process, [f"the stop took longer than {seconds} s"])
    timer.daemon = True
    timer.start()


async def _start(app: HarnessApp) -> None:
    try:
        await app.start()
    except BaseException as error:
        if not app.harness.stopping:
            end_process("Faust did not start", error)
        raise


async def _watch_crash(app: HarnessApp) -> None:
    """Faust marks an app as crashed and lets the process live on, doing nothing."""
    await app._crashed.wait()
    if not app.harness.stopping:
        end_process("Faust crashed", app.crash_reason)


async def _observe(app: HarnessApp) -> None:
    """How far we are behind the log; Faust's own check of that only logs."""
    topic = app.kafka_settings.prefix + app.harness.service.topic
    while True:
        await asyncio.sleep(OBSERVE_S)
        wanted = [TP(topic, partition) for partition in app.harness.partitions()]
        if not wanted or app.rebalancing:
            continue
        try:
            ends = await app.consumer.highwaters(*wanted)
        except (KafkaError, TimeoutError) as error:
            metrics.BROKER_UP.set(0)
            app.harness.miss_broker()
            log.warning("Kafka does not answer, waiting for it", extra={"reason": str(error) or type(error).__name__})
        else:
            metrics.BROKER_UP.set(1)
            app.harness.observe({tp.partition: end for tp, end in ends.items()})


async def _on_revoked(app: Any, *_: Any, **__: Any) -> None:
    await _or_end(app.harness.revoke())


async def _on_shutdown(app: Any, *_: Any, **__: Any) -> None:
    await _or_end(app.harness.close())


async def _or_end(work: Coroutine[Any, Any, None]) -> None:
    """aiokafka logs what escapes from a rebalance listener, and goes on."""
    try:
        await work
    except BaseException as error:  # noqa: BLE001
        end_process("partitions could not be given up in order", error)


def _add_agent(app: HarnessApp) -> None:
    log_topic = app.topic(
        app.kafka_settings.prefix + app.harness.service.topic,
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        internal=False,
    )

    async def machine(stream: Any) -> None:
        await _consume(app, stream)

    app.agent(log_topic, name="machine")(machine)


async def _consume(app: HarnessApp, stream: Any) -> None:
    """The agent. Faust acks and skips an event that an exception escapes from: so none may escape."""
    try:
        async for event in stream.noack().events():
            taken: list[Any] = []
            await app.harness.handle(_group(app, stream.channel.queue, event, taken))
            for each in taken:
                await stream.ack(each)
    except BaseException as error:
        if app.harness.stopping:
            raise
        end_process("the stream failed", error)
    if not app.harness.stopping:
        end_process("the stream ended")


def _group(app: HarnessApp, queue: Any, event: Any, taken: list[Any]) -> Iterator[tuple[int, Record, Headers]]:
    """This event and those that wait behind it, as long as they belong to the present assignment; `taken` notes them.

    Nothing is awaited between two of them, so no revocation can come in between.
    """
    while True:
        message = event.message
        if message.generation_id == app.consumer_generation_id and app.flow_control.is_active():
            taken.append(event)
            stamp = round(message.timestamp * 1000)
            record = Record(message.offset, stamp, message.key, message.value or b"")
            yield message.partition, record, message.headers or ()
        if queue.empty():
            return
        event = queue.get_nowait()
