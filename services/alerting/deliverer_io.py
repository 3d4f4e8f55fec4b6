"""Sends what is due: beside the machine, on the owner of the partition.

It reads the machine's `heads`, the next message of each alert, and reports how each ended. The report comes back
through the log, and only then is the next message of that alert a head: so their order is kept, and what is due
never depends on what this process remembers.
"""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from schemas.alerts import AlertFact, Delivery
from services.alerting import metrics
from services.alerting.delivery import Answer, Patience, asked_pause, report
from services.alerting.machine import AlertingMachine
from services.alerting.telling import Due
from services.runtime.end_io import end_process
from services.runtime.health import Part

log = logging.getLogger(__name__)

NO_TARGET = "no receiver is configured"
GONE = "the receiver wants no more messages (410)"
STOP_S = 1.0


class Target(Protocol):
    """Where messages go; see `WebhookTarget`."""

    async def open(self) -> None: ...
    async def close(self) -> None: ...
    async def send(self, due: Due) -> Answer: ...


class Log(Protocol):
    """The log of the partitions; see `AlertLog`."""

    async def end(self, partition: int) -> int: ...
    async def report(self, partition: int, fact: AlertFact) -> None: ...
    async def close(self) -> None: ...


@dataclass
class _Owned:
    """One partition that is ours. `ended`: messages of which only the report is under way, or not yet applied."""

    partition: int
    machine: AlertingMachine
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    running: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    task: asyncio.Task[None] | None = None


