"""What a policy means for each indicator, ready to be read: figures with their meaning, actions, exceptions."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from schemas.base import Bilingual, Maturity
from schemas.policy import IndicatorPolicy, Policy
from services.indicators.registry import all_rules, one_of_each
from services.indicators.rule import AnyRule
from services.indicators.verdicts.tuning import Tuned, tuning_of
from services.policies.differences import compare, figures_of

_DEFAULT: Final = IndicatorPolicy()


@dataclass(frozen=True, slots=True)
class Figure:
    """One threshold. meaning: what the rule says of it. is_share: a part of one, which people read in per cent."""

    name: str
    value: Any
    default: Any
    meaning: Bilingual
    is_share: bool

    @property
    def own(self) -> bool:
        """Whether the policy says something else than the rule would."""
        return bool(self.value != self.default)


@dataclass(frozen=True, slots=True)
class Exceptional:
    """One subject of its own: `thresholds.complaints` with the usual value and its own."""

    subject: str
    figures: Sequence[tuple[str, Any, Any]]


@dataclass(frozen=True, slots=True)
class Meaning:
    """One indicator under a policy. source: the chapters of the strategy that ask for it."""

    id: str
    title: Bilingual
    source: str
    subject: str
    about: Bilingual
    enabled: bool
    judged: str
    maturity: Mapping[str, Maturity]
    told: str
    figures: Sequence[Figure]
    fires_after: timedelta
    clears_below: float
    clears_after: timedelta
    per_day: bool
    exceptions: Sequence[Exceptional]


def meanings(policy: Policy) -> list[Meaning]:
    """Of every indicator there is, also of those that the policy does not name."""
    return [_meaning(rule, policy.indicators.get(rule.id, _DEFAULT)) for rule in one_of_each(all_rules())]


def titles() -> dict[str, Bilingual]:
    """What people call each indicator."""
    return {rule.id: rule.title for rule in one_of_each(all_rules())}


def _meaning(rule: AnyRule, wanted: IndicatorPolicy) -> Meaning:
    tuning = tuning_of(rule, wanted)
    usual = tuning.usual
    module = inspect.getmodule(type(rule))
    return Meaning(
        id=rule.id,
        title=rule.title,
        source=rule.source,
        subject=rule.subject,
        about=Bilingual.parted((module and inspect.getdoc(module)) or ""),
        enabled=usual.enabled,
        judged=rule.judged,
        maturity={str(action): maturity for action, maturity in usual.maturity.items()},
        told="shadow" if usual.shadow else "notify",
        figures=_figures(rule, usual),
        fires_after=usual.fires_after,
        clears_below=usual.clearing.below,
        clears_after=usual.clearing.hold,
        per_day=rule.per_day,
        exceptions=[
            Exceptional(subject, list(compare(figures_of(usual), figures_of(own))))
            for subject, own in sorted(tuning.own.items())
        ],
    )


def _figures(rule: AnyRule, tuned: Tuned) -> list[Figure]:
    said, defaults = tuned.limits.model_dump(mode="json"), rule.limits().model_dump(mode="json")
    return [
        Figure(name, said[name], defaults[name], Bilingual.parted(field.description or ""), _is_share(field))
        for name, field in rule.limits.model_fields.items()
    ]


def _is_share(field: Any) -> bool:
    bounds = [getattr(each, name, None) for each in field.metadata for name in ("le", "lt")]
    return field.annotation is float and 1 in bounds
