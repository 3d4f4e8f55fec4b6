"""What `tidegate scan` says of a material, for people and for programs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from services.cli.scan.materials import Named
from services.scanning.fingerprints import fingerprint
from services.scanning.report import Figures, Finding, Report
from services.scanning.scanner import Scanner

AROUND = 12
"""So many characters are shown on each side of a place."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """A material with its report."""

    named: Named
    report: Report


def scan_all(materials: list[Named], scanner: Scanner, figures: Figures) -> list[Scanned]:
    """Each material's report."""
    return [Scanned(each, scanner.scan(each.material, figures)) for each in materials]


def lines_of(scanned: Scanned) -> Iterator[str]:
    """The verdict, then a line for each finding: the original with the place marked, and beside it the rewording."""
    name, report = scanned.named.name, scanned.report
    verdict = "violation" if report.violated else "clean"
    yield f"{name}: {verdict}"
    for finding in report.findings:
        shadow = " (shadow)" if finding.shadow else ""
        yield f"  {finding.kind}{shadow}: {_told(finding, scanned.named.material.body)}"


def _told(finding: Finding, body: str) -> str:
    if finding.begin is None or finding.end is None:
        return f"{finding.text.en} · {finding.text.zh}"
    before, after = body[max(finding.begin - AROUND, 0) : finding.begin], body[finding.end : finding.end + AROUND]
    original = f"{before}〔{finding.found}〕{after}"
    proposed = "" if finding.instead is None else f"  →  {before}〔{finding.instead}〕{after}"
    return _one_line(original + proposed)


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def as_json(scanned: Scanned, policy: str) -> dict[str, Any]:
    """The report as a program reads it, by which policy, and the body's fingerprint: `reviewed_fingerprint` later."""
    name, mark = scanned.named.name, fingerprint(scanned.named.material.body)
    return {"name": name, "policy": policy, "fingerprint": mark} | scanned.report.model_dump(mode="json")
