"""What a rule is. One file in `rules/` with one class; nothing else has to know of it.

A rule says what it looks at, has its figures as a typed model with defaults, and judges a view of one subject at a
moment. The same view and moment give the same verdict: no Kafka, no clock, no environment. Counting is not its job, nor
is remembering: episodes, levels, repeats, alerts and commands are the runtime's.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Final, Generic, Literal, TypeVar

from pydantic import Field

from schemas.base import Bilingual, Maturity, Severity
from schemas.closed import Closed
from schemas.commands import Action
from schemas.policy import Clearing
from services.indicators.examples import Example
from services.indicators.subjects.store import Surroundings
from services.indicators.windows.days import Days, Span

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS

_MAX_LEVEL: Final = 40

Share = Annotated[float, Field(gt=0, le=1)]
"""A figure given as a part of one: 0.02 for 2 %."""


class Limits(Closed):
    """The figures of a rule, each with its default. Closed: a policy with a name that is not here is refused.

    The docstring of a figure is what people read of it.
    """


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says of one subject at one moment. A larger `value` is always worse.

    level: how many steps have been reached, 0 for none. threshold: the figure that `value` is held against.
    begins_at: where an episode begins; under `threshold` where the rule warns first. detail: goes into the evidence.
    """

    verdict: Literal["calm", "breach", "unsure"]
    value: float
    threshold: float
    span: Span
    begins_at: float
    level: int = 0
    samples: Mapping[str, int] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def troubled(self) -> bool:
        """Whether an episode stands on this: a breach, or near enough to one to warn."""
        return self.verdict == "breach" or (self.verdict == "calm" and self.value >= self.begins_at)


def doubling(value: float, threshold: float, span: Span, *, warns_at: float | None = None, **more: Any) -> Verdict:
    """A count: level k is reached at threshold × 2^(k−1)."""
    level = doublings(value, threshold)
    begins_at = threshold if warns_at is None else warns_at
    return Verdict("breach" if level else "calm", value, threshold, span, begins_at, level, **more)


def graded(value: float, steps: Sequence[float], span: Span, **more: Any) -> Verdict:
    """A ratio or comparison with a figure for each level, rising."""
    level = sum(value >= step for step in steps)
    return Verdict("breach" if level else "calm", value, steps[max(level - 1, 0)], span, steps[0], level, **more)


def unsure(value: float, threshold: float, span: Span, why: str, **more: Any) -> Verdict:
    """Too little is known to say: this never trips and never clears."""
    return Verdict("unsure", value, threshold, span, threshold, detail={"unsure": why}, **more)


def doublings(value: float, threshold: float) -> int:
    """How many of threshold, 2 × threshold, 4 × threshold … the value has reached."""
    level = 0
    while level < _MAX_LEVEL and value >= threshold * 2**level:
        level += 1
    return level


def share_of(whole: float, share: float) -> float:
    """`whole × share` without the noise of binary fractions: 55 % of 20 is 11."""
    return round(whole * share, 9)


@dataclass(frozen=True, slots=True)
class Order:
    """What a rule wants done. Each order is given once in an episode, however often it is named."""

    action: Action
    target: str
    level: int
    factor: float | None = None
    reason: Bilingual | None = None
    """Why this target, if that is another than the subject; otherwise the alert's title is the reason."""


@dataclass(frozen=True, slots=True)
class Words:
    """An alert as a person reads it, woken at night: the title says what and where, the summary how bad and since when.

    What was ordered is added by the runtime.
    """

    title: Bilingual
    summary: Bilingual


V = TypeVar("V")
L = TypeVar("L", bound=Limits)


@dataclass(frozen=True, slots=True)
class Case(Generic[V, L]):
    """A verdict in its surroundings. given: the orders of this episode so far. tripped_ms: the end of the earliest pane
    at which it tripped; None while it only warns. closing: whether a pane closes: what is due because time has passed
    is ordered only then."""

    subject: str
    view: V
    limits: L
    verdict: Verdict
    now_ms: int
    around: Surroundings
    given: Sequence[Order] = ()
    tripped_ms: int | None = None
    closing: bool = False

    @property
    def name(self) -> str:
        """The subject without its kind."""
        return self.subject.partition(":")[2]

    @property
    def label(self) -> Bilingual:
        """What people call the subject: its name in the policy's directory, otherwise its id."""
        return self.called(self.subject)

    def called(self, subject: str) -> Bilingual:
        """What people call any `kind:id`."""
        name = subject.partition(":")[2]
        return self.around.policy.directory.label(subject) or Bilingual(en=name, zh=name)

    @property
    def days(self) -> Days:
        """The business days."""
        return self.around.days

    def clock(self, at_ms: int, seconds: bool = False) -> str:
        """A time of day in the policy's zone, as in a sentence."""
        return self.days.local(at_ms).strftime("%H:%M:%S" if seconds else "%H:%M")


