"""The console as a process, over real HTTP, on a real broker; channel_control's own machine decides on the orders."""

import asyncio
import contextlib
import signal
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.embedded.broker import Broker
from schemas.content import ContentPolicy, Phrase
from schemas.policy import Policy, PolicyRef
from schemas.topics import ALERT_STATE, CHANNEL_COMMANDS, CHANNEL_STATE, POLICY
from services.channel_control.machine import ControlMachine
from services.runtime.ids import derive
from services.runtime.kafka.kafka_io import ensure_topics, follow, producer
from services.runtime.machines.machine import Output
from services.runtime.settings import CommonSettings
from tests.integration.http_service import HttpService, ends_badly, running, until, until_ready
from tests.support.machines import send, standing_in
from tests.unit.console.samples import alert, channel

API = "/api/v1"
PEOPLE = f"""
- {{name: li.wei, sha256: {sha256(b"operator").hexdigest()}, role: operator}}
- {{name: zhao, sha256: {sha256(b"viewer").hexdigest()}, role: viewer}}
"""
TARGETS = 3_000


def environ_of(settings: CommonSettings, folder: Path) -> dict[str, str]:
    (folder / "people.yml").write_text(PEOPLE)
    return {
        "TIDEGATE_KAFKA": settings.kafka,
        "TIDEGATE_PREFIX": settings.prefix,
        "TIDEGATE_PARTITIONS": str(settings.partitions),
        "TIDEGATE_CONSOLE_PORT": "0",
        "TIDEGATE_CONSOLE_TOKENS_FILE": str(folder / "people.yml"),
        "TIDEGATE_CONSOLE_SEND_TIMEOUT_S": "10",
    }


def control(settings: CommonSettings) -> AbstractAsyncContextManager[None]:
    """What channel_control does."""
    return standing_in(settings, CHANNEL_COMMANDS, ControlMachine)


@contextlib.asynccontextmanager
async def console(
    settings: CommonSettings, folder: Path, **more: str
) -> AsyncIterator[tuple[HttpService, httpx.AsyncClient]]:
    headers = {"Authorization": "Bearer operator"}
    with running("console", environ_of(settings, folder) | more, folder / "log") as service:
        async with httpx.AsyncClient(base_url=service.url, headers=headers, timeout=40) as client:
            yield service, client


@pytest.fixture
async def settings(broker: Broker) -> CommonSettings:
    settings = CommonSettings(kafka=broker.bootstrap, prefix=f"{uuid.uuid4().hex[:8]}.", partitions=2)
    await ensure_topics(settings)
    return settings


async def test_it_is_ready_only_when_all_is_read(settings: CommonSettings, tmp_path: Path) -> None:
    states = [channel(f"channel:{number:05}", generation) for generation in (1, 2) for number in range(TARGETS)]
    outputs = [Output(CHANNEL_STATE, one.target.encode(), one.model_dump_json().encode()) for one in states]
    async with producer(settings, linger_ms=5) as to:
        await send(settings, to, *outputs)
    async with console(settings, tmp_path) as (_, client):
        early = await client.get(f"{API}/channels")
        if early.status_code != 200:
            assert (early.status_code, early.headers["Retry-After"]) == (503, "2")
        await until_ready(client)
        found: list[dict[str, Any]] = []
        after = ""
        while after is not None:
            page = (await client.get(f"{API}/channels", params={"after": after, "limit": 1000})).json()
            found += page["channels"]
            after = page["next"]
    assert [one["target"] for one in found] == [f"channel:{number:05}" for number in range(TARGETS)]
    assert {one["generation"] for one in found} == {2}


