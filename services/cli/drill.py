"""A drill of the take-down: what is sent, which steps have to be seen, and the report. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pydantic import ValidationError

from schemas.alerts import AlertFact
from schemas.audit import AuditRecord
from schemas.channels import ChannelState
from schemas.events import ContentPublished, ContentRemoved
from schemas.topics import ALERTS, AUDIT, CHANNEL_STATE

MARK: Final = "drill-"
"""How the name of a channel begins on which a drill may run; content of a drill is called so too."""
BODY: Final = "演练：本产品稳赚不赔。投资有风险，历史业绩不代表未来表现。"
"""Breaks the rules by every policy that has the usual phrases, and says that it is a drill."""
STEPS: Final[Mapping[str, str]] = {
    "accepted": "the gateway has taken the text",
    "alert": "an alert is open",
    "in force": "the take-down is wanted of the platform",
    "confirmed": "the platform has confirmed it",
    "told": "a receiver has taken the message to people",
}
"""In the order in which they are reported; the last two may come in either order."""
TOPICS: Final = (ALERTS, CHANNEL_STATE, AUDIT)
"""Where they are seen, all but the first."""


class NotMarkedError(ValueError):
    """A channel that is not marked for drills."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One drill. within_s: how long all steps together may take."""

    channel: str
    content: str
    within_s: float

    @property
    def target(self) -> str:
        """What is to be taken down."""
        return f"content:{self.content}"

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


def plan_of(channel: str, chance: str, within_s: float) -> Plan:
    """Raises NotMarkedError. chance: hex digits that no drill had before."""
    if not channel.startswith(MARK):
        raise NotMarkedError(f"a drill runs on a channel whose name begins with {MARK!r}, not on {channel!r}")
    return Plan(channel, MARK + chance, within_s)


@dataclass(slots=True)
class Course:
    """How far a drill has come: by step, so many seconds after the text was sent."""

    plan: Plan
    seen: dict[str, float] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """All steps were seen."""
        return self.seen.keys() == STEPS.keys()

    def take(self, topic: str, value: bytes, after_s: float) -> None:
        """A record of one of TOPICS; what is not about this drill, or of a newer release, is left out."""
        try:
            step = _step(topic, value, self.plan.target)
        except ValidationError:
            return
        for each in step:
            self.seen.setdefault(each, after_s)


def _step(topic: str, value: bytes, target: str) -> list[str]:
    if topic == ALERTS:
        fact = AlertFact.model_validate_json(value)
        return ["alert"] if (fact.subject, fact.status) == (target, "open") else []
    if topic == CHANNEL_STATE:
        state = ChannelState.model_validate_json(value)
        stands = {"in force": state.status, "confirmed": state.platform.confirmed}
        return [step for step, status in stands.items() if (state.target, status) == (target, "taken_down")]
    record = AuditRecord.model_validate_json(value)
    return ["told"] if (record.target, record.what, record.outcome) == (target, "deliver", "delivered") else []


def report(course: Course, began: datetime) -> Iterator[str]:
    """The lines of a Markdown page."""
    plan = course.plan
    yield from ("# Drill: take-down", "")
    yield f"Begun {began.isoformat(timespec='seconds')} on channel `{plan.channel}`, content `{plan.content}`."
    missing = [step for step in STEPS if step not in course.seen]
    if missing:
        yield f"**Failed**: not seen within {plan.within_s:g} s: {', '.join(missing)}."
    else:
        yield f"**Passed**: all steps within {max(course.seen.values()):.2f} s ({plan.within_s:g} s allowed)."
    yield from ("", "| step | what | seconds after sending |", "|---|---|---|")
    for step, says in STEPS.items():
        yield f"| {step} | {says} | {f'{course.seen[step]:.2f}' if step in course.seen else 'not seen'} |"
    yield from ("", f"What is left: the hold on `{plan.target}`, until people lift it as any take-down.")
