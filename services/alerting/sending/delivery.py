"""What follows from an answer to a webhook: delivered, tried again and when, or given up. Pure; times in seconds."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from schemas.alerts import AlertFact, Delivery, DeliveryReport
from schemas.base import Bilingual, from_ms
from services.alerting.telling import Due

MAX_RETRY_AFTER_S = 3600.0
"""A receiver that asks for a longer pause is asked again after this one: it is alerts that wait."""

_SECONDS = re.compile(r"^\d{1,12}$")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back of one attempt: a status, and in a few words of ours what is wrong. Never the address.

    words: the receiver's own, for `tidegate alert test` alone, since they may repeat what was sent. plain: only the
    title was sent, since the message could not be rendered.
    """

    status: int | None
    error: str | None = None
    retry_after: str | None = None
    words: str = field(default="", repr=False)
    plain: bool = False
    error_zh: str = field(default="", compare=False)

    @property
    def delivered(self) -> bool:
        """Only 2xx counts: a redirect is not followed, since the message would go to an address nobody agreed on."""
        return self.error is None and self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """The receiver wants no more messages, ever."""
        return self.status == HTTPStatus.GONE

    @property
    def problem(self) -> Bilingual:
        """In words, for reports."""
        return Bilingual.of(self.error or None, self.error_zh) or Bilingual(
            en=f"answered {self.status}", zh=f"返回 {self.status}"
        )


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long a message is tried: full jitter up to `base_s`, doubled each time up to `cap_s`."""

    base_s: float = 1.0
    cap_s: float = 300.0
    give_up_after_s: float = 72 * 3600.0

    def deadline(self, due: Due) -> float:
        """When a message is given up; counted from the log, so that no restart moves it."""
        return due.decided_ms / 1000 + self.give_up_after_s

    def pause(self, attempt: int, uniform: Callable[[float, float], float]) -> float:
        """How long to wait after the attempt of that number, the first being 1."""
        return uniform(0.0, min(self.cap_s, self.base_s * 2 ** min(attempt - 1, 60)))


def asked_pause(answer: Answer, now: float) -> float:
    """The pause that `Retry-After` asks for (seconds, or an HTTP date), 0 without one that can be read."""
    value = (answer.retry_after or "").strip()
    if _SECONDS.match(value):
        wanted = float(value)
    else:
        try:
            at = parsedate_to_datetime(value)
            wanted = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now
        except (ValueError, OverflowError):
            return 0.0
    return min(max(wanted, 0.0), MAX_RETRY_AFTER_S)


def report(
    partition: int, due: Due, outcome: Delivery, now: float, answer: Answer | None, why: Bilingual | None
) -> AlertFact:
    """The deliverer's word on one message. Its `seq` is the message's number, so a report that is repeated is known."""
    return AlertFact(
        alert_id=due.alert_id,
        writer=f"alerting:{partition}",
        seq=due.number,
        at=from_ms(int(now * 1000)),
        delivery=DeliveryReport(
            webhook_id=due.webhook_id,
            outcome=outcome,
            status_code=None if answer is None else answer.status,
            error=None if why is None else why.en,
            error_zh=None if why is None else why.zh,
        ),
    )
