"""The drill of a take-down: what is sent, and which records show its steps. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from schemas.alerts import AlertFact
from schemas.audit import AuditRecord
from schemas.channels import ChannelState
from schemas.events import ContentPublished, ContentRemoved
from schemas.topics import ALERTS, AUDIT, CHANNEL_STATE
from services.cli.drill.course import MARK, Drill, marked

BODY: Final = "演练：本产品稳赚不赔。投资有风险，历史业绩不代表未来表现。"
"""Breaks the rules by every policy that has the usual phrases, and says that it is a drill."""
STEPS: Final[Mapping[str, str]] = {
    "accepted": "the gateway has taken the text",
    "alert": "an alert is open",
    "in force": "the take-down is wanted of the platform",
    "confirmed": "the platform has confirmed it",
    "told": "a receiver has taken the message to people",
}
"""The last two may come in either order."""


@dataclass(frozen=True, slots=True)
class TakeDown:
    """A text that breaks the rules, on a marked channel."""

    channel: str
    content: str

    @property
    def target(self) -> str:
        """What is to be taken down."""
        return f"content:{self.content}"

    def drill(self, within_s: float) -> Drill:
        """The drill of it."""
        return Drill(
            name="take-down",
            about=f"on channel `{self.channel}`, content `{self.content}`",
            since="sending",
            steps=STEPS,
            within_s=within_s,
            watches=(ALERTS, CHANNEL_STATE, AUDIT),
            shown_by=self._shown_by,
            left=f"the hold on `{self.target}`, until people lift it as any take-down",
        )

    def published(self, at: datetime) -> ContentPublished:
        """The text that breaks the rules."""
        return ContentPublished(
            type="content_published",
            event_id=f"{self.content}-published",
            occurred_at=at,
            channel_id=self.channel,
            content_id=self.content,
            body=BODY,
            reviewers=["drill-a", "drill-b"],
        )

    def removed(self, at: datetime) -> ContentRemoved:
        """It is gone, so that its alert closes."""
        return ContentRemoved(
            type="content_removed",
            event_id=f"{self.content}-removed",
            occurred_at=at,
            channel_id=self.channel,
            content_id=self.content,
        )

    def _shown_by(self, topic: str, value: bytes) -> Iterator[str]:
        if topic == ALERTS:
            fact = AlertFact.model_validate_json(value)
            if (fact.subject, fact.status) == (self.target, "open"):
                yield "alert"
        elif topic == CHANNEL_STATE:
            state = ChannelState.model_validate_json(value)
            stands = {"in force": state.status, "confirmed": state.platform.confirmed}
            yield from (
                step for step, status in stands.items() if (state.target, status) == (self.target, "taken_down")
            )
        else:
            record = AuditRecord.model_validate_json(value)
            if (record.target, record.what, record.outcome) == (self.target, "deliver", "delivered"):
                yield "told"


def take_down_of(channel: str, chance: str) -> TakeDown:
    """Raises NotMarkedError. chance: hex digits that no drill had before."""
    return TakeDown(marked("channel", channel), MARK + chance)
