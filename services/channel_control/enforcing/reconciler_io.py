"""The reconciler: beside the machine, on the owner of the partition, it brings the platform to what is wanted.

What there is to do follows from the machine alone: after a death the next owner sees the same unconfirmed targets, and
asks the platform about each before it puts anything. Reports go to the log with ids that repeat.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final, Protocol

from schemas.channels import WantedState
from schemas.commands import Command
from services.channel_control import metrics
from services.channel_control.enforcing.addresses import Address
from services.channel_control.enforcing.probing import due_again, probes
from services.channel_control.enforcing.reconcile import (
    FROZEN,
    Answer,
    Attempt,
    Call,
    Patience,
    Trouble,
    Uniform,
    after_confirmation,
    after_trouble,
    confirmation,
    failure,
    idempotency_key,
    plan,
    pursue,
    waited,
)
from services.channel_control.holding.target import Target
from services.channel_control.machine import ControlMachine
from services.runtime.machines.companion_io import Log, Owned, PartitionCompanion
from services.runtime.machines.pulse import Pulse
from services.runtime.tracing import traces, traces_io

log = logging.getLogger(__name__)

BEAT_S: Final = 1.0
UNTOLD: Final = Trouble("no_policy", "no policy says yet which platform serves it", zh="尚无策略说明由哪个平台执行")
"""Where there are several: the directory, which says it, is part of the policy."""


class Caller(Protocol):
    """The platforms; see `Platforms`."""

    async def open(self) -> None: ...
    async def close(self) -> None: ...
    def away(self, address: Address) -> str | None: ...
    def rests(self, address: Address) -> bool: ...
    async def call(
        self, call: Call, wanted: WantedState, address: Address, key: str, may_send: Callable[[], bool]
    ) -> Answer: ...


class OrderCaller(Caller, Protocol):
    """For whoever gives orders: they must not reach the wrong one."""

    @property
    def one_for_all(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """parallel, retries: new orders, and orders that failed, whose calls are under way at once, in each partition.

    session_s: a process that was silent for so long may have lost its partitions without being told. After a pause of
    `safe_pause_s` it calls nobody until that time has passed.
    """

    parallel: int = 16
    retries: int = 4
    session_s: float = 10.0
    safe_pause_s: float = 5.0
    patience: Patience = field(default_factory=Patience)


@dataclass(kw_only=True)
class _Owned(Owned[ControlMachine]):
    """A partition that is ours. Attempts are what we remember of the targets that are not settled."""

    pulse: Pulse
    attempts: dict[str, Attempt] = field(default_factory=dict)
    retrying: set[str] = field(default_factory=set)
    away: dict[str, str] = field(default_factory=dict)
    """The targets that wait for a platform which is away, and its name."""
    quiet_until: float = 0.0
    """After a freeze: until when nobody is called."""


def _boot_clock() -> float:
    """Seconds that count while the machine sleeps, where the system has such a clock."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Reconciler(PartitionCompanion[_Owned]):
    """The companion of the machines.

    A call that is under way when a partition is given up may still be carried out; the next owner asks.
    """

    end_reason = "the reconciler failed"

    def __init__(
        self,
        platform: OrderCaller,
        log_: Log,
        limits: Limits,
        *,
        uniform: Uniform = random.uniform,
        clock: Callable[[], float] = time.monotonic,
        boot_clock: Callable[[], float] = _boot_clock,
    ) -> None:
        super().__init__(log_)
        self._platform = platform
        self._limits = limits
        self._uniform = uniform
        self._clock = clock
        self._boot_clock = boot_clock

    def _taken(self, partition: int, machine: ControlMachine) -> _Owned:
        return _Owned(partition, machine, pulse=self._new_pulse())

    async def _open(self) -> None:
        await self._platform.open()

    async def _close(self) -> None:
        await self._platform.close()

    async def _work(self, owned: _Owned) -> None:
        self._ask_first(owned)
        while True:
            owned.wake.clear()
            pause = self._pause(owned, self._look(owned))
            await owned.woken(pause)
            if pause is None:
                owned.pulse = self._new_pulse()

    def _ask_first(self, owned: _Owned) -> None:
        """What is unconfirmed when the machine has seen all that was there may have been put to the platform before we
        came; only the platform knows."""
        now = self._clock()
        for name, target in owned.machine.unsettled.items():
            owned.attempts[name] = Attempt(target.generation, now, ask_first=True)
        owned.pulse = self._new_pulse()

    def _pause(self, owned: _Owned, wake: float | None) -> float | None:
        """How long to wait if nothing comes. While there is something to do the pulse must beat, so that a freeze
        before a call is noticed; while there is nothing the harness notices, which looks before it kicks us."""
        if not owned.machine.unsettled:
            return None
        return BEAT_S if wake is None else min(BEAT_S, max(0.0, wake - self._clock()))

    def _new_pulse(self) -> Pulse:
        pulse = Pulse(self._limits.safe_pause_s, self._boot_clock)
        pulse.beat()
        return pulse

    def _may_call(self, owned: _Owned) -> bool:
        """Whether the partition is ours for certain. If it is not, the group will have told us by `quiet_until`."""
        if owned.pulse.lost(owned.pulse.beat()):
            owned.quiet_until = self._clock() + self._limits.session_s
            log.warning(
                "the process was frozen, no platform is called for a while", extra={"partition": owned.partition}
            )
        return self._clock() >= owned.quiet_until

    def _look(self, owned: _Owned) -> float | None:
        """Begins what is due; when to look again."""
        unsettled = owned.machine.unsettled
        for name in owned.attempts.keys() - unsettled.keys():
            del owned.attempts[name]
        if not self._may_call(owned):
            return owned.quiet_until
        now = self._clock()
        found = plan(
            self._triable(owned, now),
            owned.attempts,
            owned.running.keys(),
            now,
            slots=self._limits.parallel - len(owned.running.keys() - owned.retrying),
            retry_slots=self._limits.retries - len(owned.retrying),
        )
        for target, attempt in found.start:
            owned.attempts[target.name] = attempt
            if attempt.is_retry():
                owned.retrying.add(target.name)
            owned.running[target.name] = asyncio.create_task(self._attempt(owned, target, attempt))
        return found.wake

    def _triable(self, owned: _Owned, now: float) -> list[Target]:
        """What may be tried, as far as platforms are there."""
        unsettled, before = owned.machine.unsettled, owned.away
        names = {name: self._platform.away(owned.machine.address(name)) for name in unsettled}
        owned.away = {target: name for target, name in names.items() if name is not None}
        owned.attempts |= due_again(owned.attempts, before, owned.away, now)
        return probes(unsettled.values(), owned.attempts, owned.running.keys(), owned.away)

    async def _attempt(self, owned: _Owned, target: Target, attempt: Attempt) -> None:
        last = traces_io.last(target.name.encode())
        with traces_io.work("reconcile", last, target=target.name, generation=target.generation):
            await self._try(owned, target, attempt)

    async def _try(self, owned: _Owned, target: Target, attempt: Attempt) -> None:
        try:
            try:
                result = await self._pursue(owned, target, attempt)
            except Exception:
                log.exception("an attempt failed in an unforeseen way", extra=target.for_logs())
                metrics.UNFORESEEN.labels("reconciler").inc()
                result = Trouble("internal", "the reconciler failed; see its log", zh="对账程序出错，详见其日志")
            if isinstance(result, Trouble):
                owned.attempts[target.name] = await self._failed(owned, target, attempt, result)
            else:
                now = datetime.now(UTC)
                await self._report(owned, confirmation(target, result, now))
                for kind, seconds in waited(target, now):
                    metrics.CONFIRMATION_SECONDS.labels(kind).observe(seconds, traces.exemplar())
                log.info("confirmed", extra=target.for_logs() | {"status": result.status})
                owned.attempts[target.name] = after_confirmation(attempt, self._clock(), self._limits.patience)
        finally:
            owned.running.pop(target.name, None)
            owned.retrying.discard(target.name)
            owned.wake.set()

    async def _failed(self, owned: _Owned, target: Target, attempt: Attempt, trouble: Trouble) -> Attempt:
        after, report = after_trouble(attempt, trouble, self._clock(), self._limits.patience, self._uniform)
        if trouble is UNTOLD:
            after = replace(after, due=self._clock() + BEAT_S, failures=attempt.failures)
        if report and trouble.kind != FROZEN:
            retry = round(after.due - self._clock(), 3)
            log.warning("not carried out", extra=target.for_logs() | {"reason": trouble.text, "retry_in_s": retry})
            await self._report(owned, failure(target, trouble, datetime.now(UTC)))
        return after

    async def _report(self, owned: _Owned, command: Command) -> None:
        await self._log.report(owned.partition, command.target.encode(), command.model_dump_json().encode())

    async def _pursue(self, owned: _Owned, target: Target, attempt: Attempt) -> WantedState | Trouble:
        wanted, key = target.wanted(), idempotency_key(target)
        steps = pursue(wanted, ask_first=attempt.ask_first)
        answer: Answer | None = None
        while True:
            try:
                call = next(steps) if answer is None else steps.send(answer)
            except StopIteration as end:
                result: WantedState | Trouble = end.value
                return result
            if not self._may_call(owned):
                return Trouble(FROZEN, "the process was frozen", zh="进程曾被挂起")
            if owned.machine.policy_version is None and not self._platform.one_for_all:
                return UNTOLD
            address = owned.machine.address(wanted.target)
            answer = await self._platform.call(call, wanted, address, key, lambda: self._may_call(owned))