async def test_a_person_pauses_and_resumes_a_channel(settings: CommonSettings, tmp_path: Path) -> None:
    async with console(settings, tmp_path) as (_, client), control(settings):
        await until_ready(client)
        order = {"target": "channel:douyin", "note": "投诉太多"}
        paused = await client.post(f"{API}/orders/pause", json=order, params={"wait": 20})
        assert (paused.status_code, paused.json()["outcome"]) == (200, "done")
        state = await shown(client, "channel:douyin", "paused")
        (hold,) = state["holds"]
        assert (hold["by"], state["platform"]["wanted"]) == ("person:li.wei", "paused")

        stale = {"target": "channel:douyin", "expected_generation": state["generation"] - 1}
        refused = await client.post(f"{API}/orders/resume", json=stale, params={"wait": 20})
        assert (refused.status_code, "generation" in refused.json()["detail"]) == (409, True)

        right = stale | {"expected_generation": state["generation"], "hold_ids": [hold["hold_id"]]}
        key = {"Idempotency-Key": "resume douyin"}
        resumed = await client.post(f"{API}/orders/resume", json=right, params={"wait": 20}, headers=key)
        again = await client.post(f"{API}/orders/resume", json=right, params={"wait": 20}, headers=key)
        assert (resumed.status_code, resumed.json()["outcome"]) == (200, "done")
        assert again.json() == resumed.json()
        assert (await shown(client, "channel:douyin", "running"))["holds"] == []

        told = (await client.get(f"{API}/audit", params={"target": "channel:douyin"})).json()["audit"]
        assert [(one["what"], one["outcome"]) for one in told] == [
            ("resume", "done"),
            ("resume", "refused"),
            ("pause", "done"),
        ]


async def shown(client: httpx.AsyncClient, target: str, status: str) -> dict[str, Any]:
    """The target's state once it has this status."""
    state: dict[str, Any] = {}

    async def has_it() -> bool:
        nonlocal state
        answer = await client.get(f"{API}/channels/{target}")
        state = answer.json()
        return answer.status_code == 200 and state["status"] == status

    await until(has_it)
    return state


async def test_an_alert_is_acknowledged(settings: CommonSettings, tmp_path: Path) -> None:
    known = alert("one", subject="actor:someone")
    async with producer(settings) as to:
        await send(settings, to, Output(ALERT_STATE, known.alert_id.encode(), known.model_dump_json().encode()))
    async with console(settings, tmp_path) as (_, client), control(settings):
        await until_ready(client)
        (listed,) = (await client.get(f"{API}/alerts")).json()["alerts"]
        order = {"alert_id": listed["alert_id"]}
        answer = await client.post(f"{API}/orders/acknowledge", json=order, params={"wait": 20})
        assert (answer.status_code, answer.json()["target"]) == (200, "actor:someone")
        unknown = await client.post(f"{API}/orders/acknowledge", json={"alert_id": derive("no such")})
        assert unknown.status_code == 404


async def test_a_viewer_and_a_stranger_order_nothing(settings: CommonSettings, tmp_path: Path) -> None:
    async with console(settings, tmp_path) as (_, client):
        await until_ready(client)
        for header, status in (("Bearer viewer", 403), ("Bearer nobody", 401), ("", 401)):
            client.headers["Authorization"] = header
            assert (
                await client.post(f"{API}/orders/pause", json={"target": "channel:a", "note": "n"})
            ).status_code == status
        client.headers["Authorization"] = "Bearer viewer"
        assert (await client.get(f"{API}/channels")).status_code == 200
    async with contextlib.aclosing(follow(settings, CHANNEL_COMMANDS)) as batches:
        assert (await anext(batches)).records == []


async def test_records_that_nobody_understands_are_left_out(settings: CommonSettings, tmp_path: Path) -> None:
    good = channel("channel:good")
    async with producer(settings) as to:
        odd = [Output(CHANNEL_STATE, key, value) for key, value in ((b"x", b"{"), (b"\xff", b"\xff"), (b"", b"[]"))]
        await send(settings, to, *odd, Output(CHANNEL_STATE, b"channel:good", good.model_dump_json().encode()))
    async with console(settings, tmp_path) as (_, client):
        await until_ready(client)
        assert [one["target"] for one in (await client.get(f"{API}/channels")).json()["channels"]] == ["channel:good"]
        assert 'tidegate_console_unreadable_total{topic="channel-state"} 3.0' in (await client.get("/metrics")).text


