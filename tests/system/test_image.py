"""The steps of deploy/Dockerfile that need no container engine: what is copied, installed and started, in a folder.

The stages share one root folder here, since the base image is this machine's Python; what makes a user and removes pip
is left out.
"""

import fnmatch
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.compose import ROOT

pytestmark = pytest.mark.system

DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text("utf-8")
OURS = re.compile(r"(?<![\w.])/(opt|src|app|secrets)\b")
IGNORED = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line and line[0] not in "#!"]


def steps() -> Iterator[tuple[str, str, str]]:
    """Stage, instruction and its text, line by line, for the stages `build` and `tidegate`; arguments as by default."""
    stage, given = "", dict[str, str]()
    joined = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.M))
    for line in filter(None, joined.splitlines()):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            stage = rest.partition(" AS ")[2]
        elif word == "ARG":
            name, _, given[name] = rest.partition("=")
        elif stage in ("build", "tidegate"):
            yield stage, word, re.sub(r"\$\{(\w+)\}", lambda found: given[found[1]], rest)


def copy(sources: list[str], target: Path) -> None:
    """As COPY does: the content of a folder, or files, as far as they are not ignored."""

    def left_out(folder: str, names: list[str]) -> list[str]:
        paths = {name: (Path(folder) / name).relative_to(ROOT).as_posix() for name in names}
        patterns = [each.removeprefix("**/") for each in IGNORED if each != "*"]
        return [n for n, path in paths.items() if any(fnmatch.fnmatch(n, p) or path == p for p in patterns)]

    target.mkdir(parents=True, exist_ok=True)
    for source in sources:
        path = ROOT / source
        if path.is_dir():
            shutil.copytree(path, target, dirs_exist_ok=True, ignore=left_out)
        else:
            shutil.copy(path, target)


def test_what_the_image_is_made_of_starts_from_a_folder(tmp_path: Path) -> None:
    def here(text: str) -> str:
        return OURS.sub(lambda found: f"{tmp_path}/{found[1]}", text)

    workdir, ran = tmp_path, 0
    environ = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": os.environ.get("HOME", "/")}
    for stage, word, rest in steps():
        if word == "WORKDIR":
            workdir = Path(here(rest))
            workdir.mkdir(parents=True)
        elif word == "COPY" and not rest.startswith("--from="):
            *sources, target = rest.split()
            copy(sources, workdir / target)
        elif word == "RUN" and stage == "build":
            command = here(rest).replace("python -m venv", f"{sys.executable} -m venv")
            done = subprocess.run(command, shell=True, cwd=workdir, env=environ, capture_output=True, text=True)  # noqa: S602
            assert done.returncode == 0, done.stdout + done.stderr
            ran += 1
    assert ran == 2

    programs = tmp_path / "opt/tidegate/bin"
    started = {"PATH": str(programs), "TIDEGATE_CONSOLE_PORT": "9"}

    def run(*command: str, **more: str) -> subprocess.CompletedProcess[str]:
        program = programs / command[0]
        return subprocess.run(
            [program, *command[1:]], cwd=workdir, env=started | more, capture_output=True, text=True, check=False
        )

    assert "Real-time risk alerts" in run("tidegate", "--help").stdout
    assert run("tidegate", "--version").stdout.strip() == "0.1.0"
    assert "default/1 is valid" in run("tidegate", "policy", "check", "deploy/policy.yaml").stdout
    assert run("python", "-m", "deploy.launcher.secrets", str(tmp_path / "secrets")).returncode == 0
    assert (tmp_path / "secrets/pseudonym-key").stat().st_mode & 0o777 == 0o600
    assert run("python", "-m", "services.runtime.http.probe_io").stdout.startswith("no answer")
    for service in ("gateway", "ingest", "indicators", "channel_control", "alerting", "console"):
        # Settings are the first thing that a service looks at: by then all that it imports is there.
        done = run(
            "python",
            "-m",
            f"services.{service}",
            *(["--subject", "actor"] * (service == "indicators")),
            TIDEGATE_KAFKA="x",
        )
        assert (done.returncode, "TIDEGATE_KAFKA: must be host:port" in done.stderr) == (2, True), done.stderr
    assert not (programs / "pip").exists()
