"""docker-compose.yml by the loader of the Compose specification, and the Dockerfile by hadolint."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.compose import FILE, ROOT, containers
from tests.system.tools import COMPOSE, HADOLINT

pytestmark = pytest.mark.system


def load(file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMPOSE, file], capture_output=True, text=True, check=False)


@pytest.mark.skipif(not COMPOSE.exists(), reason="needs Go, with which `make test-system` builds compose-go")
def test_the_compose_file_is_one_by_the_specification(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy", ignore=shutil.ignore_patterns("helm", "__pycache__"))
    shutil.copy(FILE, tmp_path)
    done = load(tmp_path / FILE.name)
    assert (done.returncode, done.stderr) == (0, "")
    loaded = yaml.safe_load(done.stdout)["services"]
    for name, container in containers().items():
        found = loaded[name]
        assert [*found.get("entrypoint", ()), *found.get("command", ())] == container.command
        assert {key: str(value) for key, value in found.get("environment", {}).items()} == container.environment

    wrong = (tmp_path / FILE.name).read_text("utf-8").replace("read_only: true", "readonly: true")
    (tmp_path / "wrong.yml").write_text(wrong)
    assert ".readonly false schema" in load(tmp_path / "wrong.yml").stderr


@pytest.mark.skipif(not HADOLINT.exists(), reason="`make test-system` could not install hadolint")
def test_the_dockerfile_has_nothing_to_blame() -> None:
    done = subprocess.run([HADOLINT, ROOT / "deploy/Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
