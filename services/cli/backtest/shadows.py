"""Indicators in the shadow: a backtest lets them speak, and says that they would have been silent."""

from typing import Any

from schemas.policy import Policy
from services.indicators.registry import all_rules
from services.indicators.tuning import Tuned, tune


def unveiled(policy: Policy) -> Policy:
    """The same policy, in which what is in the shadow is told: `notify` takes the place of `shadow`."""
    document = policy.model_dump(mode="json")
    for rule in all_rules():
        said = document["indicators"].setdefault(rule.id, {})
        if isinstance(said.get("maturity"), dict) or said.get("maturity") is None:
            said["maturity"] = {**rule.actions, **(said.get("maturity") or {})} or None
    for said in document["indicators"].values():
        said["maturity"] = _told(said.get("maturity"))
    return Policy.model_validate(document)


def _told(maturity: Any) -> Any:
    if isinstance(maturity, dict):
        return {action: _told(each) for action, each in maturity.items()}
    return "notify" if maturity == "shadow" else maturity


class Shadows:
    """Which indicator is in the shadow on which subject."""

    def __init__(self, policy: Policy) -> None:
        in_force = tune(policy.model_dump_json().encode(), all_rules())
        self._tuned: dict[str, list[Tuned]] = {}
        for each in in_force.tuned:
            self._tuned.setdefault(each.rule.id, []).append(each)

    def cover(self, indicator: str, subject: str) -> bool:
        """Whether nothing is told of it."""
        found = self._tuned.get(indicator, [])
        return bool(found) and all(each.shadow for each in found)
