"""All rules there are, found by walking the package, and whether a policy speaks of them correctly."""

import hashlib
import importlib
import inspect
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from schemas.commands import Code
from schemas.flaws import Flaw, flaws_in
from schemas.policy import IndicatorPolicy, SubjectPolicy
from services.indicators import rules
from services.indicators.rule import AnyRule, Rule


@cache
def all_rules() -> tuple[AnyRule, ...]:
    """Every rule, by its name."""
    return tuple(sorted(found_in(rules), key=lambda rule: rule.name))


def rules_of(subject: str) -> tuple[AnyRule, ...]:
    """The rules about one kind of subject."""
    return tuple(rule for rule in all_rules() if rule.subject == subject)


def one_of_each(rules: Iterable[AnyRule]) -> tuple[AnyRule, ...]:
    """One rule of each id: the strands of an indicator share their figures, their actions and so their policy."""
    return tuple({rule.id: rule for rule in rules}.values())


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


def flaws_of(indicators: Mapping[str, IndicatorPolicy]) -> list[Flaw]:
    """All that is wrong with what a policy says of indicators, with its place in the document."""
    known = {rule.id: rule for rule in one_of_each(all_rules())}
    flaws: list[Flaw] = []
    for name, wanted in indicators.items():
        if name not in known:
            problem = f"no indicator is called so; there are {', '.join(known)}"
            flaws.append(Flaw(("indicators", name), problem))
        else:
            flaws += flaws_with(known[name], wanted)
    return flaws


def flaws_with(rule: AnyRule, wanted: IndicatorPolicy) -> list[Flaw]:
    """What is wrong with one indicator's part of a policy."""
    at = ("indicators", rule.id)
    general = _flaws_in_limits(rule, wanted.thresholds)
    flaws = _flaws_in_actions(rule, wanted, at) + [Flaw((*at, *each.path), each.problem) for each in general]
    for subject, own in wanted.overrides.items():
        place = (*at, "overrides", subject)
        if not subject.startswith(f"{rule.subject}:") or subject == f"{rule.subject}:":
            flaws.append(Flaw(place, f"{rule.id} judges each {rule.subject} by itself: write {rule.subject}:<id>"))
            continue
        flaws += _flaws_in_actions(rule, own, place)
        # What is wrong for all is told once.
        special = [each for each in _flaws_in_limits(rule, wanted.thresholds | own.thresholds) if each not in general]
        flaws += [Flaw((*place, *each.path), each.problem) for each in special]
    return flaws


def _flaws_in_actions(rule: AnyRule, said: SubjectPolicy, place: tuple[str, ...]) -> list[Flaw]:
    named = said.maturity if isinstance(said.maturity, dict) else {}
    problem = f"{rule.id} gives no such command; it has {', '.join(rule.actions) or 'none'}"
    flaws = [Flaw((*place, "maturity", action), problem) for action in named if action not in rule.actions]
    opened = said.resume.auto if isinstance(said.resume.auto, dict) else {}
    flaws += [Flaw((*place, "resume", "auto", action), problem) for action in opened if action not in rule.actions]
    if said.fire.hold and (rule.judged != "at close" or rule.waits):
        problem = f"{rule.id} is no ratio: it is judged with every event or at a deadline, and has nothing to hold"
        flaws.append(Flaw((*place, "fire", "hold"), problem))
    return flaws


def _flaws_in_limits(rule: AnyRule, figures: dict[str, Any]) -> list[Flaw]:
    try:
        rule.limits.model_validate(figures)
    except ValidationError as error:
        return flaws_in(error, ("thresholds",))
    return []
