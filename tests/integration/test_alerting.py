"""Alerting as it runs: the process on a real Kafka, killed without warning, and a receiver that fails meanwhile."""

import asyncio
import contextlib
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.embedded.broker import Broker
from schemas.alerting import AlertingPolicy
from schemas.alerts import AlertFact, AlertState
from schemas.policy import Policy, PolicyInForce
from schemas.topics import ALERT_STATE, ALERTS, AUDIT, TOPICS
from services.cli.audit.audit_io import check as check_audit
from services.runtime.ids import derive
from services.runtime.kafka.kafka_io import ensure_topics, follow, producer, read_compacted
from services.runtime.murmur import partition_of
from services.runtime.settings import CommonSettings
from tests.chaos.compare import lines_of
from tests.integration.alerting_bench import SECRET, Receiver, receiver
from tests.unit.alerting.facts import fact, opening


@pytest.fixture
async def settings(broker: Broker) -> CommonSettings:
    settings = CommonSettings(kafka=broker.bootstrap, prefix=f"{uuid.uuid4().hex[:8]}.")
    await ensure_topics(settings)
    return settings


class Alerting:
    """The service as a process that can be killed and started again."""

    def __init__(self, settings: CommonSettings, url: str, log_file: Path) -> None:
        self._environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")},
            "TIDEGATE_KAFKA": settings.kafka,
            "TIDEGATE_PREFIX": settings.prefix,
            "TIDEGATE_ALERTING_WEBHOOK_URL": url,
            "TIDEGATE_ALERTING_WEBHOOK_SECRET": SECRET,
        }
        self._log_file = log_file
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log_file.open("ab") as output:
            command = [sys.executable, "-m", "services.alerting"]
            self._process = subprocess.Popen(command, env=self._environ, stdout=output, stderr=output)

    def end(self, number: signal.Signals) -> int:
        """Send the signal, wait; the exit code."""
        if self._process is None:
            raise RuntimeError("it does not run")
        self._process.send_signal(number)
        return self._process.wait(20)

    def restart(self) -> None:
        """kill -9, and up again."""
        self.end(signal.SIGKILL)
        self.start()

    async def keep_alive(self) -> None:
        """Start it whenever it has ended by itself, as its supervisor would; until cancelled."""
        while True:
            if self._process is None or self._process.poll() is not None:
                self.start()
            await asyncio.sleep(0.1)

    def log(self) -> str:
        return self._log_file.read_text()


@contextlib.contextmanager
def running(settings: CommonSettings, url: str, log_file: Path) -> Iterator[Alerting]:
    alerting = Alerting(settings, url, log_file)
    alerting.start()
    try:
        yield alerting
    finally:
        alerting.end(signal.SIGKILL)


@contextlib.asynccontextmanager
async def sender(settings: CommonSettings) -> AsyncIterator[Any]:
    """Appends facts to `alerts`."""
    async with producer(settings) as client:

        async def send(*facts: AlertFact) -> None:
            for one in facts:
                value = one.model_dump_json().encode()
                await client.send_and_wait(settings.prefix + ALERTS, value, key=one.alert_id.encode())

        yield send


async def under(settings: CommonSettings, **alerting: Any) -> None:
    """Puts a policy in force."""
    policy = Policy(version=1, alerting=AlertingPolicy.model_validate(alerting))
    value = PolicyInForce(policy=policy).model_dump_json().encode()
    async with producer(settings) as client:
        for partition in range(TOPICS[ALERTS].partitions(settings.partitions)):
            await client.send_and_wait(settings.prefix + ALERTS, value, key=b"policy", partition=partition)


def life(alert_id: str) -> list[AlertFact]:
    """An alert from its opening over two levels to its end, as its indicator tells it."""
    later: list[dict[str, Any]] = [
        {"level": 2, "status": "updated"},
        {"level": 3, "status": "updated"},
        {"status": "resolved"},
    ]
    return [
        opening(alert_id=alert_id),
        *(fact(seq, alert_id=alert_id, **words) for seq, words in enumerate(later, 1)),
    ]