class Rule(ABC, Generic[V, L]):
    """One indicator. Its class attributes are all that the runtime asks."""

    id: ClassVar[str]
    """Its name in the policy, in alerts and commands; the file is called the same."""
    title: ClassVar[Bilingual]
    """What it is about, for people."""
    source: ClassVar[str]
    """The chapters of the strategy that ask for it."""
    strand: ClassVar[str] = ""
    """Set where an indicator has episodes of two kinds, which come and go by themselves, such as good news beside bad.
    Then a second class in its file, derived from the first, judges the other kind under the same id and policy."""
    subject: ClassVar[str]
    """What it is about: `channel`, `actor`, … one of schemas.topics.SUBJECTS."""
    judged: ClassVar[Literal["at once", "at close", "both"]]
    """Counts `at once`, with every event that `reads` names; ratios and comparisons `at close` of a pane."""
    reads: ClassVar[tuple[str, ...]]
    """The inputs of the subject that it looks at: `complaints`, `clicks`, … A subject of which none of it is kept is
    calm, and not even asked about."""
    per_day: ClassVar[bool] = False
    """Whether it counts a business day: midnight then ends its episodes."""
    waits: ClassVar[bool] = False
    """Whether at a close it is only asked about what `horizons` finds, even of what is in trouble: for subjects that
    stand in trouble by the ten thousand, and change only when a time passes or something new is heard of them."""
    actions: ClassVar[Mapping[Action, Maturity]] = {}
    """The commands it may give, with the maturity each has where the policy does not say."""
    clearing: ClassVar[Clearing] = Clearing()
    """When an episode ends where the policy does not say."""
    fires_after: ClassVar[timedelta] = timedelta(0)
    """How long a breach must have lasted where the policy does not say, for rules that are judged at close."""
    examples: ClassVar[tuple[Example, ...]]
    """At least one that fires and one that stays silent; a test runs them."""
    limits: type[L]

    @abstractmethod
    def judge(self, view: V, limits: L, now_ms: int) -> Verdict:
        """The verdict on one subject as of `now_ms`, the end of a pane."""

    def judge_at_close(self, view: V, limits: L, now_ms: int) -> Verdict:
        """The verdict when the pane that ends at `now_ms` closes, for rules that are judged both ways."""
        return self.judge(view, limits, now_ms)

    def horizons(self, limits: L, now_ms: int, around: Surroundings) -> Mapping[str, int]:
        """For subjects that get into trouble by waiting: by kind of subject (the store's word), the beginning (ms) from
        which back a subject is to be looked at when the pane that ends at `now_ms` closes."""
        return {}

    @abstractmethod
    def words(self, case: Case[V, L]) -> Words:
        """Title and summary in both languages, with the figures."""

    def orders(self, case: Case[V, L]) -> Iterable[Order]:
        """All that this verdict means, for every level up to its own; asked while a tripped episode stands."""
        return ()

    def severity(self, verdict: Verdict) -> Severity:
        """Of a trip; a warning before it is always `warning`."""
        return "critical"

    def detail(self, case: Case[V, L]) -> Mapping[str, Any]:
        """What else the evidence should tell; asked only when something is told."""
        return {}

    def floor(self, limits: L) -> int:
        """Fewer of what it `reads` than this, in all that is kept of a subject, and the verdict is calm for sure.

        Lets subjects come by the million; only read for judging at once.
        """
        return 1

    @property
    def name(self) -> str:
        """What sets it apart from all others."""
        return f"{self.id}/{self.strand}" if self.strand else self.id

    @property
    def runbook(self) -> str:
        """Where people read what to do."""
        return f"services/indicators/runbook.md#{self.id}"


AnyRule = Rule[Any, Any]
