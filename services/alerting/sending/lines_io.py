"""The lines to the receivers, each with slots, pace and condition of its own: one that is away holds up no other."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from services.alerting import metrics
from services.alerting.receivers.book import DEFAULT
from services.alerting.receivers.notice import Notice
from services.alerting.receivers.receiver import Receiver
from services.alerting.sending.condition import Condition
from services.alerting.sending.delivery import Answer, asked_pause
from services.alerting.sending.linking import Linker
from services.alerting.sending.pacing import Pacer
from services.alerting.watching.receiver_watch import SUBJECT
from services.runtime.http.outgoing import Mail, Reply, Request
from services.runtime.http.outgoing_io import Outbox

log = logging.getLogger(__name__)


class Sending(Protocol):
    """Who sends; see `Outbox`."""

    async def open(self) -> None: ...
    async def close(self) -> None: ...
    async def send(self, what: Request | Mail) -> Reply: ...


class Line:
    """The way to one receiver."""

    def __init__(
        self, receiver: Receiver, outbox: Sending, *, parallel: int, linker: Linker | None, clock: Callable[[], float]
    ) -> None:
        self.receiver = receiver
        self.condition = Condition()
        self._outbox = outbox
        self._slots = asyncio.Semaphore(parallel)
        self._pacer = Pacer(receiver.limits())
        self._linker = linker
        self._clock = clock
        self._not_before = 0.0

    async def attempt(self, notice: Notice) -> Answer | None:
        """One attempt, when there is a slot and the receiver wants one; None if it is gone by then."""
        async with self._slots:
            await self._turn()
            if self.condition.gone:
                return None
            (first, *more), plain = self._rendered(notice)
            answer = await self._send(first)
            for post in more:
                if not answer.delivered:
                    break
                await self._turn()
                answer = await self._send(post)
            return replace(answer, plain=plain)

    def asked(self, answer: Answer, now: float) -> float:
        """`Retry-After` is about the receiver, not about this message: all wait for it."""
        pause = asked_pause(answer, now)
        self._not_before = max(self._not_before, monotonic() + pause)
        return pause

    async def _turn(self) -> None:
        while (pause := self._pause()) > 0:  # noqa: ASYNC110 - another answer may prolong it
            await asyncio.sleep(pause)

    def _pause(self) -> float:
        now = monotonic()
        return max(self._not_before - now, self._pacer.pause(now))

    def _rendered(self, notice: Notice) -> tuple[Sequence[Request | Mail], bool]:
        """What is sent, and whether that is less than the message: a bug must not keep an alert from people."""
        now = self._clock()
        if self._linker is not None:
            notice = replace(notice, links=self._linker.links(notice.due, notice.message, now))
        try:
            return self.receiver.posts(notice, now), False
        except Exception:
            fields = {"webhook_id": notice.due.webhook_id, "alert_id": notice.due.alert_id}
            log.exception("a message could not be rendered, its title goes alone", extra=fields)
            metrics.UNFORESEEN.labels("renderer").inc()
            return [self.receiver.plain(notice, now)], True

    async def _send(self, post: Request | Mail) -> Answer:
        self._pacer.went(monotonic())
        began, name = time.perf_counter(), self.receiver.name
        answer = self.receiver.understand(await self._outbox.send(post))
        self.condition.answered(answer, monotonic())
        metrics.ATTEMPT_SECONDS.labels(name).observe(time.perf_counter() - began)
        metrics.ATTEMPTS.labels(name, "none" if answer.status is None else f"{answer.status // 100}xx").inc()
        metrics.TARGET_UP.labels(name).set(answer.delivered)
        return answer


class Lines:
    """All of them, by the receivers' names. unknown: names that messages had and nobody has, and when that was."""

    def __init__(
        self,
        receivers: Iterable[Receiver],
        *,
        parallel: int,
        timeout_s: float,
        linker: Linker | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._outbox = Outbox(timeout_s)
        self._lines = {
            receiver.name: Line(receiver, self._outbox, parallel=parallel, linker=linker, clock=clock)
            for receiver in receivers
        }
        self.unknown: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._lines)

    async def open(self) -> None:
        """Gets ready to send."""
        await self._outbox.open()
        for name in self._lines:
            metrics.expect(name)

    async def close(self) -> None:
        """Gives up connections; `open` may follow."""
        await self._outbox.close()

    def conditions(self) -> dict[str, Condition]:
        """How each of them is."""
        return {name: line.condition for name, line in self._lines.items()}

    def to(self, notice: Notice) -> Line | None:
        """The line for a message; None, noted, if nobody has that name. No receiver is told that it is itself dead."""
        name = notice.due.receiver
        line = self._lines.get(name)
        if notice.message.data.subject == SUBJECT + name:
            return self._other(name) or line
        if line is None:
            self.unknown[name] = monotonic()
        return line

    def _other(self, name: str) -> Line | None:
        """Another way: one that is well before one that is not, the default before the rest."""
        others = [line for other, line in self._lines.items() if other != name]
        ranked = sorted(
            others, key=lambda line: (line.condition.ill(monotonic()) is not None, line.receiver.name != DEFAULT)
        )
        return ranked[0] if ranked else None


def monotonic() -> float:
    """The clock of the conditions."""
    return time.monotonic()