async def stories(there: Receiver) -> dict[str, list[str]]:
    """By alert, the types of its messages in the order of their first arrival."""
    told: dict[str, list[str]] = defaultdict(list)
    for one in await there.messages():
        for line in lines_of(one["message"]):
            told[line["alert_id"]].append(line["change"].removeprefix("alert."))
    return told


def is_whole(story: list[str]) -> bool:
    """An opening, at most two levels, and the end: what changed while a message was on its way is told by the next."""
    return [story[0], story[-1]] == ["opened", "resolved"] and story[1:-1] in ([], ["updated"], ["updated"] * 2)


async def audited(settings: CommonSettings, done: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    """The audit once it is so; a replay may repeat a record, with its id."""
    records: dict[str, dict[str, Any]] = {}
    async with asyncio.timeout(60), contextlib.aclosing(follow(settings, AUDIT)) as batches:
        async for batch in batches:
            for one in batch.records:
                record = json.loads(one.value or b"")
                assert records.setdefault(record["audit_id"], record) == record
            if done(list(records.values())) and batch.caught_up:
                break
    return list(records.values())


def ends(count: int, what: str = "alert.resolved") -> Callable[[list[dict[str, Any]]], bool]:
    """Whether so many messages of a kind have ended."""
    return lambda records: sum(one["detail"]["type"] == what for one in records) >= count


async def test_an_alert_is_told_and_the_state_and_the_audit_are_right(settings: CommonSettings, tmp_path: Path) -> None:
    alert_id = derive("one")
    async with receiver() as there, sender(settings) as send:
        with running(settings, there.url, tmp_path / "log") as alerting:
            await send(*life(alert_id))
            records = await audited(settings, ends(1))
            assert alerting.end(signal.SIGTERM) == 0
        (story,) = (await stories(there)).values()
    assert is_whole(story)
    assert [(one["outcome"], one["alert_id"]) for one in records] == [("delivered", alert_id)] * len(story)
    states = await read_compacted(settings, ALERT_STATE)
    state = AlertState.model_validate_json(states[alert_id.encode()])
    assert (state.status, state.level) == ("resolved", 3)


async def test_nothing_is_lost_or_doubled_under_kill_9(settings: CommonSettings, tmp_path: Path) -> None:
    """Killed at random moments, the receiver failing half of the time: each message once, in order, to the end."""
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    print(f"seed {seed}")
    await under(settings, storm={"alerts": 1000})  # so many at once are none
    alerts = [derive("killed", str(number)) for number in range(30)]
    waiting = {alert_id: life(alert_id) for alert_id in alerts}
    async with receiver() as there, sender(settings) as send:
        with running(settings, there.url, tmp_path / "log") as alerting:
            for round_number in range(6):
                await there.told(status=chance.choice([204, 500, 503]), delay_s=chance.choice([0, 0.05]))
                for alert_id in chance.sample(alerts, 20):
                    facts = waiting[alert_id]
                    for one in facts[: chance.randint(1, 2)]:
                        await send(*([one] * chance.randint(1, 2)))
                        facts.remove(one)
                await asyncio.sleep(chance.uniform(0, 4))
                if round_number < 5:
                    alerting.restart()
            await there.told(times=0)
            await send(*(one for facts in waiting.values() for one in facts))
            records = await audited(settings, ends(len(alerts)))
        told = await stories(there)
        assert told.keys() == set(alerts)
        assert all(map(is_whole, told.values()))
        assert all(one["verified"] for one in await there.attempts())
    assert {(one["outcome"], one["what"]) for one in records} == {("delivered", "deliver")}
    assert len(records) == sum(map(len, told.values()))
    audit = await check_audit(settings)
    assert (audit.findings, sum(end.number for end in audit.ends.values())) == ([], len(records))
    for value in (await read_compacted(settings, ALERT_STATE)).values():
        assert AlertState.model_validate_json(value).status == "resolved"
    assert SECRET not in alerting.log()
    assert there.url not in alerting.log()


async def test_what_waits_for_its_time_survives_kill_9(settings: CommonSettings, tmp_path: Path) -> None:
    """Followers that are collected, and a ladder: killed before its time comes, alerting keeps both appointments."""
    ladder = [{"after": "20s", "receivers": ["default"]}]
    await under(settings, routes=[{"group_by": ["indicator"], "ladder": ladder}], gather="10s")
    partitions = TOPICS[ALERTS].partitions(settings.partitions)
    ids = (derive("waits", str(number)) for number in itertools.count())
    first, second, third = itertools.islice((each for each in ids if partition_of(each.encode(), partitions) == 0), 3)
    async with receiver() as there, sender(settings) as send:
        with running(settings, there.url, tmp_path / "log") as alerting:
            await send(opening(alert_id=first))
            await audited(settings, ends(1, "alert.opened"))
            await send(opening(alert_id=second), opening(alert_id=third))
            alerting.restart()
            await audited(settings, ends(2, "alert.opened"))
            alerting.restart()
            await audited(settings, ends(1, "alert.updated"))
        messages = [one["message"] for one in await there.messages()]
    assert [message.get("occasion") for message in messages] == [None, "summary", "summary"]
    assert {line["alert_id"] for line in messages[1]["group"]["alerts"]} == {second, third}
    assert {line["occasion"] for line in messages[2]["group"]["alerts"]} == {"reminder"}
    assert len(messages[2]["group"]["alerts"]) == 3


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
async def test_a_message_that_waits_survives_and_keeps_its_id(
    settings: CommonSettings, tmp_path: Path, ending: signal.Signals
) -> None:
    async with receiver() as there, sender(settings) as send:
        await there.told(status=500)
        with running(settings, there.url, tmp_path / "log") as alerting:
            await send(opening(alert_id=derive("waiting")))
            await there.attempted(2)
            alerting.end(ending)
            alerting.start()
            tried = len(await there.attempts())
            await there.attempted(tried + 1)
            await there.told(times=0)
            await audited(settings, ends(1, "alert.opened"))
        attempts = await there.attempts()
        assert len({one["webhook_id"] for one in attempts}) == 1
        assert [one["status"] for one in attempts].count(204) == 1


async def test_a_delivery_survives_the_brokers_death(tmp_path: Path) -> None:
    """The receiver has the message, and the report on it finds no broker."""
    with Broker(tmp_path / "kafka") as broker:
        settings = CommonSettings(kafka=broker.bootstrap)
        await ensure_topics(settings)
        async with receiver() as there:
            with running(settings, there.url, tmp_path / "log") as alerting:
                async with sender(settings) as send:
                    await send(opening(alert_id=derive("first")))
                    await audited(settings, ends(1, "alert.opened"))
                    await there.told(delay_s=1, times=1)
                    await send(opening(alert_id=derive("second")))
                    await there.attempted(2)
                broker.kill()
                await there.accepted(2)
                await asyncio.to_thread(broker.restart)
                supervising = asyncio.create_task(alerting.keep_alive())
                assert len(await audited(settings, ends(2, "alert.opened"))) == 2
                supervising.cancel()
            assert await stories(there) == {derive("first"): ["opened"], derive("second"): ["opened"]}


def test_bad_settings_are_all_named_and_none_is_quoted() -> None:
    bad = {
        "TIDEGATE_ALERTING_WEBHOOK_URL": "gopher://hidden",
        "TIDEGATE_ALERTING_WEBHOOK_SECRET": "hidden",
        "TIDEGATE_ALERTING_WEBHOOK_URLS": "hidden",
        "TIDEGATE_PARTITIONS": "many",
    }
    environ = {**{name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}, **bad}
    command = [sys.executable, "-m", "services.alerting"]
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert all(name in ended.stderr for name in bad)
    assert "hidden" not in ended.stderr
    assert "Traceback" not in ended.stderr
