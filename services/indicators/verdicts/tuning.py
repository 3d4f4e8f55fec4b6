"""The policy in force, worked out for the rules of one subject: figures, maturity and clearing of each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from pydantic import ValidationError

from schemas.base import Maturity
from schemas.channels import HoldKind
from schemas.commands import Action, PolicyVersion
from schemas.policy import Clearing, IndicatorPolicy, Policy, SubjectPolicy
from schemas.resuming import Resume, resume_of
from services.indicators.registry import flaws_with, one_of_each
from services.indicators.rule import AnyRule, Limits
from services.indicators.subjects.store import Surroundings
from services.indicators.windows.days import Days

MS = timedelta(milliseconds=1)
ORDERING: Final = ("approve", "auto")
"""The maturities at which a command is given."""


class PolicyRefusedError(ValueError):
    """A policy that this release cannot judge by; the message names every problem."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """A rule with what the policy says of it for one subject, or for all that it does not name."""

    rule: AnyRule
    enabled: bool
    limits: Limits
    maturity: Mapping[Action, Maturity]
    shadow: bool
    """Nothing is told and nothing ordered; verdicts are only counted."""
    fires_after: timedelta
    """How long a breach must hold before anything is told of it."""
    clearing: Clearing
    resumes: Mapping[HoldKind, Resume]
    """Whether and how what it ordered is resumed by itself, once it has cleared."""

    def orders(self, action: Action) -> bool:
        """Whether a command is given, to be done or to be approved."""
        return self.maturity[action] in ORDERING


@dataclass(frozen=True, slots=True)
class Tuning:
    """A rule with all that the policy says of it. `own`: of the subjects that it names."""

    rule: AnyRule
    usual: Tuned
    own: Mapping[str, Tuned]

    def on(self, subject: str) -> Tuned | None:
        """How a subject is judged; None where it is not."""
        tuned = self.own.get(subject, self.usual)
        return tuned if tuned.enabled else None

    def each(self) -> Iterable[Tuned]:
        """All that are in use."""
        return (each for each in (self.usual, *self.own.values()) if each.enabled)

    def floor(self) -> int:
        """See Rule.floor: the lowest for any subject."""
        return min(self.rule.floor(each.limits) for each in self.each())


@dataclass(frozen=True, slots=True)
class InForce:
    """The whole: the rules that are enabled for anyone, and what they share."""

    version: PolicyVersion
    around: Surroundings
    rules: tuple[Tuning, ...]

    @property
    def label(self) -> str:
        """`name/version`."""
        return f"{self.version.name}/{self.version.version}"

    @property
    def days(self) -> Days:
        """The business days."""
        return self.around.days

    def floors(self) -> dict[str, int]:
        """By input, from which number on rules want to judge at once."""
        floors: dict[str, int] = {}
        for each in self.rules:
            if each.rule.judged != "at close":
                for name in each.rule.reads:
                    floors[name] = min(each.floor(), floors.get(name, each.floor()))
        return floors

    def find(self, rule_id: str, strand: str, subject: str) -> Tuned | None:
        """How the rule of that name judges a subject, if it does."""
        wanted = (each for each in self.rules if (each.rule.id, each.rule.strand) == (rule_id, strand))
        return next((each.on(subject) for each in wanted), None)


def tune(document: bytes, rules: Sequence[AnyRule]) -> InForce:
    """What a policy document means for these rules; raises PolicyRefusedError.

    It may name indicators of other subjects, and of a newer release: those are not our business.
    """
    try:
        policy = Policy.model_validate_json(document)
    except ValidationError as error:
        places = (".".join(map(str, each["loc"])) for each in error.errors(include_input=False))
        raise PolicyRefusedError(f"not a policy of this release: {', '.join(places)}") from None
    wanted = {rule.id: policy.indicators.get(rule.id, IndicatorPolicy()) for rule in rules}
    if flaws := [flaw for rule in one_of_each(rules) for flaw in flaws_with(rule, wanted[rule.id])]:
        raise PolicyRefusedError("; ".join(map(str, flaws)))
    tunings = (tuning_of(rule, wanted[rule.id]) for rule in rules)
    used = tuple(tuning for tuning in tunings if any(tuning.each()))
    return InForce(PolicyVersion(name=policy.name, version=policy.version), Surroundings.under(policy), used)


def tuning_of(rule: AnyRule, wanted: IndicatorPolicy) -> Tuning:
    """A rule under its valid part of a policy."""
    own = {subject: _tuned(rule, (wanted, said)) for subject, said in wanted.overrides.items()}
    return Tuning(rule, _tuned(rule, (wanted,)), own)


def _tuned(rule: AnyRule, layers: Sequence[SubjectPolicy]) -> Tuned:
    """What is said later stands over what is said earlier, and all of it over the rule's defaults."""
    enabled, silent, fires_after = True, False, rule.fires_after
    maturity = dict(rule.actions)
    figures: dict[str, object] = {}
    clearing: dict[str, object] = dict(rule.clearing)
    for said in layers:
        enabled = enabled if said.enabled is None else said.enabled
        fires_after = fires_after if said.fire.hold is None else said.fire.hold
        figures |= said.thresholds
        clearing |= {name: value for name, value in said.clear if value is not None}
        if isinstance(said.maturity, dict):
            maturity = {action: said.maturity.get(action, before) for action, before in maturity.items()}
        elif said.maturity is not None:
            maturity, silent = dict.fromkeys(maturity, said.maturity), said.maturity == "shadow"
    if maturity.get("escalate") == "approve":  # it only asks experts to look, which nobody needs to approve
        maturity["escalate"] = "auto"
    shadow = all(each == "shadow" for each in maturity.values()) if maturity else silent
    limits = rule.limits.model_validate(figures)
    clears = Clearing.model_validate(clearing)
    said_of_resuming = [said.resume for said in layers]
    resumes = {each: resume_of(said_of_resuming, rule.id, each) for each in rule.actions if each != "escalate"}
    return Tuned(rule, enabled, limits, maturity, shadow, fires_after, clears, resumes)
