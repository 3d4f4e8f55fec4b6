"""Runs the drill of a leak: sends what a person did, tries the token until it is refused, and searches."""

import asyncio
import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx

from schemas.access import NOTHING_PERSONAL
from services.cli.drill.course import Course
from services.cli.drill.leak import Leak, Search
from services.cli.drill.take_down_io import send
from services.cli.drill.watch_io import Watch, watching
from services.cli.settings import CliSettings
from services.runtime.kafka.kafka_io import follow

AGAIN_S: Final = 0.5
"""Between two tries of a token."""


async def run(
    leak: Leak,
    within_s: float,
    settings: CliSettings,
    leaked: httpx.AsyncClient,
    renewed: httpx.AsyncClient,
    files: Iterable[Path],
) -> Course:
    """leaked, renewed: the gateway, with either token. Raises httpx.HTTPError where it does not take the events."""
    began = datetime.now(UTC)
    async with watching(leak.drill(within_s), settings) as watch:
        await send(leaked, *leak.did(began))
        try:
            watch.note("accepted")
            await watch.until(["traced"])
            print("now take the leaked token out, as if it had leaked", file=sys.stderr, flush=True)
            await _until(watch, "refused", leaked, lambda status: status == 401)
            await _until(watch, "renewed", renewed, lambda status: status == 400)
        finally:
            if not await close(leak, renewed, leaked):
                watch.course.notes.append(leak.still_open)
        search = Search(leak)
        async with asyncio.timeout(watch.left_s()):
            await _search(search, settings, began, files)
        watch.course.notes += search.notes()
        if not search.found:
            watch.note("clean")
    return watch.course


async def close(leak: Leak, *gateways: httpx.AsyncClient) -> bool:
    """Whether one of them has taken that the complaint is closed: until then people are called for it."""
    for gateway in gateways:
        with contextlib.suppress(httpx.HTTPError):
            await send(gateway, leak.closed(datetime.now(UTC)))
            return True
    return False


async def _until(watch: Watch, step: str, gateway: httpx.AsyncClient, is_it: Callable[[int], bool]) -> None:
    """Tries the token with a request that does nothing, until it is answered so. Raises TimeoutError."""
    async with asyncio.timeout(watch.left_s()):
        while True:
            if is_it(await _status(gateway)):
                return watch.note(step)
            await asyncio.sleep(AGAIN_S)


async def _status(gateway: httpx.AsyncClient) -> int:
    """Of the answer to an empty body, 400 or 401; 0 while the gateway is away, as when it starts with other tokens."""
    try:
        return (await gateway.post("/v1/events")).status_code
    except httpx.TransportError:
        return 0


async def _search(search: Search, settings: CliSettings, since: datetime, files: Iterable[Path]) -> None:
    for topic in NOTHING_PERSONAL:
        async with aclosing(follow(settings, topic, since_ms=int(since.timestamp() * 1000))) as batches:
            async for batch in batches:
                search.look(topic, (b"\n".join((each.key or b"", each.value or b"")) for each in batch.records))
                if batch.caught_up:
                    break
    for path in files:
        for file in sorted(each for each in (path, *path.rglob("*")) if each.is_file()):
            search.look(str(file), _lines(file))


def _lines(file: Path) -> Iterator[bytes]:
    with file.open("rb") as lines:
        yield from lines
