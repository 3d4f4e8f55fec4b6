"""Evidence as people read it, and what the runbook says."""

import re
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schemas.directory import Directory
from services.console.pages.alerts.evidence import Shown, shown
from services.console.pages.alerts.runbook import paragraphs, section
from services.console.pages.frame.speaking import LANGUAGES, Language, Speaker
from services.indicators.registry import all_rules
from tests.support.twelve import the_twelve
from tests.unit.cli.proof.test_verify import played
from tests.unit.console.samples import NOW
from tests.unit.console.troubles import evidence

ROOT = Path(__file__).parents[5]
DIRECTORY = Directory.model_validate({"products": {"fund-a": {"name": {"en": "Steady Fund", "zh": "稳健基金"}}}})


def told(detail: Any, language: Language = "en", **samples: int) -> Shown:
    speaker = Speaker(language, ZoneInfo("Asia/Shanghai"), NOW, DIRECTORY)
    return shown(evidence("complaint_volume", "channel:douyin", detail=detail, samples=samples), speaker)


def test_counts_become_a_table_with_names_of_the_directory() -> None:
    ((title, table),) = told({"products": {"fund-a": 1400, "fund-b": 5}}, "zh").tables
    assert (title, table.rows) == ("产品", (("稳健基金", "1,400"), ("fund-b", "5")))


@pytest.mark.parametrize(
    ("name", "value", "fact"),
    [
        ("rate", 0.0213, ("rate", "2.1 %")),
        ("spend", 12345.678, ("spend, CNY", "12,346")),
        ("high_net_worth", True, ("high-net-worth customer", "yes")),
        ("due_at", "2026-11-23T02:00:00Z", ("answer due", "2026-11-23 10:00:00")),
        ("carried_by", ["a", "b"], ("channels that carry it", "a, b")),
        ("fingerprint", "0f" * 32, ("fingerprint of the text", "0f0f0f0f0f0f…")),
        ("baseline", {"en": "a holiday", "zh": "节假日"}, ("remark on the comparison", "a holiday")),
        ("changes", [{"en": "x", "zh": "某"}, {"en": "y", "zh": "另"}], ("changes", "x, y")),
        ("of_my_own", 3, ("of my own", "3")),
    ],
)
def test_what_fits_into_a_line(name: str, value: Any, fact: tuple[str, str]) -> None:
    assert told({name: value}).facts == [fact]


def test_rows_become_a_table_with_a_column_for_each_part() -> None:
    findings = [{"phrase": "稳赚", "begin": 3}, {"phrase": "保本", "instead": "有风险"}]
    ((title, table),) = told({"findings": findings}).tables
    assert (title, table.head) == ("what is wrong", ("phrase", "from character", "write instead"))
    assert table.rows == (("稳赚", "3", "–"), ("保本", "–", "有风险"))


def test_what_is_empty_is_left_out_and_what_lies_deeper_is_found() -> None:
    found = told({"product": None, "accounts": {}, "trace": {"channels": {"douyin": 3}, "channel_count": 1}}, clicks=3)
    assert found.facts == [("clicks", "3"), ("channels in all", "1")]
    assert [title for title, _ in found.tables] == ["channels"]


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.name)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_evidence_of_every_indicator_can_be_read(rule: Any, language: Language) -> None:
    speaker = Speaker(language, ZoneInfo("Asia/Shanghai"), NOW, Directory())
    for example in rule.examples:
        for command in played(rule, example).commands:
            assert command.evidence is not None
            found = shown(command.evidence, speaker)
            assert not any("{" in text for fact in found.facts for text in fact)
            if language == "zh":
                names = [name for name, _ in (*found.facts, *found.tables)]
                assert not [name for name in names if name.isascii()], "each part has its words"


@pytest.mark.parametrize("rule", the_twelve(), ids=lambda rule: rule.name)
def test_the_runbook_of_every_indicator_is_found_in_both_languages(rule: Any) -> None:
    assert section(rule.runbook, "en")
    assert section(rule.runbook, "en") != section(rule.runbook, "zh")


@pytest.mark.parametrize(
    "file", [*sorted(ROOT.glob("services/*/runbook.md")), ROOT / "docs/runbooks.md"], ids=lambda file: file.parent.name
)
def test_every_heading_of_a_runbook_is_followed_by_as_many_steps_in_both_languages(file: Path) -> None:
    text = file.read_text("utf-8")
    for heading in re.findall("^## (.+)$", text, re.M):
        en, zh = (paragraphs(text, heading, language) for language in LANGUAGES)
        steps = [[pieces[0][1][:2] for pieces in each if pieces[0][1][:1].isdigit()] for each in (en, zh)]
        assert steps[0] == steps[1], heading
        assert en and zh and en != zh, heading


@pytest.mark.parametrize(
    "place", [None, "", "services/../runbook.md#x", "/etc/passwd#x", "services/nowhere/runbook.md#x"]
)
def test_what_leads_nowhere_is_no_runbook(place: str | None) -> None:
    assert section(place, "zh") == ()


def test_a_runbook_is_told_step_by_step_without_its_marks() -> None:
    text = "# All\n\n## one\n\nLook at `/readyz`\n(see [the docs](docs/x.md)).\n\n1. First.\n2. Then.\n\n## two\n\nno\n"
    assert paragraphs(text, "one", "en") == [
        [("text", "Look at "), ("code", "/readyz"), ("text", " (see "), ("text", "the docs"), ("text", ").")],
        [("text", "1. First.")],
        [("text", "2. Then.")],
    ]
    assert paragraphs(text, "one", "zh") == paragraphs(text, "one", "en"), "in English where there is no Chinese"
    assert paragraphs(text + "\n看\n`x`。\n", "two", "zh") == [[("text", "看"), ("code", "x"), ("text", "。")]]
    assert paragraphs(text, "three", "en") == []
