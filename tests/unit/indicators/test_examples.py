"""Every rule file carries examples of when it fires and when it does not: they hold, through the whole machine."""

from typing import Any

import pytest

from services.indicators.examples import Example
from services.indicators.machine import STORES, IndicatorMachine
from services.indicators.registry import all_rules
from services.indicators.rule import AnyRule
from tests.support.indicator_log import policy
from tests.unit.indicators.world import HOUR, World

CASES = [
    pytest.param(rule, each, id=f"{rule.name}-{n}") for rule in all_rules() for n, each in enumerate(rule.examples)
]


def trips(rule: AnyRule, example: Example) -> bool:
    """Whether a rule alone, in a machine of its own, trips on an example."""
    at_once: dict[str, Any] = {rule.id: {"fire": {"hold": "0s"}}} if rule.fires_after else {}
    machine = IndicatorMachine(rule.subject, 0, STORES[rule.subject](), [rule])
    world = World(rule.subject, policy(**at_once), machine=machine)
    world.happenings(example.given)
    world.mark(HOUR)
    return any(fact.level for fact in world.facts)


@pytest.mark.parametrize(("rule", "example"), CASES)
def test_an_example_holds(rule: AnyRule, example: Example) -> None:
    assert trips(rule, example) == example.fires


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: str(rule.name))
def test_a_rule_has_an_example_of_either_kind(rule: AnyRule) -> None:
    assert {example.fires for example in rule.examples} == {True, False}
