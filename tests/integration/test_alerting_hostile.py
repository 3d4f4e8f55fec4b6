"""Receivers that do what no receiver should: the message stays due, and the deliverer stays well."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.integration.alerting_bench import MemoryLog, delivering, receiver, until
from tests.unit.alerting.facts import ALERTS, fact, opening

Misdeed = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def silence(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    while await reader.read(1000):
        pass


async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"x-drop: 1\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)


async def hang_up(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    """At once."""


async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"\x16\x03\x01 not HTTP at all \xff\xfe\r\n\r\n")


async def huge_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"x-more: " + b"y" * 60_000 + b"\r\n")
        await writer.drain()


async def endless_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n")
    while True:
        writer.write(b"z" * 65_536)
        await writer.drain()


@contextlib.asynccontextmanager
async def bad_receiver(misdeed: Misdeed) -> AsyncIterator[tuple[str, list[float]]]:
    """Its address, and when it was called."""
    calls: list[float] = []
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.append(time.monotonic())
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await misdeed(reader, writer)

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        # Not in the task itself: one that is cancelled before its first step would leave its connection open.
        task.add_done_callback(lambda _: writer.transport.abort())
        serving.add(task)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", calls
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


@pytest.mark.parametrize("misdeed", [silence, drip, hang_up, garbage, huge_head])
async def test_it_is_tried_again_and_again_and_the_machine_goes_on(misdeed: Misdeed) -> None:
    log = MemoryLog()
    async with bad_receiver(misdeed) as (url, calls), delivering(log, url, timeout_s=0.2):
        log.append(opening())
        await until(lambda: len(calls) >= 3)
        log.append(fact(1, level=2))
        log.append(opening(alert_id=ALERTS[1]))
        await until(lambda: len(calls) >= 6)
        assert log.machine.waiting() == 2, "what is news of an alert waits until its message is through"
        assert log.audited() == []


async def test_an_answer_without_end_is_an_answer() -> None:
    log = MemoryLog()
    async with bad_receiver(endless_body) as (url, calls), delivering(log, url):
        log.append(opening())
        await until(log.audited)
        assert log.audited() == [("opened", "delivered")]
        assert len(calls) == 1


async def test_once_it_behaves_everything_arrives() -> None:
    log = MemoryLog()
    async with bad_receiver(silence) as (url, calls), delivering(log, url, timeout_s=0.2):
        log.append(opening())
        log.append(fact(1, status="resolved"))
        await until(lambda: len(calls) >= 2)
    async with receiver() as there, delivering(log, there.url):
        await until(lambda: log.machine.waiting() == 0)
        assert await there.types() == ["opened", "resolved"]
