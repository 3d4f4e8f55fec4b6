"""channel_control as it runs: a process on a real Kafka, killed without warning, beside a platform that misbehaves."""

import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.embedded.broker import Broker
from deploy.ports import free_port
from schemas.topics import ALERTS, AUDIT, CHANNEL_COMMANDS, CHANNEL_STATE
from services.cli.audit.audit_io import check as check_audit
from services.runtime.kafka.kafka_io import ensure_topics, follow, producer
from services.runtime.settings import CommonSettings
from tests.unit.channel_control.orders import CHANNEL, SIGNAL, hex_id, order, persons

Message = dict[str, Any]
NAMES = [f"channel:{number}" for number in range(40)]
STEPS = 2
LIFTED_LAST = 20


@pytest.fixture
async def settings(broker: Broker) -> CommonSettings:
    settings = CommonSettings(kafka=broker.bootstrap, prefix=f"{uuid.uuid4().hex[:8]}.", partitions=2)
    await ensure_topics(settings)
    return settings


class Process:
    """A Python module as a process that can be killed and started again."""

    def __init__(self, module: str, log_file: Path, environ: dict[str, str], *arguments: str) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
        self._environ = clean | environ
        self._command = [sys.executable, "-m", module, *arguments]
        self._log_file = log_file
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log_file.open("ab") as output:
            self._process = subprocess.Popen(self._command, env=self._environ, stdout=output, stderr=output)

    def send(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGKILL) -> int:
        """Send the signal, wait; the exit code."""
        assert self._process is not None
        self.send(number)
        return self._process.wait(20)

    def restart(self) -> None:
        """kill -9, and up again."""
        self.end()
        self.start()

    def log(self) -> str:
        return self._log_file.read_text()

    @contextlib.contextmanager
    def running(self) -> Iterator["Process"]:
        self.start()
        try:
            yield self
        finally:
            self.send(signal.SIGCONT)
            self.end()


