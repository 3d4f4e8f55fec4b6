"""The compliance stress test: which share of published materials would fail under a policy, and why."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from services.cli.scan.scan import Scanned
from services.scanning.report import Finding

WORST = 10


@dataclass(frozen=True, slots=True)
class Stress:
    """kinds, phrases: in how many failing materials each was found. shadow: phrases in shadow, in any material.

    worst: the failing ones with the most findings. policy: by which they were judged.
    """

    policy: str
    materials: int
    failed: int
    kinds: dict[str, int]
    phrases: dict[str, int]
    shadow: dict[str, int]
    worst: list[tuple[str, int]]

    @property
    def share(self) -> float:
        """Of materials that would fail."""
        return self.failed / self.materials if self.materials else 0.0

    def as_json(self) -> dict[str, Any]:
        """As a program reads it."""
        worst = [{"name": name, "findings": findings} for name, findings in self.worst]
        counts = {"kinds": self.kinds, "phrases": self.phrases, "shadow": self.shadow}
        figures = {"materials": self.materials, "failed": self.failed, "share": self.share}
        return {"policy": self.policy, **figures, **counts, "worst": worst}


def stress(scanned: Sequence[Scanned], policy: str) -> Stress:
    """Counts what was found."""
    kinds, phrases, shadow = Counter[str](), Counter[str](), Counter[str]()
    for each in scanned:
        real = [finding for finding in each.report.findings if not finding.shadow]
        kinds.update({finding.kind for finding in real})
        phrases.update(_phrases(real))
        shadow.update(_phrases([finding for finding in each.report.findings if finding.shadow]))
    failed = [each for each in scanned if each.report.violated]
    worst = sorted(((each.named.name, _weight(each)) for each in failed), key=lambda one: (-one[1], one[0]))
    counts = _ranked(kinds), _ranked(phrases), _ranked(shadow)
    return Stress(policy, len(scanned), len(failed), *counts, worst[:WORST])


def _phrases(findings: Sequence[Finding]) -> set[str]:
    return {finding.phrase for finding in findings if finding.kind == "phrase" and finding.phrase is not None}


def _weight(scanned: Scanned) -> int:
    return sum(not finding.shadow for finding in scanned.report.findings)


def _ranked(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def lines_of(result: Stress) -> Iterator[str]:
    """As people read it."""
    yield f"{result.failed} of {result.materials} materials would fail ({result.share:.1%}) under {result.policy}"
    for title, counts in (("why", result.kinds), ("phrases", result.phrases), ("in shadow", result.shadow)):
        if counts:
            yield f"{title}:"
            yield from (f"  {number:>6}  {name}" for name, number in counts.items())
    if result.worst:
        yield "the worst:"
        yield from (f"  {findings:>6}  {name}" for name, findings in result.worst)
