"""What the documentation says is so."""

from pathlib import Path

from deploy import handbook

ROOT = Path(__file__).resolve().parents[2]


def test_the_handbook_is_current() -> None:
    assert handbook.PAGE.read_text("utf-8") == handbook.page()


def test_the_thirteenth_in_the_guide_is_the_one_that_is_tested() -> None:
    code = (ROOT / "tests/unit/indicators/thirteenth/idle_clicks.py").read_text("utf-8").rstrip()
    assert f"```python\n{code}\n```" in (ROOT / "docs/add-an-indicator.md").read_text("utf-8")
    assert len(code.splitlines()) < 30