class Platform(Process):
    """The stand-in as a process, whose state outlives it."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        state = ("--port", str(port), "--state", str(folder / "platform.json"))
        super().__init__("deploy.demo.platform", folder / "platform.log", {}, *state)

    async def ready(self) -> None:
        async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(20):
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"{self.url}/readyz")).status_code == 200:
                        return
                await asyncio.sleep(0.02)

    async def control(self, **fault: Any) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            (await client.post(f"{self.url}/_control", json=fault)).raise_for_status()

    async def targets(self) -> dict[str, Message]:
        async with httpx.AsyncClient(trust_env=False) as client:
            return {state["target"]: state for state in (await client.get(f"{self.url}/_targets")).json()}

    async def calls(self) -> list[Message]:
        async with httpx.AsyncClient(trust_env=False) as client:
            return list((await client.get(f"{self.url}/_calls")).json())


def control(settings: CommonSettings, folder: Path, url: str | None, **more: str) -> Process:
    """channel_control, quick to try again."""
    environ = {
        "TIDEGATE_KAFKA": settings.kafka,
        "TIDEGATE_PREFIX": settings.prefix,
        "TIDEGATE_CONTROL_PLATFORM_URL": url or "",
        "TIDEGATE_CONTROL_PLATFORM_DEADLINE": "10",
        "TIDEGATE_CONTROL_BACKOFF_CAP": "0.2",
        **more,
    }
    return Process("services.channel_control", folder / "control.log", environ)


class Topics:
    """What came out, by topic, as it comes."""

    def __init__(self, settings: CommonSettings) -> None:
        self._settings = settings
        self.messages: dict[str, list[Message]] = {AUDIT: [], CHANNEL_STATE: [], ALERTS: []}
        self._news = asyncio.Condition()

    async def _read(self, topic: str) -> None:
        async with contextlib.aclosing(follow(self._settings, topic)) as batches:
            async for batch in batches:
                async with self._news:
                    self.messages[topic] += [json.loads(one.value or b"") for one in batch.records]
                    self._news.notify_all()

    async def __aenter__(self) -> "Topics":
        self._tasks = [asyncio.create_task(self._read(topic)) for topic in self.messages]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def until(self, done: Callable[[], bool], seconds: float = 60) -> None:
        async with asyncio.timeout(seconds), self._news:
            await self._news.wait_for(done)

    def audits(self) -> dict[str, Message]:
        """By id; a replay may write one again, and then the same."""
        found: dict[str, Message] = {}
        for audit in self.messages[AUDIT]:
            assert found.setdefault(audit["audit_id"], audit) == audit
        return found

    def outcomes(self, command_id: str) -> list[str]:
        return [audit["outcome"] for audit in self.audits().values() if audit["command_id"] == command_id]

    def has_answered(self, given: list[Message]) -> bool:
        audited = {audit["command_id"] for audit in self.messages[AUDIT]}
        return all(one["command_id"] in audited for one in given)

    def actions(self) -> list[str]:
        """How far what was done about the alerts has come, as it was told."""
        return [action["state"] for fact in self.messages[ALERTS] for action in fact["actions"]]

    def states(self) -> dict[str, Message]:
        """The newest of each target."""
        return {state["target"]: state for state in self.messages[CHANNEL_STATE]}

    def is_settled(self, generations: dict[str, int]) -> bool:
        """Whether the platform has confirmed these generations, and they are the newest."""
        states = self.states()
        return all(
            name in states and states[name]["generation"] == states[name]["platform"]["confirmed_generation"] == wanted
            for name, wanted in generations.items()
        )


@contextlib.asynccontextmanager
async def orders(settings: CommonSettings) -> Any:
    """Appends orders to the log."""
    async with producer(settings) as client:

        async def give(*many: Message) -> None:
            for one in many:
                key, value = one["target"].encode(), json.dumps(one).encode()
                await client.send_and_wait(settings.prefix + CHANNEL_COMMANDS, value, key=key)

        yield give


async def test_from_an_order_to_a_platform_and_back(settings: CommonSettings, tmp_path: Path) -> None:
    platform = Platform(tmp_path)
    with platform.running(), control(settings, tmp_path, platform.url).running() as service:
        await platform.ready()
        async with orders(settings) as give, Topics(settings) as topics:
            await give(order(1, event_time=None, **SIGNAL))
            await topics.until(lambda: topics.is_settled({CHANNEL: 1}))
            assert (await platform.targets())[CHANNEL]["status"] == "paused"
            await give(persons(2, "resume", expected_generation=0), persons(3, "resume", expected_generation=1))
            await topics.until(lambda: topics.is_settled({CHANNEL: 2}))
            assert (await platform.targets())[CHANNEL]["status"] == "running"
            outcomes = [["done"], ["refused"], ["done"]]
            await topics.until(lambda: [topics.outcomes(hex_id(number)) for number in (1, 2, 3)] == outcomes)
            await topics.until(lambda: topics.actions() == ["ordered", "confirmed", "lifted"])
        assert service.end(signal.SIGTERM) == 0
        service.start()
    assert "error" not in service.log().casefold()


async def test_without_a_platform_orders_stand_unconfirmed(settings: CommonSettings, tmp_path: Path) -> None:
    with control(settings, tmp_path, None).running() as service:
        async with orders(settings) as give, Topics(settings) as topics:
            await give(order(1, event_time=None), order(2, target="channel:other", event_time=None))
            await topics.until(lambda: len(topics.states()) == 2)
            assert {state["platform"]["confirmed"] for state in topics.states().values()} == {None}
            assert {state["status"] for state in topics.states().values()} == {"paused"}
        assert service.log().count("no platform is set") == 1


async def test_an_answer_that_was_lost_with_the_process_is_asked_for(settings: CommonSettings, tmp_path: Path) -> None:
    """The platform has done it, its answer is on the way, and the process dies: the next one asks, repeats nothing."""
    platform = Platform(tmp_path)
    with platform.running(), control(settings, tmp_path, platform.url).running() as service:
        await platform.ready()
        async with orders(settings) as give, Topics(settings) as topics:
            await platform.control(kind="stall", method="GET", times=1, seconds=60)
            await give(order(1, event_time=None))
            async with asyncio.timeout(60):
                while CHANNEL not in await platform.targets():  # noqa: ASYNC110 - another process is waited for
                    await asyncio.sleep(0.01)
            service.restart()
            await topics.until(lambda: topics.is_settled({CHANNEL: 1}))
        assert [call["method"] for call in await platform.calls() if call["method"] == "PUT"] == ["PUT"]


async def test_killed_again_and_again_nothing_is_lost_or_done_twice(settings: CommonSettings, tmp_path: Path) -> None:
    """Orders, resumes and new levels on many channels, while the process dies and the platform does what it likes."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    platform = Platform(tmp_path)
    service = control(settings, tmp_path, platform.url, TIDEGATE_CONTROL_PLATFORM_DEADLINE="0.5")
    with platform.running(), service.running():
        await platform.ready()
        async with orders(settings) as give, Topics(settings) as topics:
            sent: list[Message] = []
            for step in range(STEPS):
                for kind in ("lose", "forget", "fail", "stall"):
                    await platform.control(kind=kind, times=5, seconds=3)
                pauses, late, lifts = orders_of(step)
                for one in pauses:
                    await give(one, *rng.choices([one], k=rng.randrange(2)))
                    if rng.random() < 0.08:
                        service.restart()
                if rng.random() < 0.5:
                    platform.restart()
                    await platform.ready()
                await topics.until(partial(topics.is_settled, dict.fromkeys(NAMES, 2 * step + 1)), 120)
                await give(*late, *lifts)
                service.restart()
                sent += [*pauses, *late, *lifts]
                await topics.until(partial(topics.has_answered, sent))
                lifted = {one["target"]: 2 * step + 2 for one in lifts}
                await topics.until(partial(topics.is_settled, lifted), 120)
            check(topics, await platform.targets(), await platform.calls(), sent)
            audit = await check_audit(settings)
            assert (audit.findings, len(audit.ends)) == ([], settings.partitions)


