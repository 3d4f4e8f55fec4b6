"""Precision and recall on the labelled texts; the half that nothing was tuned on decides."""

import json
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Literal

import pytest

from schemas.content import ContentPolicy
from services.scanning.report import Figures, Material
from services.scanning.scanner import Scanner

SET = Path(__file__).parents[2] / "quality" / "content" / "labelled.jsonl"
WANTED = 0.95


@dataclass(frozen=True)
class Labelled:
    """A text of the set. `half`: 0 is for tuning, 1 is left untouched."""

    text: str
    label: Literal["violation", "innocent"]
    why: str

    @property
    def half(self) -> int:
        return sha256(self.text.encode()).digest()[0] % 2


@cache
def labelled() -> list[Labelled]:
    return [Labelled(**json.loads(line)) for line in SET.read_text("utf-8").splitlines()]


def is_hit(text: str, scanner: Scanner) -> bool:
    """Whether a phrase is found that is a violation; prompts are not what the set is about."""
    report = scanner.scan(Material(body=text), Figures())
    return any(finding.kind == "phrase" and not finding.shadow for finding in report.findings)


def test_the_set_is_large_and_half_innocent() -> None:
    texts = labelled()
    assert len({each.text for each in texts}) == len(texts) >= 320
    for half in (0, 1):
        labels = [each.label for each in texts if each.half == half]
        assert 0.4 <= labels.count("innocent") / len(labels) <= 0.6


@pytest.mark.parametrize("half", [0, 1], ids=["tuned", "untouched"])
def test_precision_and_recall(half: int) -> None:
    scanner = Scanner(ContentPolicy())
    hits = [each.label for each in labelled() if each.half == half and is_hit(each.text, scanner)]
    right, all_violations = (
        hits.count("violation"),
        sum(each.half == half and each.label == "violation" for each in labelled()),
    )
    precision, recall = right / len(hits), right / all_violations
    print(f"half {half}: precision {precision:.3f}, recall {recall:.3f}, {len(hits)} hits")
    assert precision >= WANTED
    assert recall >= WANTED


def test_what_is_proposed_is_innocent() -> None:
    scanner = Scanner(ContentPolicy())
    for each in labelled():
        proposed = scanner.scan(Material(body=each.text), Figures()).proposed
        assert not scanner.scan(Material(body=proposed), Figures()).violated, (each.text, proposed)