async def test_a_text_is_scanned_by_the_policy_in_force(settings: CommonSettings, tmp_path: Path) -> None:
    """Which may change without a restart."""

    async def put_in_force(version: int, phrase: str) -> None:
        policy = Policy(version=version, content=ContentPolicy(phrases=[Phrase(text=phrase)], prompts=[]))
        active = PolicyRef(name=policy.name, version=version).model_dump_json().encode()
        document = Output(POLICY, policy.label.encode(), policy.model_dump_json().encode())
        async with producer(settings) as to:
            await send(settings, to, document, Output(POLICY, b"active", active))

    async with console(settings, tmp_path) as (_, client):
        await until_ready(client)
        client.headers["Authorization"] = "Bearer viewer"
        assert (await client.post(f"{API}/scan", json={"body": "甲乙"})).status_code == 503
        for version, phrase in ((1, "甲乙"), (2, "丙丁")):
            await put_in_force(version, phrase)

            async def is_followed(label: str = f"default/{version}") -> bool:
                told = (await client.post(f"{API}/scan", json={"body": ""})).json()
                return bool(told.get("policy") == label)

            await until(is_followed)
            told = (await client.post(f"{API}/scan", json={"body": "甲 乙，丙 丁"})).json()
            assert [finding["phrase"] for finding in told["findings"]] == [phrase]


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One that may die."""
    with Broker(tmp_path_factory.mktemp("mortal")) as broker:
        yield broker


async def answered(client: httpx.AsyncClient, what: str, order: dict[str, Any]) -> dict[str, Any]:
    """The answer to one order, which is given again while a broker that has just started takes too long for it."""
    told: dict[str, Any] = {}

    async def is_taken() -> bool:
        nonlocal told
        key = {"Idempotency-Key": f"one {what}"}
        answer = await client.post(f"{API}/orders/{what}", json=order, params={"wait": 20}, headers=key)
        told = answer.json()
        return answer.status_code != 503

    await until(is_taken)
    return told


async def test_without_its_broker_it_shows_what_it_knows_and_takes_no_orders(
    own_broker: Broker, tmp_path: Path
) -> None:
    settings = CommonSettings(kafka=own_broker.bootstrap, prefix="away.", partitions=2)
    order = {"target": "channel:douyin", "note": "n"}
    own_broker.stop()
    async with console(settings, tmp_path, TIDEGATE_CONSOLE_SEND_TIMEOUT_S="1") as (service, client):
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get(f"{API}/channels")).status_code == 503
        assert (await client.post(f"{API}/orders/pause", json=order)).status_code == 503
        await asyncio.to_thread(own_broker.start)
        await until_ready(client)
        async with control(settings):
            assert (await answered(client, "pause", order))["outcome"] == "done"
            await shown(client, "channel:douyin", "paused")
        await asyncio.to_thread(own_broker.kill)

        async def not_ready() -> bool:
            return (await client.get("/readyz")).status_code == 503

        await until(not_ready)
        assert (await client.get(f"{API}/channels/channel:douyin")).json()["status"] == "paused"
        answer = await client.post(f"{API}/orders/pause", json=order)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")

        await asyncio.to_thread(own_broker.start)
        await until_ready(client)
        async with control(settings):
            resume = {"target": "channel:douyin", "expected_generation": 1}
            assert (await answered(client, "resume", resume))["outcome"] == "done"
            await shown(client, "channel:douyin", "running")
        assert await asyncio.to_thread(service.end, signal.SIGTERM) == 0
        assert "Traceback" not in service.log()


def test_bad_settings_are_named_all_at_once(tmp_path: Path) -> None:
    bad = {"TIDEGATE_CONSOLE_TOKENS_FILE": str(tmp_path / "missing"), "TIDEGATE_CONSOLE_PORT": "-1"}
    code, told = ends_badly("console", bad)
    assert (code, "Traceback" in told) == (2, False)
    assert all(name in told for name in bad)