def orders_of(step: int) -> tuple[list[Message], list[Message], list[Message]]:
    """For every channel a pause, a resume that comes too late, and one that is right; the last lift only half."""
    first = step * 1000
    pauses = [order(first + n, target=name, level=step + 1, event_time=None, **SIGNAL) for n, name in enumerate(NAMES)]
    late = [
        persons(first + 300 + n, "resume", target=name, expected_generation=2 * step) for n, name in enumerate(NAMES)
    ]
    lifts = [
        persons(first + 600 + n, "resume", target=name, expected_generation=2 * step + 1)
        for n, name in enumerate(NAMES)
    ]
    return pauses, late, lifts[: LIFTED_LAST if step == STEPS - 1 else None]


def check(topics: Topics, kept: dict[str, Message], calls: list[Message], sent: list[Message]) -> None:
    """Every channel was paused and resumed, every order done or refused once, every alert told."""
    for number, name in enumerate(NAMES):
        state = topics.states()[name]
        expected = ("running", 2 * STEPS) if number < LIFTED_LAST else ("paused", 2 * STEPS - 1)
        assert (state["status"], state["generation"]) == expected
        assert (kept[name]["status"], kept[name]["generation"]) == expected
        generations = [call["generation"] for call in calls if call["applied"] and call["target"] == name]
        assert generations == sorted(generations), "no order undid a newer one"
    for one in sent:
        late = one["command"] == "resume" and one["expected_generation"] % 2 == 0
        assert topics.outcomes(one["command_id"]) == ["refused" if late else "done"]
    facts: dict[tuple[str, int], Message] = {}
    for fact in topics.messages[ALERTS]:
        assert facts.setdefault((fact["writer"], fact["seq"]), fact) == fact
    actions = [action for fact in facts.values() for action in fact["actions"]]
    confirmed = Counter((action["target"], action["what"]) for action in actions if action["state"] == "confirmed")
    assert confirmed == {(name, "pause"): STEPS for name in NAMES}
