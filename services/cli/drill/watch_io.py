"""Watches a drill on the topics: each step is noted when it is seen here."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager
from typing import Any

from services.cli.drill.course import Course, Drill
from services.cli.settings import CliSettings
from services.runtime.kafka.kafka_io import follow, wait_for_broker


class Watch:
    """Of one drill. Seconds count from the moment at which all topics are read."""

    def __init__(self, drill: Drill, settings: CliSettings) -> None:
        self.course = Course(drill)
        self._settings = settings
        self._since_ms = time.time_ns() // 1_000_000
        self._began = time.monotonic()
        self._reading: dict[str, asyncio.Event] = {topic: asyncio.Event() for topic in drill.watches}
        self._changed = asyncio.Event()
        self._readers: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Returns when all readers are at the end of their topics."""
        self._readers = [asyncio.create_task(self._read(topic)) for topic in self._reading]
        await self._wait(asyncio.gather(*(each.wait() for each in self._reading.values())), None)
        self._began = time.monotonic()

    async def stop(self) -> None:
        """Ends the readers."""
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)

    def note(self, step: str) -> None:
        """A step that is seen elsewhere than on a topic."""
        self.course.note(step, self._after_s())

    def left_s(self) -> float:
        """Seconds until the time is up."""
        return max(self.course.drill.within_s - self._after_s(), 0.0)

    async def until(self, steps: Iterable[str], more_s: float = 0.0) -> None:
        """All of them were seen. Raises TimeoutError when the time, and as much more, is up; what a reader raised."""
        wanted, ends = set(steps), time.monotonic() + self.left_s() + more_s
        while not wanted <= self.course.seen.keys():
            self._changed.clear()
            await self._wait(asyncio.ensure_future(self._changed.wait()), max(ends - time.monotonic(), 0.0))

    def _after_s(self) -> float:
        return time.monotonic() - self._began

    async def _read(self, topic: str) -> None:
        async with aclosing(follow(self._settings, topic, since_ms=self._since_ms)) as batches:
            async for batch in batches:
                for record in batch.records:
                    if record.value is not None:
                        self.course.take(topic, record.value, self._after_s())
                if batch.caught_up:
                    self._reading[topic].set()
                self._changed.set()

    async def _wait(self, event: asyncio.Future[Any], timeout_s: float | None) -> None:
        """Raises what a reader that has ended raised, and TimeoutError."""
        ended, _ = await asyncio.wait([event, *self._readers], timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if event not in ended:
            event.cancel()
        for each in ended:
            each.result()
        if not ended:
            raise TimeoutError


@asynccontextmanager
async def watching(drill: Drill, settings: CliSettings) -> AsyncIterator[Watch]:
    """Watches for the length of a `with` block. A time that is up ends the block; the report says what is missing."""
    await wait_for_broker(settings)
    watch = Watch(drill, settings)
    try:
        await watch.start()
        yield watch
    except TimeoutError:
        pass
    finally:
        await watch.stop()