class Deliverer:
    """The companion of alerting's machines. Without a target it reports each message as `recorded`."""

    def __init__(
        self,
        target: Target | None,
        alert_log: Log,
        *,
        patience: Patience,
        parallel: int,
        health: Part,
        uniform: Callable[[float, float], float] = random.uniform,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._target = target
        self._log = alert_log
        self._patience = patience
        self._slots = asyncio.Semaphore(parallel)
        self._health = health
        self._uniform = uniform
        self._clock = clock
        self._owned: dict[int, _Owned] = {}
        self._not_before = 0.0
        self._gone = False

    async def start(self, partition: int, machine: AlertingMachine) -> None:
        """Begin to deliver what is due on a partition."""
        await self.stop(partition)
        if not self._owned and self._target is not None:
            await self._target.open()
        self._say_health()
        owned = _Owned(partition, machine)
        owned.task = asyncio.create_task(self._work(owned), name=f"deliver {partition}")
        self._owned[partition] = owned

    async def stop(self, partition: int) -> None:
        """Give up a partition. An attempt under way may still arrive; the next owner's has the same id."""
        owned = self._owned.pop(partition, None)
        if owned is None:
            return
        tasks = [*owned.running.values(), *([owned.task] if owned.task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=STOP_S)
        if not self._owned:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_S):
                    if self._target is not None:
                        await self._target.close()
                    await self._log.close()

    def kick(self, partition: int) -> None:
        """The machine has applied records: there may be new messages, or fewer."""
        owned = self._owned.get(partition)
        if owned is not None:
            owned.wake.set()

    async def _work(self, owned: _Owned) -> None:
        try:
            # What was delivered before we took over is known once the machine has seen the reports on it.
            end = await self._log.end(owned.partition)
            while owned.machine.next_offset < end:
                owned.wake.clear()
                await owned.wake.wait()
            while True:
                owned.wake.clear()
                self._look(owned)
                await owned.wake.wait()
        except Exception as error:  # noqa: BLE001
            end_process("nothing can be delivered any more", error, partition=owned.partition)

    def _look(self, owned: _Owned) -> None:
        """Start on what has become due, leave alone what no longer is."""
        heads = {due.webhook_id: due for due in owned.machine.heads()}
        for webhook_id in owned.running.keys() - heads.keys() - owned.ended:
            owned.running.pop(webhook_id).cancel()
        owned.ended &= heads.keys() | owned.running.keys()
        for webhook_id in heads.keys() - owned.running.keys() - owned.ended:
            owned.running[webhook_id] = asyncio.create_task(self._deliver(owned, heads[webhook_id]))
        metrics.DUE.labels(owned.partition).set(owned.machine.waiting())

    async def _deliver(self, owned: _Owned, due: Due) -> None:
        """Send one message until it has ended, and report how."""
        try:
            outcome, answer, why = await self._outcome(due)
            ended_at = self._clock()
            owned.ended.add(due.webhook_id)
            fact = report(owned.partition, due, outcome, ended_at, answer, why)
            await self._log.report(owned.partition, fact)
        except Exception:
            # A bug; it must not take the other alerts with it.
            log.exception("a message could not be handled, trying again later", extra=_fields(due))
            await asyncio.sleep(self._patience.cap_s)
            owned.ended.discard(due.webhook_id)
            owned.wake.set()
        else:
            _tell(due, outcome, why, ended_at)
        finally:
            owned.running.pop(due.webhook_id, None)

    async def _outcome(self, due: Due) -> tuple[Delivery, Answer | None, str | None]:
        """How a message ends: sent until it arrives, nobody wants it, or its time is over."""
        if self._target is None:
            return "recorded", None, NO_TARGET
        attempt = 0
        while not self._gone:
            answer = await self._attempt(self._target, due)
            if answer is None:
                break
            attempt += 1
            if answer.delivered:
                return "delivered", answer, None
            now = self._clock()
            pause = max(self._patience.pause(attempt, self._uniform), self._asked(answer, now))
            _say_failure(due, attempt, answer, pause)
            if answer.gone:
                self._give_up_target()
                return "failed", answer, GONE
            if now + pause > self._patience.deadline(due):
                return "failed", answer, f"given up after {attempt} attempts: {answer.problem}"
            await asyncio.sleep(pause)
        return "failed", None, GONE

    async def _attempt(self, target: Target, due: Due) -> Answer | None:
        """One attempt, when there is a slot and the receiver has not asked for peace; None if it is gone by then."""
        async with self._slots:
            while (pause := self._not_before - _monotonic()) > 0:  # noqa: ASYNC110 - another answer may prolong it
                await asyncio.sleep(pause)
            return None if self._gone else await target.send(due)

    def _asked(self, answer: Answer, now: float) -> float:
        """`Retry-After` is about the receiver, not about this message: all wait for it."""
        pause = asked_pause(answer, now)
        self._not_before = max(self._not_before, _monotonic() + pause)
        return pause

    def _give_up_target(self) -> None:
        """Until the next start, when a new address may be in the settings."""
        if not self._gone:
            self._gone = True
            log.error("nothing more will be sent until a restart", extra={"reason": GONE})
            self._say_health()

    def _say_health(self) -> None:
        if self._gone:
            self._health.wait(f"{GONE}; check its address and restart")
        else:
            self._health.ok()


def _tell(due: Due, outcome: Delivery, why: str | None, at: float) -> None:
    metrics.DELIVERIES.labels(outcome).inc()
    if outcome == "delivered":
        metrics.DELAY_SECONDS.observe(max(0.0, at - due.decided_ms / 1000))
        log.info("delivered", extra=_fields(due))
    elif outcome == "failed":
        log.error("a message was given up", extra={**_fields(due), "reason": why})


def _say_failure(due: Due, attempt: int, answer: Answer, pause: float) -> None:
    fields = {**_fields(due), "attempt": attempt, "reason": answer.problem, "pause_s": round(pause, 1)}
    # Once a message is enough while a receiver is away for a day.
    log.log(logging.WARNING if attempt == 1 else logging.DEBUG, "an attempt failed", extra=fields)


def _monotonic() -> float:
    return asyncio.get_running_loop().time()


def _fields(due: Due) -> dict[str, str]:
    return {"webhook_id": due.webhook_id, "alert_id": due.alert_id, "type": due.change}
