"""The watchdog on a real Kafka: who is killed or frozen is told of, once, and told well again when it goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.embedded.broker import Broker
from schemas.alerts import AlertState
from schemas.policy import Policy, PolicyRef
from schemas.topics import ALERT_STATE, POLICY, SUBJECTS
from services.runtime.kafka.kafka_io import producer, read_compacted
from services.runtime.settings import CommonSettings
from tests.support.ingest import Ingests, ingests
from tests.support.waiting import eventually
from tests.unit.ingest.samples import raw

PATIENCE = {
    "TIDEGATE_ALERTING_WATCH_DEAD_AFTER": "15s",
    "TIDEGATE_ALERTING_WATCH_STALLED_AFTER": "25s",
    "TIDEGATE_ALERTING_WATCH_POLICY_AFTER": "10s",
    "TIDEGATE_ALERTING_WATCH_CALM": "5s",
}
UNSERVED = {f"service:indicators-{subject}" for subject in SUBJECTS if subject != "channel"}
SLACK_S = 15.0
"""For a look every five seconds, a start, and a busy machine."""


@pytest.fixture
async def system(broker: Broker, tmp_path: Path) -> AsyncIterator[Ingests]:
    async with ingests(broker.bootstrap, tmp_path) as found:
        yield found


class Service:
    """A service as a process."""

    def __init__(self, settings: CommonSettings, folder: Path, *arguments: str) -> None:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
        self._environ = environ | {"TIDEGATE_KAFKA": settings.kafka, "TIDEGATE_PREFIX": settings.prefix} | PATIENCE
        self._arguments = arguments
        self._log = folder / f"{arguments[0]}.log"
        self.start()

    def start(self) -> None:
        """As it was started at first."""
        with self._log.open("ab") as output:
            command = [sys.executable, "-m", *self._arguments]
            self.process = subprocess.Popen(command, env=self._environ, stdout=output, stderr=output)

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait()

    async def wake(self) -> None:
        """After a SIGSTOP: it finds out that it was frozen and ends, and is started again, as by its supervisor."""
        self.process.send_signal(signal.SIGCONT)
        await eventually(lambda: self.process.poll() is not None, "its end")
        self.start()


@contextmanager
def running(*wanted: Service) -> Iterator[None]:
    """None of them outlives the block."""
    try:
        yield
    finally:
        for each in wanted:
            each.kill()


async def alerts(system: Ingests, kind: str, service: str) -> list[AlertState]:
    """What is known of one kind of trouble of a service."""
    records = (await read_compacted(system.settings, ALERT_STATE)).values()
    states = map(AlertState.model_validate_json, records)
    return [each for each in states if (each.indicator, each.subject) == (kind, f"service:{service}")]


async def of_served(system: Ingests) -> list[tuple[str, str]]:
    """What is known of the services that run in these tests."""
    states = map(AlertState.model_validate_json, (await read_compacted(system.settings, ALERT_STATE)).values())
    return sorted((each.indicator, each.subject) for each in states if each.subject not in UNSERVED)


async def until(
    system: Ingests, kind: str, service: str, wanted: Callable[[list[AlertState]], bool], within_s: float
) -> float:
    """Waits until the alerts are so; how long it took."""
    began = time.monotonic()
    while not wanted(found := await alerts(system, kind, service)):
        assert time.monotonic() - began < within_s, f"{kind} of {service} not so within {within_s:.0f} s: {found}"
        await asyncio.sleep(0.5)
    return time.monotonic() - began


def one(status: str) -> Callable[[list[AlertState]], bool]:
    return lambda found: [each.status for each in found] == [status]


async def test_killed_and_frozen_services_are_told_of_once_and_until_they_go_on(
    system: Ingests, tmp_path: Path
) -> None:
    await system.publish(Policy(version=1))
    await system.send([("channel-events", n % 2, raw("click", event_id=str(n))) for n in range(20)])
    ingest = system.start()
    alerting = Service(system.settings, tmp_path, "services.alerting")
    worker = Service(system.settings, tmp_path, "services.indicators", "--subject", "channel")
    with running(alerting, worker):
        # Nobody serves the other subjects here; that is told, and says that the watch has begun.
        await until(system, "stalled", "indicators-actor", one("open"), 25 + 2 * SLACK_S)
        assert await of_served(system) == []

        ingest.kill()
        assert await until(system, "dead_ingest", "ingest", one("open"), 15 + SLACK_S) > 10
        alerting.kill()
        alerting.start()
        system.start()
        await until(system, "dead_ingest", "ingest", one("resolved"), 30 + 2 * SLACK_S)

        worker.process.send_signal(signal.SIGSTOP)
        assert await until(system, "stalled", "indicators-channel", one("open"), 35 + SLACK_S) > 15
        await worker.wake()
        await until(system, "stalled", "indicators-channel", one("resolved"), 30 + 2 * SLACK_S)

        assert len(await alerts(system, "stalled", "indicators-actor")) == 1
        told = await of_served(system)
        assert told == [("dead_ingest", "service:ingest"), ("stalled", "service:indicators-channel")]


async def test_a_policy_that_nobody_has_is_told(system: Ingests, tmp_path: Path) -> None:
    await system.publish(Policy(version=1))
    system.start()
    with running(Service(system.settings, tmp_path, "services.alerting")):
        await system.until_mark(lambda mark: mark.policy == "default/1", "of the first policy")
        async with producer(system.settings) as client:
            named = PolicyRef(name="default", version=7).model_dump_json().encode()
            await client.send_and_wait(system.settings.prefix + POLICY, named, b"active")
        await until(system, "policy_unused", "policy", one("open"), 10 + 2 * SLACK_S)
        await system.publish(Policy(version=7))
        await until(system, "policy_unused", "policy", one("resolved"), 20 + SLACK_S)
