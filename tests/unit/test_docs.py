"""What the documentation says is so."""

import re
from pathlib import Path

import pytest

from deploy import handbook
from services.indicators.registry import all_rules

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)(?:#[^)\s]*)?\)")


def test_the_handbook_is_current() -> None:
    assert handbook.PAGE.read_text("utf-8") == handbook.page()


def test_the_thirteenth_in_the_guide_is_the_one_that_is_tested() -> None:
    code = (ROOT / "tests/unit/indicators/thirteenth/idle_clicks.py").read_text("utf-8").rstrip()
    assert f"```python\n{code}\n```" in (ROOT / "docs/add-an-indicator.md").read_text("utf-8")
    assert len(code.splitlines()) < 30


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    missing = [target for target in LINK.findall(page.read_text("utf-8")) if not (page.parent / target).exists()]
    assert missing == []


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: str(rule.name))
def test_every_rule_has_a_place_in_the_runbook(rule: object) -> None:
    path, _, anchor = str(getattr(rule, "runbook", "")).partition("#")
    assert f"\n## {anchor}\n" in (ROOT / path).read_text("utf-8")
