"""All rules there are, found by walking the package, and whether a policy speaks of them correctly."""

import hashlib
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from schemas.commands import Code
from schemas.policy import IndicatorPolicy, Policy
from schemas.problems import problems_of as problems_in
from services.indicators import rules
from services.indicators.rule import AnyRule, Limits, Rule

OVERRIDES = "overrides"
"""The key under an indicator's thresholds with other figures for single subjects."""


@cache
def all_rules() -> tuple[AnyRule, ...]:
    """Every rule, by its name."""
    return tuple(sorted(found_in(rules), key=lambda rule: rule.name))


def rules_of(subject: str) -> tuple[AnyRule, ...]:
    """The rules about one kind of subject."""
    return tuple(rule for rule in all_rules() if rule.subject == subject)


def found_in(package: ModuleType) -> Iterator[AnyRule]:
    """The rules in the modules of a package; two with one name raise ValueError."""
    seen: set[str] = set()
    for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(info.name)
        for item in vars(module).values():
            if isinstance(item, type) and issubclass(item, Rule) and item.__module__ == module.__name__:
                rule = item()
                if rule.name in seen:
                    raise ValueError(f"{module.__name__}: a second rule is called {rule.name}")
                seen.add(rule.name)
                yield rule


@cache
def code_of(rule: AnyRule) -> Code:
    """Which code judges: the rule's name and a digest of its source."""
    source = inspect.getsource(inspect.getmodule(type(rule)) or type(rule))
    return Code(rule=rule.id, digest=hashlib.sha256(source.encode()).hexdigest()[:12])


def problems_of(policy: Policy) -> list[str]:
    """All that is wrong with what a policy says of indicators, each problem with its place."""
    known = {rule.id: rule for rule in all_rules()}
    problems: list[str] = []
    for name, wanted in policy.indicators.items():
        place = f"indicators.{name}"
        if name not in known:
            problems.append(f"{place}: no indicator is called so; there are {', '.join(known)}")
        else:
            problems += [f"{place}.{problem}" for problem in problems_with(known[name], wanted)]
    return problems


def problems_with(rule: AnyRule, wanted: IndicatorPolicy) -> list[str]:
    """What is wrong with one indicator's part of a policy."""
    problems = []
    if isinstance(wanted.maturity, dict):
        problems += [
            f"maturity.{action}: gives no such command; it has {', '.join(rule.actions) or 'none'}"
            for action in wanted.maturity
            if action not in rule.actions
        ]
    base = {name: value for name, value in wanted.thresholds.items() if name != OVERRIDES}
    overrides = wanted.thresholds.get(OVERRIDES, {})
    problems += _problems_in(rule, base, "thresholds")
    if not isinstance(overrides, dict):
        return [*problems, f"thresholds.{OVERRIDES}: is not a mapping from subjects to thresholds"]
    for subject, figures in overrides.items():
        place = f"thresholds.{OVERRIDES}.{subject}"
        if not str(subject).startswith(f"{rule.subject}:"):
            problems.append(f"{place}: is not a {rule.subject}, written {rule.subject}:<id>")
        elif not isinstance(figures, dict):
            problems.append(f"{place}: is not a mapping")
        else:
            problems += _problems_in(rule, {**base, **figures}, place)
    return problems


def _problems_in(rule: AnyRule, figures: dict[str, Any], place: str) -> list[str]:
    try:
        rule.limits.model_validate(figures)
    except ValidationError as error:
        return [".".join(filter(None, (place, each.field))) + f": {each.problem}" for each in problems_in(error)]
    return []


def limits_in(rule: AnyRule, wanted: IndicatorPolicy) -> tuple[Limits, dict[str, Limits]]:
    """The figures of a valid policy: for all subjects, and for those that have their own."""
    base = {name: value for name, value in wanted.thresholds.items() if name != OVERRIDES}
    overrides = wanted.thresholds.get(OVERRIDES, {})
    own = {subject: rule.limits.model_validate({**base, **figures}) for subject, figures in overrides.items()}
    return rule.limits.model_validate(base), own
