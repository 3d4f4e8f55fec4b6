"""The gateway while its broker dies, freezes or is not there yet: bounded answers, and no acknowledged event lost."""

import asyncio
import contextlib
import json
import signal
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from deploy.embedded.broker import Broker
from services.runtime.settings import CommonSettings
from tests.integration.http_service import HttpService, running, until, until_ready
from tests.integration.test_gateway import EVENTS, click, environ_of, everything

ACK_TIMEOUT_S = 1.0
BOUND_S = ACK_TIMEOUT_S + 5.0
"""No answer may take longer, whatever the broker does; with room for a slow machine."""


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One that may die."""
    with Broker(tmp_path_factory.mktemp("mortal")) as broker:
        yield broker


@pytest.fixture
def settings(own_broker: Broker) -> Iterator[CommonSettings]:
    yield CommonSettings(kafka=own_broker.bootstrap, prefix=f"{uuid.uuid4().hex[:8]}.", partitions=2)
    if own_broker.pid is None:
        own_broker.start()


@contextlib.asynccontextmanager
async def gateway(
    settings: CommonSettings, folder: Path, **more: str
) -> AsyncIterator[tuple[HttpService, httpx.AsyncClient]]:
    environ = environ_of(settings, folder) | {"TIDEGATE_GATEWAY_ACK_TIMEOUT_S": str(ACK_TIMEOUT_S)} | more
    headers = {"Authorization": "Bearer all", "Content-Type": "application/json"}
    with running("gateway", environ, folder / "log") as service:
        async with httpx.AsyncClient(base_url=service.url, headers=headers, timeout=30) as client:
            yield service, client


class Sender:
    """Sends batches of numbered events over and over until each is acknowledged, and notes how it went."""

    def __init__(self, client: httpx.AsyncClient, name: str) -> None:
        self._client = client
        self._name = name
        self._number = 0
        self.sent: Counter[str] = Counter()
        self.accepted: set[str] = set()
        self.statuses: Counter[int] = Counter()
        self.slowest = 0.0
        self.stop = False

    async def run(self) -> None:
        """Until `stop`; then what is still open is brought to its end."""
        while not self.stop:
            names = [f"{self._name}-{self._number + step}" for step in range(20)]
            self._number += 20
            while names:
                names = await self._send(names)

    async def _send(self, names: list[str]) -> list[str]:
        """Returns those that have to be sent again."""
        body = b"[" + b",".join(click(name, f"channel {hash(name) % 5}") for name in names) + b"]"
        self.sent.update(names)
        began = time.monotonic()
        answer = await self._client.post(EVENTS, content=body)
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.statuses[answer.status_code] += 1
        if answer.status_code == 202:
            self.accepted.update(names)
            return []
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["Retry-After"]) > 0
        told = answer.json()
        again = [names[place] for place in told["unacknowledged"]]
        assert told["accepted"] == len(names) - len(again)
        self.accepted.update(set(names) - set(again))
        await asyncio.sleep(0.1)
        return again


async def settled(client: httpx.AsyncClient, senders: list[Sender], count: int) -> None:
    """Returns once every sender has had so many more answers of 202."""
    before = [sender.statuses[202] for sender in senders]

    async def reached() -> bool:
        return all(sender.statuses[202] >= was + count for sender, was in zip(senders, before, strict=True))

    await until(reached, 60)


@pytest.mark.parametrize("how", ["kill", "stop", "freeze"])
async def test_no_event_is_lost_when_the_broker_goes_away_in_the_middle(
    own_broker: Broker, settings: CommonSettings, tmp_path: Path, how: str
) -> None:
    async with gateway(settings, tmp_path) as (_, client):
        await until_ready(client)
        senders = [Sender(client, f"sender-{number}") for number in range(4)]
        running_senders = [asyncio.create_task(sender.run()) for sender in senders]
        await settled(client, senders, 20)
        await asyncio.to_thread(getattr(own_broker, how))

        async def all_refused() -> bool:
            return all(sender.statuses[503] >= 3 for sender in senders)

        await until(all_refused)

        async def not_ready() -> bool:
            return (await client.get("/readyz")).status_code == 503

        await until(not_ready)
        assert (await client.get("/healthz")).status_code == 200
        await asyncio.to_thread(own_broker.thaw if how == "freeze" else own_broker.start)
        await settled(client, senders, 20)
        for sender in senders:
            sender.stop = True
        await asyncio.gather(*running_senders)
        await until_ready(client)
    found = Counter(
        json.loads(record.value or b"")["event_id"] for record in await everything(settings, "channel-events")
    )
    assert max(sender.slowest for sender in senders) < BOUND_S
    for sender in senders:
        assert sender.accepted == set(sender.sent)
        assert sender.accepted <= set(found)
        # More copies than were sent would be ours; the sender's own carry the same event_id.
        assert all(found[name] <= count for name, count in sender.sent.items())


async def test_a_broker_that_is_not_there_yet_is_waited_for(
    own_broker: Broker, settings: CommonSettings, tmp_path: Path
) -> None:
    own_broker.stop()
    patience_s = 10
    async with gateway(settings, tmp_path, TIDEGATE_GATEWAY_ACK_TIMEOUT_S=str(patience_s)) as (service, client):
        began = time.monotonic()
        answer = await client.post(EVENTS, content=click("early"))
        assert (answer.status_code, answer.json()["unacknowledged"]) == (503, [0])
        assert time.monotonic() - began < patience_s + 2
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.get("/healthz")).status_code == 200

        async def said() -> bool:
            return "Kafka does not answer, waiting for it" in service.log()

        await until(said)
        await asyncio.to_thread(own_broker.start)
        await until_ready(client)
        assert (await client.post(EVENTS, content=click("early"))).status_code == 202
    assert [record.value for record in await everything(settings, "channel-events")] == [click("early")]


async def test_what_is_too_much_while_the_broker_is_slow_is_told_to_come_back(
    own_broker: Broker, settings: CommonSettings, tmp_path: Path
) -> None:
    limits = {
        "TIDEGATE_GATEWAY_MAX_BODY_BYTES": "100000",
        "TIDEGATE_GATEWAY_MAX_UNPACKED_BYTES": "100000",
        "TIDEGATE_GATEWAY_IN_WORK_BYTES": "100000",
        "TIDEGATE_GATEWAY_ACK_TIMEOUT_S": "5",  # all have come before the first is answered
    }
    async with gateway(settings, tmp_path, **limits) as (_, client):
        await until_ready(client)
        own_broker.freeze()
        try:
            posts = [client.post(EVENTS, content=click(f"much-{number}")) for number in range(30)]
            answers = await asyncio.gather(*posts)
        finally:
            own_broker.thaw()
        told = Counter(answer.status_code for answer in answers)
        assert set(told) == {429, 503}
        assert told[503] == 100_000 // (16 * 1024)
        assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)

        async def accepted() -> bool:
            return (await client.post(EVENTS, content=click("afterwards"))).status_code == 202

        await until(accepted)


async def test_it_ends_in_time_even_with_requests_in_work_and_no_broker(
    own_broker: Broker, settings: CommonSettings, tmp_path: Path
) -> None:
    async with gateway(settings, tmp_path, TIDEGATE_GATEWAY_ACK_TIMEOUT_S="20") as (service, client):
        await until_ready(client)
        own_broker.freeze()
        try:
            posts = [asyncio.create_task(client.post(EVENTS, content=click(f"last-{number}"))) for number in range(5)]

            async def in_work() -> bool:
                return "tidegate_gateway_in_work_bytes 0.0" not in (await client.get("/metrics")).text

            await until(in_work)
            began = time.monotonic()
            assert await asyncio.to_thread(service.end, signal.SIGTERM) == 0
            assert time.monotonic() - began < 8
            answers = await asyncio.gather(*posts)
        finally:
            own_broker.thaw()
        assert {answer.status_code for answer in answers} == {503}
        assert "Traceback" not in service.log()
