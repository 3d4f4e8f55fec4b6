"""Sends what is due: beside the machine, on the owner of the partition.

It reads the machine's `heads`, the next message of each alert, and reports how each ended. The report comes back
through the log, and only then is the next message of that alert a head: so their order is kept, and what is due
never depends on what this process remembers.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from schemas.alerts import Delivery
from services.alerting import metrics
from services.alerting.delivery import Answer, Patience, asked_pause, report
from services.alerting.machine import AlertingMachine
from services.alerting.telling import Due
from services.runtime.companion_io import Log, Owned, PartitionCompanion
from services.runtime.health import Part

log = logging.getLogger(__name__)

NO_TARGET = "no receiver is configured"
GONE = "the receiver wants no more messages (410)"


class Target(Protocol):
    """Where messages go; see `WebhookTarget`."""

    async def open(self) -> None: ...
    async def close(self) -> None: ...
    async def send(self, due: Due) -> Answer: ...


@dataclass
class _Owned(Owned[AlertingMachine]):
    """One partition that is ours. `ended`: messages of which only the report is under way, or not yet applied."""

    ended: set[str] = field(default_factory=set)


class Deliverer(PartitionCompanion[_Owned]):
    """The companion of alerting's machines. Without a target it reports each message as `recorded`.

    An attempt that is under way when a partition is given up may still arrive; the next owner's has the same id.
    """

    end_reason = "nothing can be delivered any more"

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
        super().__init__(alert_log)
        self._target = target
        self._patience = patience
        self._slots = asyncio.Semaphore(parallel)
        self._health = health
        self._uniform = uniform
        self._clock = clock
        self._not_before = 0.0
        self._gone = False

    def _taken(self, partition: int, machine: AlertingMachine) -> _Owned:
        return _Owned(partition, machine)

    async def _open(self) -> None:
        if self._target is not None:
            await self._target.open()
        self._say_health()

    async def _close(self) -> None:
        if self._target is not None:
            await self._target.close()

    async def _work(self, owned: _Owned) -> None:
        while True:
            owned.wake.clear()
            self._look(owned)
            await owned.wake.wait()

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
            await self._log.report(owned.partition, fact.alert_id.encode(), fact.model_dump_json().encode())
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
