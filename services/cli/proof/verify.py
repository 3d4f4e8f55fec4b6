"""Whether a command follows from the log: what it says, held against what is derived again from its evidence."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from schemas.base import Bilingual, to_ms
from schemas.commands import Command, Evidence
from schemas.frames import RAW_TOPIC_ORDER
from services.cli.proof.derive import Before, Derived, derive
from services.cli.proof.material import Material
from services.indicators.machine import STORES
from services.indicators.registry import all_rules, code_of, rules_of
from services.indicators.rule import AnyRule, Order
from services.indicators.verdicts.tuning import InForce, PolicyRefusedError, tune
from services.runtime.ids import derive as derive_id

Outcome = Literal["proved", "differs", "not available"]
EXIT: Final[dict[Outcome, int]] = {"proved": 0, "not available": 3, "differs": 1}
"""Exit codes, the better ones first."""
_HEX_DIGITS: Final = {"actor": 32}
"""Subjects whose name is a pseudonym: hex digits."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of a command: what it says, and what is derived."""

    field: str
    said: Any
    derived: Any


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one command. notes: what to know besides, or why nothing can be said."""

    command: Command
    outcome: Outcome
    differences: tuple[Difference, ...] = ()
    notes: tuple[Bilingual, ...] = ()


_APART: Final = Bilingual(
    en="its postings lie in several partitions, and what a body is held against depends on which was read first, which "
    "the log does not tell",
    zh="其发布记录分布在多个分区，文案与哪一份对比取决于读取的先后，而日志未记载先后",
)


def exit_code(findings: Iterable[Finding]) -> int:
    """That of the worst of them."""
    found = {each.outcome for each in findings}
    return EXIT[next((each for each in reversed(EXIT) if each in found), "proved")]


# -- before anything is read


def unverifiable(command: Command) -> Bilingual | None:
    """Why a command cannot be derived at all."""
    if not command.is_from_indicator():
        by = command.issued_by
        return Bilingual(
            en=f"not a machine's decision: ordered by {by}, see the audit", zh=f"并非自动决定：由 {by} 下达，见审计"
        )
    indicator = command.issued_by.partition(":")[2]
    if all(rule.id != indicator for rule in all_rules()):
        return Bilingual(en=f"this release has no indicator {indicator}", zh=f"本版本没有指标 {indicator}")
    return None


def flaws(command: Command, partitions: int) -> list[Difference]:
    """What is wrong with a command in itself, where raw topics have so many partitions."""
    evidence = command.evidence
    if evidence is None or command.event_time is None:
        return [Difference("evidence" if evidence is None else "event_time", None, "every indicator's command has it")]
    found = [
        Difference("issued_by", command.issued_by, f"indicator:{evidence.indicator}"),
        Difference("command_id", command.command_id, _id_of(command)),
    ]
    subjects = [rule.subject for rule in all_rules() if rule.id == evidence.indicator]
    kind, _, name = evidence.subject.partition(":")
    if kind not in subjects or kind not in STORES or not _is_name(kind, name):
        found.append(Difference("evidence.subject", evidence.subject, f"a {' or '.join(subjects)}"))
    found += [
        Difference("evidence.sources", each.model_dump(by_alias=True), "a range of a raw topic")
        for each in evidence.sources
        if not (each.topic in RAW_TOPIC_ORDER and 0 <= each.partition < partitions and 0 <= each.from_ < each.to)
    ]
    return [each for each in found if each.said != each.derived]


def _id_of(command: Command) -> str:
    return derive_id(str(command.alert_id), command.command, command.target, str(command.level))


def _is_name(kind: str, name: str) -> bool:
    digits = _HEX_DIGITS.get(kind)
    return digits is None or (len(name) == digits and not set(name) - set("0123456789abcdef"))


# -- the policy

CHANGING_MS: Final = 600_000
"""For so long after a change of policy is announced, verdicts by the one before may still come."""
Changes = Sequence[tuple[int, str]]
"""When (ms) which policy, `name/version`, was put in force, oldest first."""


def out_of_force(command: Command, evidence: Evidence, changes: Changes) -> list[Difference]:
    """A difference where the policy that is named was not in force then; none where that is not known any more."""
    issued = to_ms(command.issued_at)
    last = max((at for at, _ in changes if at <= issued - CHANGING_MS), default=None)
    then = [named for at, named in changes if last is not None and last <= at <= issued]
    label = label_of(evidence)
    return [] if not then or label in then else [Difference("evidence.policy", label, " or ".join(then))]


def label_of(evidence: Evidence) -> str:
    """`name/version` of the policy that an evidence names."""
    return f"{evidence.policy.name}/{evidence.policy.version}"


class Policies:
    """Policy documents by `name/version`, worked out for each kind of subject once."""

    def __init__(self, documents: Mapping[str, bytes]) -> None:
        self._documents = documents
        self._known: dict[tuple[str, str], InForce | Bilingual] = {}

    def of(self, evidence: Evidence) -> InForce | Bilingual:
        """The policy that an evidence names, or why there is none."""
        label, kind = label_of(evidence), evidence.subject.partition(":")[0]
        if (label, kind) not in self._known:
            self._known[label, kind] = self._tuned(label, kind)
        return self._known[label, kind]

    def _tuned(self, label: str, kind: str) -> InForce | Bilingual:
        document = self._documents.get(label)
        if document is None:
            return Bilingual(en=f"policy {label} is not on its topic", zh=f"主题中没有策略 {label}")
        try:
            policy = tune(document, rules_of(kind))
        except PolicyRefusedError as error:
            return Bilingual(
                en=f"this release cannot judge by policy {label}: {error}", zh=f"本版本无法依据策略 {label} 判断"
            )
        named = f"{policy.version.name}/{policy.version.version}"
        if named == label:
            return policy
        return Bilingual(en=f"the document under {label} says that it is {named}", zh=f"{label} 下的文档自称为 {named}")


# -- the proof


def prove(command: Command, evidence: Evidence, material: Material, policy: InForce, before: Before) -> Finding:
    """Derives a command again from what has been read."""
    told = material.told(evidence)
    best: list[Difference] | None = None
    for number, all_derived in enumerate(derive(command, evidence, told, policy, before)):
        for derived in all_derived:
            found = list(_differences(command, evidence, derived))
            if number == 0 and (best is None or len(found) < len(best)):
                best = found
            if not found:
                return Finding(command, "proved", notes=tuple(_about_code(evidence, derived.rule)))
    if best is None:
        why = f"policy {policy.label} has this indicator switched off"
        best = [Difference("evidence.policy", policy.label, why)]
    rule = next(rule for rule in all_rules() if rule.id == evidence.indicator)
    finding = Finding(command, "differs", tuple(best), tuple(_about_code(evidence, rule)))
    apart = evidence.subject.startswith("content:") and len(evidence.sources) > 1
    return with_gap(finding, [_APART] if apart else [])


def _about_code(evidence: Evidence, rule: AnyRule) -> Iterator[Bilingual]:
    said, own = evidence.code, code_of(rule)
    if said is None or said.digest != own.digest:
        other, zh = ("unnamed code", "未注明的代码") if said is None else (f"code {said.digest}", f"代码 {said.digest}")
        yield Bilingual(
            en=f"decided by {other}; derived by {own.digest}, the code at hand",
            zh=f"由{zh}作出决定；由现有代码 {own.digest} 推导",
        )


def _differences(command: Command, evidence: Evidence, derived: Derived) -> Iterator[Difference]:
    verdict = derived.verdict
    if evidence.code is not None and evidence.code.rule != derived.rule.id:
        yield Difference("evidence.code.rule", evidence.code.rule, derived.rule.id)
    if derived.evidence is None:
        yield Difference("verdict", f"level {command.level}", verdict.verdict)
        yield from _unequal("evidence.value", evidence.value, verdict.value)
        yield from _unequal("evidence.threshold", evidence.threshold, verdict.threshold)
        yield from _unequal("evidence.samples", evidence.samples, dict(verdict.samples))
        return
    said, found = (each.model_dump(mode="json", by_alias=True) for each in (evidence, derived.evidence))
    for name in ("value", "threshold", "window", "samples", "sources", "detail"):
        yield from _unequal(f"evidence.{name}", said[name], found[name])
    yield from _unordered(command, derived)


def _unordered(command: Command, derived: Derived) -> Iterator[Difference]:
    """What is different in the order itself."""
    wanted = command.command, command.target, command.level
    order = next((each for each in derived.orders if (each.action, each.target, each.level) == wanted), None)
    if order is None:
        orders = [f"{each.action} {each.target} at level {each.level}" for each in derived.orders]
        yield Difference("order", "{} {} at level {}".format(*wanted), orders)
        return
    yield from _unequal("factor", command.factor, order.factor)
    yield from _unequal("maturity", command.maturity, derived.tuned.maturity[order.action])
    yield from _unequal("reason", command.reason, order.reason or derived.title)


def _unequal(name: str, said: Any, derived: Any) -> Iterator[Difference]:
    """One difference or none; of mappings, each key that is not the same."""
    if isinstance(said, dict) and isinstance(derived, dict) and said.keys() == derived.keys():
        for key in said:
            yield from _unequal(f"{name}.{key}", said[key], derived[key])
    elif said != derived:
        yield Difference(name, said, derived)


def before(command: Command, of_alert: Iterable[Command]) -> Before:
    """What had happened in the same episode when this was ordered, by the indicator's other commands."""
    at = _moment(command)
    earlier = [each for each in of_alert if _moment(each) < at and each.level is not None]
    given = [Order(each.command, each.target, each.level or 1) for each in earlier]  # type: ignore[arg-type]
    return Before(tuple(given), min(_moment(each)[1] for each in (*earlier, command)))


def _moment(command: Command) -> tuple[int, int]:
    return to_ms(command.issued_at), to_ms(command.event_time or command.issued_at)


def with_gap(finding: Finding, gaps: Sequence[Bilingual]) -> Finding:
    """Where not all of the log is there that a proof may need, a difference proves nothing."""
    if not gaps or finding.outcome != "differs":
        return finding
    return replace(finding, outcome="not available", notes=(*gaps, *finding.notes))
