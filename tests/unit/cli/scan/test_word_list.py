"""A CSV list of words as phrases: what fires too often is in shadow."""

from pathlib import Path

import pytest

from schemas.content import ContentPolicy, Phrase
from services.cli.scan.word_list import WordListError, joined, phrases_of
from services.scanning.scanner import Scanner
from tests.unit.scanning.test_quality import is_hit, labelled

REAL = Path(__file__).parents[5] / "shared" / "data" / "forbidden_words_zh.csv"
"""Practitioners' lists, where they are at hand."""


def test_only_words_that_block_are_violations() -> None:
    lines = [
        "word,category,severity",
        "第一,极限用语,high",
        "稳赚,金融违规,block",
        "成本价（非真实时）,虚假宣传,block",
        "比XX好10倍,对比贬低,block",
        "最好,极限用语,",
        "最好,极限用语,block",
    ]
    assert [(phrase.text, phrase.shadow) for phrase in phrases_of(lines)] == [
        ("稳赚", False),
        ("最好", False),
        ("第一", True),
        ("成本价", True),
    ]


def test_a_file_without_words_is_refused() -> None:
    with pytest.raises(WordListError, match="no column 'word'"):
        phrases_of(["phrase,severity", "稳赚,block"])


def test_the_policy_s_own_phrases_keep_their_rewording() -> None:
    own, more = [Phrase(text="稳赚", instead="争取")], [Phrase(text="稳赚"), Phrase(text="最好", shadow=True)]
    assert joined(own, more) == [own[0], more[1]]


@pytest.mark.skipif(not REAL.exists(), reason="the real list is not at hand")
def test_shadow_keeps_the_real_list_from_firing_at_innocent_texts() -> None:
    """By innocent texts that are hit: without shadow many, with it hardly more than by the default policy."""
    with REAL.open(encoding="utf-8-sig", newline="") as lines:
        listed = phrases_of(lines)
    loud = [phrase.model_copy(update={"shadow": False}) for phrase in listed]
    innocent = [each.text for each in labelled() if each.label == "innocent"]
    scanners = {
        name: Scanner(ContentPolicy(phrases=phrases)) for name, phrases in (("with shadow", listed), ("without", loud))
    }
    hits = {name: sum(is_hit(text, scanner) for text in innocent) for name, scanner in scanners.items()}
    print(f"{len(listed)} phrases, {sum(phrase.shadow for phrase in listed)} in shadow; of {len(innocent)}: {hits}")
    assert hits["with shadow"] <= 0.05 * len(innocent) < hits["without"]
