"""What must not be in the tree: paths of somebody's machine, and the hosts of package registries."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Written in pieces, so that this file does not find itself.
MACHINE_PATH = re.compile(r"(?<![\w.~-])(/(?:home|Users)/\w+|/(?:root|work|tmp|var/folders)/" + r"\w|[A-Z]:\\Users)")
REGISTRY = re.compile("|".join((r"pypi\." + "org", "files.python" + "hosted", r"repo1?\.maven", "registry.npm" + "js")))


def tracked() -> list[Path]:
    """All files that git keeps, as far as they are there and text."""
    git = shutil.which("git")
    if git is None:
        pytest.skip("no git")
    done = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip("not a git clone")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def findings(pattern: re.Pattern[str]) -> list[str]:
    """`file:line: what` for every match in a tracked file."""
    found = []
    for path in tracked():
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
            found += [f"{path.relative_to(ROOT)}:{number}: {match[0]}" for match in pattern.finditer(line)]
    return found


def test_no_path_of_a_machine_is_in_the_tree() -> None:
    assert findings(MACHINE_PATH) == []


def test_no_registry_is_named_in_the_tree() -> None:
    assert findings(REGISTRY) == []


@pytest.mark.parametrize(
    "line", ["cd /home" + "/ann/tidegate", "open('/tmp" + "/x')", "see /work" + "/main", "C:" + r"\Users\ann"]
)
def test_the_pattern_finds_machine_paths(line: str) -> None:
    assert MACHINE_PATH.search(line)


@pytest.mark.parametrize(
    "line", ["example.com/home/ann", "~/.cache/tidegate", "services/runtime/work/x.py", "/v1/events"]
)
def test_the_pattern_lets_other_paths_be(line: str) -> None:
    assert not MACHINE_PATH.search(line)
