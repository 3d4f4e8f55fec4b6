"""Two policies side by side: what differs in what they mean, and what may act by itself that might not before."""

from collections.abc import Iterator
from typing import Any

from schemas.governor import Governor
from schemas.policy import FirePolicy, IndicatorPolicy, Policy
from schemas.resuming import is_guardrail
from services.indicators.registry import all_rules, one_of_each
from services.indicators.rule import AnyRule
from services.indicators.tuning import Tuned, Tuning, tuning_of

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
    limits = ("channels_at_once", "channels_per_hour", "traffic_share_at_once", "traffic_share_per_hour", "always")
    if not (old.enabled and new.enabled):
        return ["governor: off"] if old.enabled else []
    return [f"governor: {name}" for name in limits if getattr(new, name) > getattr(old, name)]


def asks_fewer(before: Policy, after: Policy) -> list[str]:
    """Each order that takes several people under the first policy and fewer under the second."""
    old, new = before.four_eyes, after.four_eyes
    gone = [f"four_eyes: {each} takes one person" for each in old.orders if each not in new.orders]
    fewer = new.approvals < old.approvals
    return gone + ([f"four_eyes: {new.approvals} people agree instead of {old.approvals}"] if fewer else [])


def differences(before: Policy, after: Policy) -> list[str]:
    """What differs, path by path, defaults included: `path: old → new`, or + and - for what is only in one."""
    old, new = (dict(_flat("", policy.model_dump(mode="json", exclude={"indicators"}))) for policy in (before, after))
    lines = list(_compare(old, new))
    for rule, one, other in _tunings(before, after):
        general = list(_compare(_figures(one.usual), _figures(other.usual)))
        lines += [f"indicators.{rule.id}.{line}" for line in general]
        for subject in _subjects(one, other)[1:]:
            own = _compare(*(_figures(tuning.own.get(subject, tuning.usual)) for tuning in (one, other)))
            # What merely follows from the line above for all would say the same again.
            lines += [f"indicators.{rule.id}.overrides.{subject}.{line}" for line in own if line not in general]
    return lines


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


def _figures(tuned: Tuned) -> dict[str, Any]:
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


def _compare(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    for path in dict.fromkeys([*old, *new]):
        one, other = old.get(path), new.get(path)
        if isinstance(one, list) or isinstance(other, list):
            yield from (f"{path}: - {each}" for each in one or [] if each not in (other or []))
            yield from (f"{path}: + {each}" for each in other or [] if each not in (one or []))
        elif one != other:
            change = f"+ {other}" if one is None else f"- {one}" if other is None else f"{one} → {other}"
            yield f"{path}: {change}"
