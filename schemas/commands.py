"""Commands: orders on `channel-commands`, imperative. Indicators, people and the reconciler use the same door."""

from datetime import datetime
from hashlib import blake2b
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from schemas.base import Bilingual, HexId, Instant, Maturity, Message, Name, Ref, Text, Versioned, Window
from schemas.channels import WantedState
from schemas.governor import Claim, Figures

Action = Literal["pause", "throttle", "freeze", "take_down", "escalate"]
PersonsWord = Literal["resume", "approve", "reject", "acknowledge", "silence", "override", "withdraw", "merge", "split"]
Switch = Literal["automation_off", "automation_on"]
"""To all of automation: on every partition, under a key of its own (schemas.automation)."""
Entry = Literal["sign_in", "sign_out", "sign_in_failed"]
"""Who came to the console, who left, and who had the wrong password: about `person:<name>`, for the audit."""
IndicatorsWord = Literal["eased"]
"""The episode behind an order is over: what it holds may be resumed as the policy says."""
GovernorsWord = Literal["claim", "release", "figures", "gathered", "granted", "declined"]
Report = Literal["confirmed", "failed", "expired", "due", "drifted", "away", "back"]


_ISSUER: Final = r"^(indicator|person):[^\x00-\x1f\x7f]+$|^(reconciler|governor|console)$"


class PolicyVersion(Message):
    """Which policy judged."""

    name: Name
    version: int


class SourceRange(Message):
    """Offsets of one raw partition that hold the events behind a verdict: `from` inclusive, `to` exclusive."""

    topic: str
    partition: int
    from_: Annotated[int, Field(alias="from")]
    to: int

    model_config = Window.model_config


class Code(Message):
    """Which code judged: the rule's name and the first 12 hex digits of the SHA-256 of its source."""

    rule: str
    digest: str


class Evidence(Message):
    """On what a verdict rests: enough to derive it again. Durations in seconds, money in CNY, rates as shares."""

    indicator: Name
    subject: Ref
    value: float
    threshold: float
    window: Window
    samples: dict[str, int] = {}
    policy: PolicyVersion
    code: Code | None = None
    sources: list[SourceRange] = []
    detail: dict[str, Any] = {}


class Waiting(Message):
    """What one partition cannot have done while a platform is away: how many targets, some of them with what is wanted,
    and what the platform said last. Nothing where it is back."""

    partition: Annotated[int, Field(ge=0)]
    count: Annotated[int, Field(ge=0)] = 0
    targets: Annotated[list[Text], Field(max_length=10)] = []
    reason: Text = ""
    reason_zh: Text = ""


class Command(Versioned):
    """One order. The same order repeated has the same `command_id`, so receivers know it."""

    command_id: HexId
    command: Action | PersonsWord | Switch | Entry | IndicatorsWord | GovernorsWord | Report
    target: Ref
    factor: Annotated[float, Field(ge=0, le=1)] | None = None
    level: Annotated[int, Field(ge=1)] | None = None
    hold_ids: list[HexId] | None = None
    indicators: list[Name] | None = None
    """Whose holds an override masks; null: all."""
    incidents: dict[HexId, list[HexId]] | None = None
    """What becomes of incidents: the alerts of each, by its id. In people's `merge` and `split` only."""
    expected_generation: int | None = None
    issued_by: Annotated[str, Field(max_length=200, pattern=_ISSUER)]
    alert_id: HexId | None = None
    issued_at: Instant
    event_time: Instant | None = None
    maturity: Maturity | None = None
    reason: Bilingual | None = None
    evidence: Evidence | None = None
    expires_at: Instant | None = None
    note: Text | None = None
    observed: WantedState | None = None
    """What the platform answered when it was asked: in the reconciler's reports only."""
    waiting: Waiting | None = None
    """In the reports of `platform:<name>`: `away` and `back`."""
    session: HexId | None = None
    """Of an entry; of a `sign_out` null: all sessions of that person."""
    claim: Claim | None = None
    figures: Figures | None = None

    def is_from_person(self) -> bool:
        """Whether a person gave this order."""
        return self.issued_by.startswith("person:")

    def is_from_indicator(self) -> bool:
        """Whether an indicator ordered this on the evidence of a verdict; that an episode has eased is no order."""
        return self.issued_by.startswith("indicator:") and self.command != "eased"

    def fingerprint(self) -> str:
        """32 hex digits that are the same for the same order, whenever it was given, and for no other."""
        said = self.model_dump_json(by_alias=True, exclude={"issued_at"}, exclude_defaults=True)
        return blake2b(said.encode(), digest_size=16).hexdigest()

    def age_at(self, appended: datetime) -> float | None:
        """Seconds between what the verdict is about and the order's arrival on its topic."""
        return None if self.event_time is None else (appended - self.event_time).total_seconds()
