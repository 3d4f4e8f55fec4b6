"""Indicators in the shadow: a backtest lets them speak, and says that they would have been silent."""

from collections.abc import Mapping
from typing import TypeVar

from schemas.base import Maturity
from schemas.policy import IndicatorPolicy, Policy, SubjectPolicy
from services.indicators.registry import all_rules, one_of_each
from services.indicators.verdicts.tuning import tune

Said = TypeVar("Said", bound=SubjectPolicy)


def unveiled(policy: Policy) -> Policy:
    """The same policy, in which what is in the shadow is told: `notify` takes the place of `shadow`."""
    indicators = {}
    for rule in one_of_each(all_rules()):
        said = _told(
            policy.indicators.get(rule.id, IndicatorPolicy()),
            {str(action): each for action, each in rule.actions.items()},
        )
        overrides = {subject: _told(each, {}) for subject, each in said.overrides.items()}
        indicators[rule.id] = said.model_copy(update={"overrides": overrides})
    return policy.model_copy(update={"indicators": indicators})


def _told(said: Said, defaults: Mapping[str, Maturity]) -> Said:
    """defaults: what holds for actions of which nothing is said."""
    maturity = said.maturity
    if isinstance(maturity, str):
        return said.model_copy(update={"maturity": _spoken(maturity)})
    by_action = dict(defaults) | (maturity or {})
    spoken = {action: _spoken(each) for action, each in by_action.items()}
    return said.model_copy(update={"maturity": spoken or None})


def _spoken(maturity: Maturity) -> Maturity:
    return "notify" if maturity == "shadow" else maturity


class Shadows:
    """Which rule is in the shadow on which subject."""

    def __init__(self, policy: Policy) -> None:
        self._in_force = tune(policy.model_dump_json().encode(), all_rules())

    def cover(self, rule: str, subject: str) -> bool:
        """Whether nothing is told of it."""
        name, _, strand = rule.partition("/")
        tuned = self._in_force.find(name, strand, subject)
        return tuned is not None and tuned.shadow
