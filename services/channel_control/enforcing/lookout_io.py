"""The lookout: beside the machine it says on the log which platforms are away, what waits for them, and that they are
back. It calls nobody: it looks at what the others have heard.

A lookout that begins does not know what the one before it has said, so it takes back what may have been said as soon as
that is not so; the machine passes over what it knows.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

from schemas.commands import Command, Waiting
from services.channel_control.enforcing.addresses import Address
from services.channel_control.enforcing.outages import KIND
from services.channel_control.enforcing.reachability import Sights
from services.channel_control.holding.target import Target
from services.channel_control.machine import ControlMachine
from services.runtime.ids import derive
from services.runtime.machines.companion_io import Log, Owned, PartitionCompanion
from services.runtime.murmur import partition_of

log = logging.getLogger(__name__)

BEAT_S: Final = 1.0
AGAIN_S: Final = 60.0
"""What waits is told anew, where it has changed, at most so often."""
NAMED: Final = 10


@dataclass(frozen=True, slots=True)
class _Told:
    """What was said of a platform, and when (monotonic)."""

    waiting: Waiting | None
    at: float


@dataclass(kw_only=True)
class _Owned(Owned[ControlMachine]):
    """A partition that is ours. told: platforms of which it was said, or may have been, that they are away."""

    told: dict[str, _Told] = field(default_factory=dict)


class Lookout(PartitionCompanion[_Owned]):
    """The companion of the machines. names: of all platforms. name_of: which one serves an address."""

    end_reason = "the lookout failed"

    def __init__(
        self,
        sights: Sights,
        names: Collection[str],
        name_of: Callable[[Address], str | None],
        log_: Log,
        partitions: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        beat_s: float = BEAT_S,
    ) -> None:
        super().__init__(log_)
        self._sights = sights
        self._names = names
        self._name_of = name_of
        self._partitions = partitions
        self._clock = clock
        self._beat_s = beat_s

    def _taken(self, partition: int, machine: ControlMachine) -> _Owned:
        return _Owned(partition, machine, told={name: _Told(None, self._clock()) for name in self._names})

    async def _work(self, owned: _Owned) -> None:
        while True:
            owned.wake.clear()
            await self._look(owned)
            pause = self._beat_s if owned.machine.unsettled or owned.told else None
            await owned.woken(pause)
            await asyncio.sleep(self._beat_s / 10)  # between two looks, however busy the log

    async def _look(self, owned: _Owned) -> None:
        waiting = self._waiting(owned)
        for name in self._names:
            told = owned.told.get(name)
            if told is not None and (not waiting[name] or self._is_back(name, told)):
                await self._report(owned, name, "back", Waiting(partition=owned.partition))
                del owned.told[name]
            if waiting[name] and self._sights.is_away(name, self._clock()):
                await self._tell(owned, name, waiting[name])

    def _is_back(self, name: str, told: _Told) -> bool:
        """Also where it is away again by now: that is another outage, of which people have to hear."""
        return self._sights.is_there(name) or self._sights.has_answered(name, told.at)

    async def _tell(self, owned: _Owned, name: str, waiting: list[Target]) -> None:
        now, told, part = self._clock(), owned.told.get(name), self._part(owned, name, waiting)
        if told is None or told.waiting is None or (told.waiting != part and now >= told.at + AGAIN_S):
            await self._report(owned, name, "away", part)
            owned.told[name] = _Told(part, now)

    def _waiting(self, owned: _Owned) -> dict[str, list[Target]]:
        waiting: dict[str, list[Target]] = {name: [] for name in self._names}
        for target in owned.machine.unsettled.values():
            name = self._name_of(owned.machine.address(target.name))
            if name is not None:
                waiting[name].append(target)
        return waiting

    def _part(self, owned: _Owned, name: str, targets: list[Target]) -> Waiting:
        named = [f"{target.name} {target.wanted().status}" for target in targets[:NAMED]]
        why = self._sights.reason(name)
        return Waiting(partition=owned.partition, count=len(targets), targets=named, reason=why.en, reason_zh=why.zh)

    async def _report(self, owned: _Owned, name: str, word: Literal["away", "back"], waiting: Waiting) -> None:
        now, target = datetime.now(UTC), f"{KIND}{name}"
        command = Command(
            command_id=derive(target, word, str(owned.partition), now.isoformat()),
            command=word,
            target=target,
            issued_by="reconciler",
            issued_at=now,
            waiting=waiting,
        )
        key = target.encode()
        await self._log.report(partition_of(key, self._partitions), key, command.model_dump_json().encode())
        log.info("told of a platform", extra={"platform": name, "word": word, "waiting": waiting.count})
