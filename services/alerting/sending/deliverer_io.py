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
from dataclasses import dataclass, field, replace

from schemas.alerts import Delivery
from schemas.base import Bilingual
from services.alerting import metrics
from services.alerting.machine import AlertingMachine
from services.alerting.receivers.notice import Notice
from services.alerting.sending.delivery import Answer, Patience, report
from services.alerting.sending.lines_io import Line, Lines
from services.alerting.telling import Due
from services.runtime.health import Part
from services.runtime.machines.companion_io import Log, Owned, PartitionCompanion
from services.runtime.tracing import traces, traces_io
from services.runtime.tracing.traces_io import Span

log = logging.getLogger(__name__)

NO_TARGET = Bilingual(en="no receiver is configured", zh="未配置接收方")
PLAIN = Bilingual(
    en="only its title and a link were sent: the message could not be rendered, the log says why",
    zh="通知无法生成，仅发送了标题与链接，原因见日志",
)
BUG = Bilingual(en="a bug of ours kept it from being sent, the log has it", zh="因我方故障未能发送，详见日志")
GONE = Bilingual(en="the receiver wants no more messages (410)", zh="接收方不再接收通知（410）")


@dataclass
class _Owned(Owned[AlertingMachine]):
    """One partition that is ours. `ended`: messages of which only the report is under way, or not yet applied."""

    ended: set[str] = field(default_factory=set)


class Deliverer(PartitionCompanion[_Owned]):
    """The companion of alerting's machines. Without any receiver it reports each message as `recorded`.

    An attempt that is under way when a partition is given up may still arrive; the next owner's has the same id.
    """

    end_reason = "nothing can be delivered any more"

    def __init__(
        self,
        lines: Lines,
        alert_log: Log,
        *,
        patience: Patience,
        health: Part,
        uniform: Callable[[float, float], float] = random.uniform,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(alert_log)
        self._lines = lines
        self._patience = patience
        self._health = health
        self._uniform = uniform
        self._clock = clock

    def _taken(self, partition: int, machine: AlertingMachine) -> _Owned:
        return _Owned(partition, machine)

    async def _open(self) -> None:
        await self._lines.open()
        self._say_health()

    async def _close(self) -> None:
        await self._lines.close()

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

    async def _deliver(self, owned: _Owned, due: Due) -> None:
        """Send one message until it has ended, and report how."""
        with traces_io.work("deliver", traces_io.last(due.alert_id.encode()), **_fields(due)) as span:
            await self._try(owned, due, span)

    async def _try(self, owned: _Owned, due: Due, span: Span) -> None:
        try:
            outcome, answer, why = await self._outcome(owned, due)
            span.note(outcome=outcome)
            ended_at = self._clock()
            owned.ended.add(due.webhook_id)
            fact = report(owned.partition, due, outcome, ended_at, answer, why)
            await self._log.report(owned.partition, fact.alert_id.encode(), fact.model_dump_json().encode())
        except Exception:
            # A bug; it must not take the other alerts with it.
            log.exception("a message could not be handled, trying again later", extra=_fields(due))
            metrics.UNFORESEEN.labels("deliverer").inc()
            await asyncio.sleep(self._patience.cap_s)
            owned.ended.discard(due.webhook_id)
            owned.wake.set()
        else:
            _tell(due, outcome, why, ended_at)
        finally:
            owned.running.pop(due.webhook_id, None)

    async def _outcome(self, owned: _Owned, due: Due) -> tuple[Delivery, Answer | None, Bilingual | None]:
        """How a message ends: sent until it arrives, nobody wants it, or its time is over."""
        if not self._lines:
            return "recorded", None, NO_TARGET
        notice = Notice.of(due)
        notice = replace(notice, rest=tuple(owned.machine.whole(notice.unnamed())))
        attempt = 0
        while (line := self._lines.to(notice)) is not None:
            answer = await _attempt(line, notice)
            if answer is None:
                return "failed", None, GONE
            attempt += 1
            if answer.delivered:
                return "delivered", answer, PLAIN if answer.plain else None
            now = self._clock()
            pause = max(self._patience.pause(attempt, self._uniform), line.asked(answer, now))
            _say_failure(due, attempt, answer, pause)
            if answer.gone:
                self._say_health()
                return "failed", answer, GONE
            if now + pause > self._patience.deadline(due):
                line.condition.gave_up = True
                said = answer.problem
                why = Bilingual(
                    en=f"given up after {attempt} attempts: {said.en}", zh=f"尝试 {attempt} 次后放弃：{said.zh}"
                )
                return "failed", answer, why
            await asyncio.sleep(pause)
        return (
            "failed",
            None,
            Bilingual(en=f"no receiver is called {due.receiver}", zh=f"没有名为 {due.receiver} 的接收方"),
        )

    def _say_health(self) -> None:
        """One that is gone stays so until the next start, when a new address may be in the settings."""
        gone = [name for name, condition in self._lines.conditions().items() if condition.gone]
        if gone:
            self._health.wait(f"{', '.join(gone)}: {GONE.en}; check the address and restart")
            log.error("nothing more will be sent until a restart", extra={"receivers": gone, "reason": GONE.en})
        else:
            self._health.ok()


async def _attempt(line: Line, notice: Notice) -> Answer | None:
    """A bug is a failure like another: tried again, and given up in time, so that what follows is told."""
    try:
        return await line.attempt(notice)
    except Exception:
        log.exception("a message could not be sent", extra=_fields(notice.due))
        metrics.UNFORESEEN.labels("deliverer").inc()
        return Answer(None, BUG.en, error_zh=BUG.zh)


def _tell(due: Due, outcome: Delivery, why: Bilingual | None, at: float) -> None:
    metrics.DELIVERIES.labels(outcome).inc()
    if outcome == "delivered":
        metrics.DELAY_SECONDS.observe(max(0.0, at - due.decided_ms / 1000), traces.exemplar())
        log.info("delivered", extra=_fields(due))
    elif outcome == "failed":
        log.error("a message was given up", extra={**_fields(due), "reason": None if why is None else why.en})


def _say_failure(due: Due, attempt: int, answer: Answer, pause: float) -> None:
    fields = {**_fields(due), "attempt": attempt, "reason": answer.problem.en, "pause_s": round(pause, 1)}
    # Once a message is enough while a receiver is away for a day.
    log.log(logging.WARNING if attempt == 1 else logging.DEBUG, "an attempt failed", extra=fields)


def _fields(due: Due) -> dict[str, str]:
    return {
        "webhook_id": due.webhook_id,
        "alert_id": due.alert_id,
        "type": due.change,
        "receiver": due.receiver,
    }
