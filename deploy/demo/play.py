"""The play of `make demo`: sends the day's events, and looks at what Tidegate does in each of its scenes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from deploy.demo.looks import Looks
from deploy.demo.stage import Stage
from deploy.demo.stories import Event
from deploy.demo.story import BEGINS, Day
from deploy.demo.timeline import Timeline

TICK_S = 0.25
BATCH = 500


@dataclass(frozen=True)
class Scene:
    """What happens from an hour of the day on, and what to look at once the story has come to another."""

    begins: float
    what: str
    until: float
    look: Callable[[Looks], Awaitable[None]] | None = None


class Play:
    """The story on its stage. seconds: of the wall clock for the whole day, the checks aside."""

    def __init__(self, stage: Stage, day: Day, timeline: Timeline, scenes: Sequence[Scene], seconds: float) -> None:
        self._stage, self._day, self._timeline, self._scenes = stage, day, timeline, scenes
        self._looks = Looks(stage, day, timeline)
        self._next, self._now = 0, day.at(BEGINS)
        self._step = timedelta(seconds=(day.at(scenes[-1].until) - self._now).total_seconds() * TICK_S / seconds)

    async def run(self) -> None:
        """Everything that happens that day, with a look at each incident."""
        await self._tell_before()
        for scene in self._scenes:
            self._timeline.heading(self._day.at(scene.begins), scene.what)
            await self._play_until(self._day.at(scene.until))
            if scene.look is not None:
                await scene.look(self._looks)
        await self._stage.tell_end()

    async def _tell_before(self) -> None:
        """The days before, as fast as they are taken."""
        for first in range(0, len(self._day.before), BATCH):
            batch = self._day.before[first : first + BATCH]
            await self._stage.send(batch)
            await self._stage.tell_time(datetime.fromisoformat(batch[-1]["occurred_at"]))

    async def _play_until(self, end: datetime) -> None:
        while self._now < end:
            began = time.monotonic()
            self._now = min(end, self._now + self._step)
            if batch := self._due():
                await self._stage.send(batch)
            await self._stage.tell_time(self._now)
            await asyncio.sleep(max(0.0, TICK_S - (time.monotonic() - began)))

    def _due(self) -> list[Event]:
        start = self._next
        limit = self._now.astimezone(UTC).isoformat()
        while self._next < len(self._day.events) and self._day.events[self._next]["occurred_at"] < limit:
            self._next += 1
        return self._day.events[start : self._next]
