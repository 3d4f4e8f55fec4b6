"""The watcher: beside the machine it reads settled targets again, and reports what is not as it was confirmed.

It only reads, so it is in nobody's way: new orders do not wait for it, and two workers who read the same do no harm.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from schemas.channels import WantedState
from schemas.commands import Command
from services.channel_control import metrics
from services.channel_control.enforcing.drift import has_drifted, is_back
from services.channel_control.enforcing.reconcile import Seen, Trouble, Uniform, confirmation, drift, idempotency_key
from services.channel_control.enforcing.reconciler_io import Caller
from services.channel_control.enforcing.rounds import Rounds
from services.channel_control.holding.target import Target
from services.channel_control.machine import ControlMachine
from services.runtime.machines.companion_io import Log, Owned, PartitionCompanion

log = logging.getLogger(__name__)

AT_ONCE: Final = 16
"""Readings under way, in each partition: a platform that stalls holds up no more."""
TOO_MANY: Final = ("http_429", "rate_limited")
"""Trouble that is not the target's: it was read too soon after others."""


@dataclass(kw_only=True)
class _Owned(Owned[ControlMachine]):
    """A partition that is ours."""

    rounds: Rounds


class Watcher(PartitionCompanion[_Owned]):
    """The companion of the machines. interval_s, per_s: see Rounds."""

    end_reason = "the watcher failed"

    def __init__(
        self,
        platform: Caller,
        log_: Log,
        interval_s: float,
        per_s: float,
        *,
        uniform: Uniform = random.uniform,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(log_)
        self._platform = platform
        self._interval_s = interval_s
        self._per_s = per_s
        self._uniform = uniform
        self._clock = clock

    def _taken(self, partition: int, machine: ControlMachine) -> _Owned:
        first = self._clock() + self._uniform(0.0, self._interval_s / 2)  # not all workers in step
        return _Owned(partition, machine, rounds=Rounds(self._interval_s, self._per_s, first))

    async def _open(self) -> None:
        await self._platform.open()

    async def _close(self) -> None:
        await self._platform.close()

    async def _work(self, owned: _Owned) -> None:
        while True:
            owned.wake.clear()
            idle = not owned.machine.watched
            pause = None if idle or len(owned.running) >= AT_ONCE else self._look(owned)
            await owned.woken(pause)
            if idle:
                owned.rounds.wait(self._clock())

    def _look(self, owned: _Owned) -> float:
        """Begins the next reading if it is time; in how many seconds to look again."""

        def may(target: Target) -> bool:
            address = owned.machine.address(target.name)
            return target.name not in owned.running and not self._platform.rests(address)

        target = owned.rounds.take(owned.machine.watched, self._clock(), may)
        if target is not None:
            owned.running[target.name] = asyncio.create_task(self._read(owned, target))
        return max(0.0, owned.rounds.next_at - self._clock())

    async def _read(self, owned: _Owned, target: Target) -> None:
        try:
            address = owned.machine.address(target.name)
            key = idempotency_key(target)
            answer = await self._platform.call("ask", target.wanted(), address, key, lambda: True)
            if isinstance(answer, Trouble) and answer.kind in TOO_MANY and answer.retry_after_s > 0:
                owned.rounds.again(target.name)
            # Whatever was ordered, or found, meanwhile is newer than this answer.
            elif isinstance(answer, Seen) and owned.machine.watched.get(target.name) == target:
                await self._compare(owned, target, answer.state)
        except Exception:
            log.exception("a reading failed in an unforeseen way", extra=target.for_logs())
            metrics.UNFORESEEN.labels("watcher").inc()
        finally:
            owned.running.pop(target.name, None)
            owned.wake.set()

    async def _compare(self, owned: _Owned, target: Target, seen: WantedState | None) -> None:
        now = datetime.now(UTC)
        if has_drifted(target, seen, corrected=owned.machine.corrects(target, seen, now)):
            metrics.DRIFTS.inc()
            status = None if seen is None else seen.status
            fields = target.for_logs() | {"wanted": target.wanted().status, "shown": status}
            log.warning("the platform no longer shows what it had confirmed", extra=fields)
            await self._report(owned, drift(target, seen, now))
        elif seen is not None and is_back(target, seen):
            await self._report(owned, confirmation(target, seen, now))

    async def _report(self, owned: _Owned, command: Command) -> None:
        await self._log.report(owned.partition, command.target.encode(), command.model_dump_json().encode())
