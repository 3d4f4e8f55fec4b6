"""A stranger who follows the guide to the letter adds number thirteen, and every test of all rules holds."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
ROOMS = ("schemas", "services", "deploy", "docs", "tests")
FILE, TEST = "services/indicators/rules/idle_clicks.py", "tests/unit/indicators/test_idle_clicks.py"
HELD_TO = (
    "tests/unit/indicators/test_registry.py",
    "tests/unit/indicators/test_examples.py",
    "tests/unit/policies/test_words.py",
    "tests/unit/test_docs.py",
)


def run(tree: Path, *module: str) -> subprocess.CompletedProcess[str]:
    """`python -m …` in a copy of the tree, which comes before the one that is installed."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-m", *module], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )


def test_the_file_and_the_test_of_the_guide_are_all_it_takes(tmp_path: Path) -> None:
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__", "screenshots"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    guide = (ROOT / "docs/add-an-indicator.md").read_text("utf-8")
    for place, text in zip((FILE, TEST), re.findall(r"```python\n(.*?)```", guide, re.DOTALL), strict=True):
        assert place in guide
        (tmp_path / place).write_text(text, "utf-8")
    assert run(tmp_path, "deploy.handbook", "--check").returncode == 1, "this page is generated"
    assert run(tmp_path, "deploy.handbook").returncode == 0
    done = run(tmp_path, "pytest", "-q", "-rA", "-p", "no:cacheprovider", "-p", "no:xdist", *HELD_TO, TEST)
    assert done.returncode == 0, done.stdout
    assert "test_a_rule_fits_the_runtime[idle_clicks]" in done.stdout, "the rule of the copy was among them"
