"""The reconciler against the stand-in platform over real HTTP: it fails, stalls, forgets, loses answers, is away."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from deploy.demo.platform import build_app
from deploy.demo.platform_state import PlatformState
from deploy.ports import free_port
from schemas.channels import WantedState
from services.channel_control.enforcing.addresses import DEFAULT, Address
from services.channel_control.enforcing.platform_io import Platforms
from services.channel_control.enforcing.reconcile import Answer, Patience, Seen, Trouble
from services.channel_control.enforcing.reconciler_io import Limits, Reconciler
from services.channel_control.machine import ControlMachine
from services.channel_control.platforms.generic import Generic, GenericOptions
from services.runtime.http import http_io
from tests.unit.channel_control.orders import CHANNEL, SIGNAL, order, persons, record

DEADLINE_S = 10.0
"""Whatever the machine does meanwhile; `HASTY_S` where the platform is to miss it."""
HASTY_S = 0.3
LIMITS = Limits(patience=Patience(base_s=0.01, cap_s=0.05))
TOKEN = "a-token"
PAUSED = WantedState(target=CHANNEL, status="paused", factor=0.0, generation=1)
SECRET = "whsec_" + b64encode(b"k" * 24).decode()


@asynccontextmanager
async def standing_in(state: PlatformState, port: int = 0) -> AsyncIterator[str]:
    """The stand-in on a port of its own; its address."""
    app = build_app(state, TOKEN, SECRET)
    async with http_io.serving(app, http_io.listen("127.0.0.1", port, "port")) as server:
        yield f"http://127.0.0.1:{server.port}"
        app.state.freed.set()


def platforms(url: str, token: str = TOKEN, secret: str = SECRET, deadline_s: float = DEADLINE_S) -> Platforms:
    options = GenericOptions(url=url, token=SecretStr(token), secret=SecretStr(secret))
    return Platforms({DEFAULT: Generic(options, lambda: datetime.now(UTC))}, deadline_s)


class System:
    """A machine whose log is a list, the reconciler beside it, and the platform that it calls."""

    def __init__(self, at: Platforms) -> None:
        self.machine = ControlMachine(0)
        self.log: list[dict[str, Any]] = []
        self.reconciler = Reconciler(at, self, LIMITS)
        self._changed = asyncio.Condition()

    async def end(self, partition: int) -> int:
        return len(self.log)

    async def report(self, partition: int, key: bytes, value: bytes) -> None:
        await self.give(json.loads(value))

    async def close(self) -> None:
        pass

    async def give(self, fields: dict[str, Any]) -> None:
        async with self._changed:
            self.log.append(fields)
            self.machine.apply(record(len(self.log) - 1, fields))
            self._changed.notify_all()
        self.reconciler.kick(0)

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(20), self._changed:
            await self._changed.wait_for(done)

    async def until_settled(self) -> None:
        await self.until(lambda: not self.machine.unsettled)

    def errors(self) -> list[str]:
        return [fields["note"] for fields in self.log if fields["command"] == "failed"]

    def errors_of(self, target: str) -> list[str]:
        return [fields["note"] for fields in self.log if (fields["command"], fields["target"]) == ("failed", target)]


@asynccontextmanager
async def system_at(
    url: str, token: str = TOKEN, secret: str = SECRET, deadline_s: float = DEADLINE_S
) -> AsyncIterator[System]:
    system = System(platforms(url, token, secret, deadline_s))
    await system.reconciler.start(0, system.machine)
    try:
        yield system
    finally:
        await system.reconciler.stop(0)


@pytest.fixture
async def state() -> PlatformState:
    return PlatformState()


@pytest.fixture
async def url(state: PlatformState) -> AsyncIterator[str]:
    async with standing_in(state) as address:
        yield address


@pytest.fixture
async def system(url: str) -> AsyncIterator[System]:
    async with system_at(url) as running:
        yield running


@pytest.fixture
async def hasty(url: str) -> AsyncIterator[System]:
    async with system_at(url, deadline_s=HASTY_S) as running:
        yield running


async def control(url: str, **fault: Any) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        (await client.post(f"{url}/_control", json=fault)).raise_for_status()


async def without_faults(url: str) -> None:
    """Whatever stalls goes on, and nothing more is to go wrong."""
    async with httpx.AsyncClient(trust_env=False) as client:
        (await client.delete(f"{url}/_control")).raise_for_status()


def puts(state: PlatformState, target: str = CHANNEL) -> list[tuple[int | None, bool]]:
    """Generation, and whether it was applied, of each PUT."""
    return [(call.generation, call.applied) for call in state.calls if (call.method, call.target) == ("PUT", target)]


async def test_a_pause_arrives_is_read_back_and_confirmed(state: PlatformState, system: System) -> None:
    await system.give(order(1))
    await system.until_settled()
    assert state.targets[CHANNEL].status == "paused"
    assert [(call.method, call.answered) for call in state.calls] == [("PUT", 200), ("GET", 200)]
    target = system.machine.target(CHANNEL)
    assert (target.confirmed, target.confirmed_generation, target.error) == ("paused", 1, None)


async def test_any_target_finds_its_place(state: PlatformState, system: System) -> None:
    names = [
        "promotion:基金 A/B?x=1&y#z@抖音",
        "content:a b%2Fc",
        "channel:../_targets",
        "account:é",
        "actor:00",
        "product:a",
    ]
    for number, name in enumerate(names):
        await system.give(order(number, target=name))
    await system.until_settled()
    assert set(state.targets) == set(names)


async def test_a_platform_that_fails_is_told_of_and_tried_again(state: PlatformState, url: str, system: System) -> None:
    await control(url, kind="fail", times=3, status=503)
    await system.give(order(1))
    await system.until_settled()
    assert system.errors() == ["the platform answered 503"]
    assert puts(state)[-1] == (1, True)


async def test_an_answer_that_is_lost_is_asked_for_and_nothing_is_put_twice(
    state: PlatformState, url: str, system: System
) -> None:
    await control(url, kind="lose", method="PUT", times=1)
    await system.give(order(1))
    await system.until_settled()
    assert system.errors() == ["the platform cannot be reached (RemoteProtocolError)"]
    assert [call.method for call in state.calls] == ["PUT", "GET"]
    assert puts(state) == [(1, True)]


async def test_a_platform_that_stalls_holds_nobody_else_up(url: str, hasty: System) -> None:
    await control(url, kind="stall", target=CHANNEL, method="PUT", times=1000, seconds=30)
    await hasty.give(order(1))
    await hasty.give(order(2, target="channel:other"))
    await hasty.until(lambda: "channel:other" not in hasty.machine.unsettled)
    assert CHANNEL in hasty.machine.unsettled
    await hasty.until(lambda: bool(hasty.errors_of(CHANNEL)))
    await without_faults(url)
    await hasty.until_settled()
    assert hasty.errors_of(CHANNEL) == [f"the platform did not answer within {HASTY_S:g} s"]


async def test_a_late_retry_cannot_undo_a_newer_order(state: PlatformState, url: str, hasty: System) -> None:
    await control(url, kind="stall", method="PUT", times=1, seconds=30)
    await hasty.give(order(1, **SIGNAL))
    await hasty.until(lambda: "failed" in [fields["command"] for fields in hasty.log])
    await hasty.give(persons(2, "resume", expected_generation=1))
    await hasty.until_settled()
    await without_faults(url)
    stalled = next(call for call in state.calls if call.fault == "stall")
    async with asyncio.timeout(5):
        while stalled.answered is None:  # noqa: ASYNC110 - what is waited for happens in the server
            await asyncio.sleep(0.005)
    assert (stalled.generation, stalled.answered, stalled.applied) == (1, 409, False)
    assert state.targets[CHANNEL].status == "running"


async def test_a_platform_that_forgets_is_found_out(state: PlatformState, url: str, system: System) -> None:
    await control(url, kind="forget", times=1, method="PUT")
    await system.give(order(1))
    await system.until_settled()
    assert system.errors() == ["the platform took the order and shows something else"]
    assert puts(state) == [(1, False), (1, True)]


async def test_a_newer_generation_on_the_platform_is_shown_not_overwritten(
    state: PlatformState, system: System
) -> None:
    foreign = WantedState(target=CHANNEL, status="running", factor=1.0, generation=9)
    state.put(foreign)
    await system.give(order(1))
    await system.until(lambda: bool(system.errors()))
    assert system.errors() == ["the platform holds generation 9, newer than 1"]
    assert state.targets[CHANNEL] == foreign
    assert list(system.machine.unsettled) == [CHANNEL]


async def test_a_wrong_token_is_an_error_that_names_no_token(url: str) -> None:
    async with system_at(url, token="another") as system:
        await system.give(order(1))
        await system.until(lambda: bool(system.errors()))
        assert system.errors() == ["the platform answered 401"]


async def test_who_signs_with_another_secret_is_refused(state: PlatformState, url: str) -> None:
    async with system_at(url, secret="whsec_" + b64encode(b"x" * 24).decode()) as system:
        await system.give(order(1))
        await system.until(lambda: bool(system.errors()))
        assert system.errors() == ["the platform answered 401"]
        assert state.targets == {}


async def test_an_idempotency_key_repeats_with_its_order_and_only_then(
    state: PlatformState, url: str, system: System
) -> None:
    await control(url, kind="forget", times=1, method="PUT")
    await system.give(order(1))
    await system.until_settled()
    await system.give(order(2, level=2))
    await system.until_settled()
    first, again, second = [call.idempotency_key for call in state.calls if call.method == "PUT"]
    assert first == again != second


async def test_retry_after_is_heard(url: str) -> None:
    await control(url, kind="fail", status=429, retry_after=7)
    platform = platforms(url)
    await platform.open()
    answer = await platform.call("put", PAUSED, Address(), "key")
    await platform.close()
    assert answer == Trouble("http_429", "the platform answered 429", 7.0)


@asynccontextmanager
async def answering(answer: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[str]:
    """A server that reads a request and answers as it likes; its address."""
    handlers: list[asyncio.Task[Any]] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handlers.extend(filter(None, [asyncio.current_task()]))
        with suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            await answer(writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    await asyncio.gather(*handlers)


async def asked(url: str, deadline_s: float = DEADLINE_S) -> Answer:
    """What a single question brings."""
    platform = platforms(url, deadline_s=deadline_s)
    await platform.open()
    try:
        return await platform.call("ask", PAUSED, Address(), "key")
    finally:
        await platform.close()


async def test_a_platform_that_drips_meets_the_deadline() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with answering(drip) as url:
        answer = await asked(url, HASTY_S)
    assert answer == Trouble("timeout", f"the platform did not answer within {HASTY_S:g} s")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n<html>hi</html>",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"[" * 200_000,
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nxxxxx",
    ],
)
async def test_what_is_no_state_is_a_bad_answer(answer: bytes) -> None:
    async def nonsense(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    async with answering(nonsense) as url:
        result = await asked(url)
    assert isinstance(result, Trouble)
    assert result.kind == "bad_answer"


async def test_a_platform_that_is_away_gets_the_newest_orders_when_it_is_back(state: PlatformState) -> None:
    port = free_port()
    async with system_at(f"http://127.0.0.1:{port}") as system:
        for number in range(30):
            await system.give(order(number, target=f"channel:{number}", alert_id=None, **SIGNAL))
        await system.until(lambda: len(system.errors()) == 30)
        await system.give(persons(99, "resume", target="channel:3", expected_generation=1))
        async with standing_in(state, port):
            await system.until_settled()
            assert {name for name, kept in state.targets.items() if kept.status != "paused"} == {"channel:3"}
            assert puts(state, "channel:3") == [(2, True)], "what was overtaken is not even sent"
            assert len(state.targets) == 30


async def test_the_stand_in_keeps_its_state_in_a_file(tmp_path: Path) -> None:
    wanted = WantedState(target=CHANNEL, status="throttled", factor=0.5, generation=4)
    PlatformState(tmp_path / "state.json").put(wanted)
    again = PlatformState(tmp_path / "state.json")
    again.load()
    async with standing_in(again) as url:
        assert await asked(url) == Seen(wanted)
