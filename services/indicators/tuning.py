"""The policy in force, worked out for the rules of one subject: figures, maturity and clearing of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pydantic import ValidationError

from schemas.base import Maturity
from schemas.commands import Action, PolicyVersion
from schemas.policy import Clearing, IndicatorPolicy, Policy
from services.indicators.days import Days
from services.indicators.registry import limits_in, problems_with
from services.indicators.rule import AnyRule, Limits
from services.indicators.store import Surroundings

MS = timedelta(milliseconds=1)


class PolicyRefusedError(ValueError):
    """A policy that this release cannot judge by; the message names every problem."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """A rule with what the policy says of it."""

    rule: AnyRule
    base: Limits
    own: Mapping[str, Limits]
    maturity: Mapping[Action, Maturity]
    shadow: bool
    """Nothing is told and nothing ordered; verdicts are only counted."""
    clearing: Clearing

    def limits(self, subject: str) -> Limits:
        """The figures for one subject."""
        return self.own.get(subject, self.base)

    def floor(self) -> int:
        """See Rule.floor: the lowest for any subject."""
        return min(self.rule.floor(limits) for limits in (self.base, *self.own.values()))


@dataclass(frozen=True, slots=True)
class InForce:
    """The whole: the rules that are enabled, and what they share."""

    version: PolicyVersion
    around: Surroundings
    tuned: tuple[Tuned, ...]

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
        for each in self.tuned:
            if each.rule.judged != "at close":
                for name in each.rule.reads:
                    floors[name] = min(each.floor(), floors.get(name, each.floor()))
        return floors

    def find(self, rule_id: str, strand: str) -> Tuned | None:
        """The rule of that name, if it is enabled."""
        return next((each for each in self.tuned if (each.rule.id, each.rule.strand) == (rule_id, strand)), None)


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
    by_id = {rule.id: rule for rule in rules}
    problems = [
        f"indicators.{name}.{each}" for name, rule in by_id.items() for each in problems_with(rule, wanted[name])
    ]
    if problems:
        raise PolicyRefusedError("; ".join(problems))
    around = Surroundings.under(policy)
    tuned = tuple(_tuned(rule, wanted[rule.id]) for rule in rules if wanted[rule.id].enabled)
    return InForce(PolicyVersion(name=policy.name, version=policy.version), around, tuned)


def _tuned(rule: AnyRule, wanted: IndicatorPolicy) -> Tuned:
    said = wanted.maturity
    maturity: dict[Action, Maturity] = {
        action: (said.get(action, default) if isinstance(said, dict) else said or default)
        for action, default in rule.actions.items()
    }
    if maturity.get("escalate") == "approve":  # it only asks experts to look, which nobody needs to approve
        maturity["escalate"] = "auto"
    shadow = all(each == "shadow" for each in maturity.values()) if maturity else said == "shadow"
    base, own = limits_in(rule, wanted)
    return Tuned(rule, base, own, maturity, shadow, wanted.clear or rule.clearing)
