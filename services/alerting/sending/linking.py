"""Links in messages: to look at the alert and to acknowledge it, for whoever has the message, for a while."""

from dataclasses import dataclass, field
from typing import Final

from schemas.alerts import MessageLinks, WebhookMessage
from services.alerting.receivers.words import acknowledgeable
from services.alerting.telling import Due
from services.runtime.http.signed_notes import seal

STEP_S: Final = 3600
"""Within an hour all attempts have the same links, so that a repeat is the same to the last byte."""


@dataclass(frozen=True, slots=True)
class Linker:
    """console_url: without a slash at its end. lives_s: how long a link is good, up to an hour less."""

    console_url: str
    key: bytes = field(repr=False)
    lives_s: int

    def links(self, due: Due, message: WebhookMessage, now: float) -> MessageLinks:
        """Those of one message; the link says who was asked, so that the audit can say who acknowledged."""
        decided = due.decided_ms // 1000
        expires = decided + self.lives_s + max(0, int(now) - decided) // STEP_S * STEP_S
        alert = seal(self.key, expires, "alert", due.alert_id)
        if not acknowledgeable(message.data):
            return MessageLinks(alert=f"{self.console_url}/alert/{alert}")
        acknowledge = seal(self.key, expires, "ack", due.alert_id, due.receiver)
        return MessageLinks(
            alert=f"{self.console_url}/alert/{alert}", acknowledge=f"{self.console_url}/ack/{acknowledge}"
        )
