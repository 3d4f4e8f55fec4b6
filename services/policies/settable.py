"""The figures that a form can set, and setting one in a document's text."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, get_args

from schemas.base import Bilingual, Maturity
from schemas.policy import IndicatorPolicy, Policy
from schemas.problem_words import both
from services.indicators.registry import all_rules, one_of_each
from services.indicators.rule import AnyRule
from services.indicators.verdicts.tuning import tuning_of
from services.policies.differences import figures_of
from services.policies.documents import Document
from services.policies.editing import CannotEditError, put

MAX_VALUE: Final = 500
_SETTABLE: Final = ("enabled", "maturity", "thresholds")


@dataclass(frozen=True, slots=True)
class Settable:
    """One figure of an indicator. name: `thresholds.complaints`, `maturity.pause`, `enabled`. now: for all subjects."""

    indicator: str
    title: Bilingual
    subject: str
    name: str
    now: Any


def settable(policy: Policy) -> Iterator[Settable]:
    """All of them, by indicator, with what a policy says; lists and figures by segment are for the document."""
    for rule in one_of_each(all_rules()):
        usual = tuning_of(rule, policy.indicators.get(rule.id, IndicatorPolicy())).usual
        for name, value in figures_of(usual).items():
            if name.split(".")[0] in _SETTABLE and name.count(".") <= 1 and not isinstance(value, list):
                yield Settable(rule.id, rule.title, rule.subject, name, value)


def put_figure(text: str, indicator: str, name: str, subject: str, value: str) -> str:
    """The text with one figure set, for all or for one subject. Raises CannotEditError."""
    rule = next((rule for rule in one_of_each(all_rules()) if rule.id == indicator), None)
    if rule is None or name.split(".")[0] not in _SETTABLE:
        raise CannotEditError(f"there is no figure {indicator}.{name}", f"没有数值 {indicator}.{name}")
    if subject and not subject.startswith(f"{rule.subject}:"):
        subject = f"{rule.subject}:{subject}"
    at = ["indicators", indicator, *(["overrides", subject] if subject else [])]
    wanted = _read(value)
    part, _, below = name.partition(".")
    if part == "maturity":
        return _put_maturity(text, rule, at, below, wanted)
    return put(text, [*at, *name.split(".")], wanted)


def _put_maturity(text: str, rule: AnyRule, at: list[str], action: str, wanted: Any) -> str:
    if wanted not in get_args(Maturity):
        raise CannotEditError(
            f"maturity is one of {', '.join(get_args(Maturity))}", f"执行方式须为 {'、'.join(get_args(Maturity))} 之一"
        )
    said = _value_at(Document(text).value, [*at, "maturity"])
    if isinstance(said, str) and action:  # one word for all actions: the others keep it
        return put(text, [*at, "maturity"], dict.fromkeys(map(str, rule.actions), said) | {action: wanted})
    return put(text, [*at, "maturity", *([action] if action else [])], wanted)


def _read(value: str) -> Any:
    """As YAML reads it, in one line."""
    if not value.strip() or len(value) > MAX_VALUE or not value.isprintable():
        raise CannotEditError("a value is needed, in one line", "请在一行内填写取值")
    document = Document(f"value: {value}")
    if document.flaws:
        said = both(document.flaws[0].problem)
        raise CannotEditError(f"value: {said.en}", f"取值：{said.zh}")
    return document.value["value"]


def _value_at(document: Any, path: list[str]) -> Any:
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return document
