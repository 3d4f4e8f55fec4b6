"""Two policies side by side: what differs in what they mean, and what may act by itself that might not before."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from schemas.governor import Governor
from schemas.policy import FirePolicy, IndicatorPolicy, Policy
from schemas.resuming import is_guardrail
from services.indicators.registry import all_rules, one_of_each
from services.indicators.rule import AnyRule
from services.indicators.verdicts.tuning import Tuned, Tuning, tuning_of

NOTHING_ACTS = {rule.id: IndicatorPolicy(enabled=False) for rule in all_rules()}
"""Under which no indicator does anything."""


def becomes_auto(before: Policy, after: Policy) -> list[str]:
    """Each indicator, subject and action that is done at once under the second policy and was not under the first, each
    guardrail's action that is undone by itself, and each limit of the governor that is wider.

    To call people (`escalate`) is nothing that anyone needs to approve.
    """
    acting = [
        f"{rule.id}: {what}" + (f" on {subject}" if subject else "")
        for rule, old, new in _tunings(before, after)
        for subject in _subjects(old, new)
        for action in rule.actions
        if action != "escalate"
        for what, by_itself in ((action, _acts), (f"resume after {action}", _resumes_guardrail))
        if by_itself(new, subject, action) and not by_itself(old, subject, action)
    ]
    return [*acting, *_unbound(before.governor, after.governor)]


def _unbound(old: Governor, new: Governor) -> list[str]:
    """The limits of the governor that let automation go further than before; one that is switched off has none."""
    limits = [name for name in Governor.model_fields if name != "enabled"]
    if not (old.enabled and new.enabled):
        return ["governor: off"] if old.enabled else []
    return [f"governor: {name}" for name in limits if getattr(new, name) > getattr(old, name)]


def asks_fewer(before: Policy, after: Policy) -> list[str]:
    """Each order that takes several people under the first policy and fewer under the second."""
    old, new = before.four_eyes, after.four_eyes
    gone = [f"four_eyes: {each} takes one person" for each in old.orders if each not in new.orders]
    fewer = new.approvals < old.approvals
    return gone + ([f"four_eyes: {new.approvals} people agree instead of {old.approvals}"] if fewer else [])


@dataclass(frozen=True, slots=True)
class Changed:
    """One figure, or one entry of a list, that differs; None where one of the two has none.

    indicator, subject: whose figure it is; both empty for what is of the whole policy, subject for what holds for all.
    """

    name: str
    old: Any
    new: Any
    indicator: str = ""
    subject: str = ""

    @property
    def path(self) -> str:
        """Its place in the document."""
        if not self.indicator:
            return self.name
        own = f"overrides.{self.subject}." if self.subject else ""
        return f"indicators.{self.indicator}.{own}{self.name}"

    def __str__(self) -> str:
        if self.old is None:
            return f"{self.path}: + {self.new}"
        return f"{self.path}: - {self.old}" if self.new is None else f"{self.path}: {self.old} → {self.new}"


def changes(before: Policy, after: Policy) -> list[Changed]:
    """What differs in meaning, path by path, defaults included."""
    old, new = (dict(_flat("", policy.model_dump(mode="json", exclude={"indicators"}))) for policy in (before, after))
    found = [Changed(*each) for each in compare(old, new)]
    for rule, one, other in _tunings(before, after):
        general = list(compare(figures_of(one.usual), figures_of(other.usual)))
        found += [Changed(*each, rule.id) for each in general]
        for subject in _subjects(one, other)[1:]:
            own = compare(*(figures_of(tuning.own.get(subject, tuning.usual)) for tuning in (one, other)))
            # What merely follows from the line above for all would say the same again.
            found += [Changed(*each, rule.id, subject) for each in own if each not in general]
    return found


def differences(before: Policy, after: Policy) -> list[str]:
    """The same as lines: `path: old → new`, or + and - for what is only in one."""
    return [str(each) for each in changes(before, after)]


def _tunings(before: Policy, after: Policy) -> Iterator[tuple[AnyRule, Tuning, Tuning]]:
    for rule in one_of_each(all_rules()):
        old, new = (policy.indicators.get(rule.id, IndicatorPolicy()) for policy in (before, after))
        yield rule, tuning_of(rule, old), tuning_of(rule, new)


def _subjects(old: Tuning, new: Tuning) -> list[str]:
    """Those that either policy names; first the empty one for all others."""
    return ["", *sorted({*old.own, *new.own})]


def _acts(tuning: Tuning, subject: str, action: Any) -> bool:
    tuned = tuning.on(subject)
    return tuned is not None and tuned.maturity[action] == "auto"


def _resumes_guardrail(tuning: Tuning, subject: str, action: Any) -> bool:
    tuned = tuning.on(subject)
    return tuned is not None and tuned.resumes[action].auto and is_guardrail(tuned.rule.id, action)


def figures_of(tuned: Tuned) -> dict[str, Any]:
    """All that a policy can say of one indicator, by its path: `thresholds.slow_at`."""
    whole = {
        "enabled": tuned.enabled,
        "maturity": dict(tuned.maturity) or ("shadow" if tuned.shadow else "notify"),
        "fire": FirePolicy(hold=tuned.fires_after).model_dump(mode="json"),
        "clear": tuned.clearing.model_dump(mode="json"),
        "resume": {action: resume.model_dump(mode="json") for action, resume in tuned.resumes.items()},
        "thresholds": tuned.limits.model_dump(mode="json"),
    }
    return dict(_flat("", whole))


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _flat(f"{path}.{name}" if path else str(name), part)
    else:
        yield path, value


def compare(old: dict[str, Any], new: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Path, old and new of what differs; of lists each entry that only one of them has."""
    for path in dict.fromkeys([*old, *new]):
        one, other = old.get(path), new.get(path)
        if isinstance(one, list) or isinstance(other, list):
            yield from ((path, each, None) for each in one or [] if each not in (other or []))
            yield from ((path, None, each) for each in other or [] if each not in (one or []))
        elif one != other:
            yield path, one, other
