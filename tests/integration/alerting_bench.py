"""A bench for the deliverer: the real machine, the real stand-in receiver over real HTTP, and a log in memory."""

import asyncio
import base64
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from pydantic import SecretStr

from deploy.demo.receiver import build_app
from schemas.alerts import AlertFact
from services.alerting.machine import AlertingMachine, build
from services.alerting.receivers.webhook import Webhook
from services.alerting.sending.deliverer_io import Deliverer
from services.alerting.sending.delivery import Patience
from services.alerting.sending.lines_io import Lines
from services.runtime.health import Health
from services.runtime.http.http_io import listen, serving
from services.runtime.machines.machine import Output, Record

SECRET = "whsec_" + base64.b64encode(b"not a secret of anyone, a test's").decode()
HASTE = Patience(base_s=0.02, cap_s=0.1)


@dataclass
class MemoryLog:
    """One partition of `alerts`, and what stands beside Kafka in a harness: applies what comes and kicks."""

    machine: AlertingMachine = field(default_factory=lambda: build(0))
    records: list[Record] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    kick: Callable[[int], None] = lambda _: None
    held: bool = False

    def append(self, fact: AlertFact, at_ms: int | None = None) -> None:
        """A fact arrives in the log now; while `held` the machine lags behind."""
        self.put(fact.alert_id.encode(), fact.model_dump_json().encode(), at_ms)

    def put(self, key: bytes, value: bytes, at_ms: int | None = None) -> None:
        """A record of any kind arrives."""
        stamp = int(time.time() * 1000) if at_ms is None else at_ms
        self.records.append(Record(len(self.records), stamp, key, value))
        if not self.held:
            self.catch_up()

    def catch_up(self) -> None:
        """The machine applies what it has not seen."""
        self.held = False
        for record in self.records[self.machine.next_offset :]:
            self.outputs.extend(self.machine.apply(record))
        self.kick(0)

    async def end(self, partition: int) -> int:
        return len(self.records)

    async def report(self, partition: int, key: bytes, value: bytes) -> None:
        self.append(AlertFact.model_validate_json(value))

    async def close(self) -> None:
        """There is nothing to close."""

    def audited(self) -> list[tuple[str, str]]:
        """Type and outcome of each message that ended, in order."""
        audit = [json.loads(one.value or b"") for one in self.outputs if one.topic == "audit"]
        return [(one["detail"]["type"].removeprefix("alert."), one["outcome"]) for one in audit]

    def reports(self) -> list[AlertFact]:
        """What the deliverer said."""
        facts = [AlertFact.model_validate_json(one.value) for one in self.records]
        return [fact for fact in facts if fact.delivery is not None]


@dataclass
class Receiver:
    """The stand-in, seen from outside."""

    url: str
    client: httpx.AsyncClient

    async def told(self, **behaviour: Any) -> None:
        (await self.client.post("/_control", json=behaviour)).raise_for_status()

    async def messages(self) -> list[dict[str, Any]]:
        return (await self.client.get("/_messages")).json()  # type: ignore[no-any-return]

    async def attempts(self) -> list[dict[str, Any]]:
        return (await self.client.get("/_attempts")).json()  # type: ignore[no-any-return]

    async def attempted(self, times: int = 1) -> None:
        """Returns once so many messages were posted."""
        async with asyncio.timeout(20):
            while len(await self.attempts()) < times:  # noqa: ASYNC110 - it is asked over HTTP
                await asyncio.sleep(0.01)

    async def accepted(self, count: int) -> None:
        """Returns once so many messages are there."""
        async with asyncio.timeout(20):
            while len(await self.messages()) < count:  # noqa: ASYNC110 - it is asked over HTTP
                await asyncio.sleep(0.01)

    async def types(self) -> list[str]:
        """What was accepted, in order."""
        return [str(one["message"]["type"]).removeprefix("alert.") for one in await self.messages()]


@contextlib.asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """A stand-in receiver that runs for the length of a `with` block."""
    async with serving(build_app(SECRET), listen("127.0.0.1", 0, "test")) as server:
        url = f"http://127.0.0.1:{server.port}"
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            yield Receiver(f"{url}/hook", client)


@contextlib.asynccontextmanager
async def delivering(
    log: MemoryLog, url: str | None, *, patience: Patience = HASTE, parallel: int = 8, timeout_s: float = 5.0
) -> AsyncIterator[Health]:
    """A deliverer at work on a log for the length of a `with` block."""
    health = Health()
    receivers = [] if url is None else [Webhook(name="default", url=SecretStr(url), secret=SecretStr(SECRET))]
    lines = Lines(receivers, parallel=parallel, timeout_s=timeout_s)
    deliverer = Deliverer(lines, log, patience=patience, health=health.part("receiver"))
    log.kick = deliverer.kick
    await deliverer.start(0, log.machine)
    try:
        yield health
    finally:
        await deliverer.stop(0)


async def until(condition: Callable[[], Any], timeout_s: float = 20.0) -> None:
    """Returns once it holds; fails after a while."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in other tasks, and has no event
            await asyncio.sleep(0.005)
