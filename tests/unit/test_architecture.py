"""The rules on who may import whom, held against every module of the tree."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN = ("aiokafka", "facebook_business", "fastapi", "faust", "google.ads", "grpc", "httpx", "httpx2", "requests")
"""What only modules with a name for I/O may pull in, themselves or through others."""
PURE_ROOMS = ("scanning", "incidents", "auditing")
"""Rooms without any I/O, for what must be judged alike in several services: a text (by the indicator and the console's
scan), which alerts are one incident, and whether the audit is whole (by the console and the command line)."""
JUDGING_ROOM = "policies"
"""What a policy means and how it is changed, for the console and the command line: only who knows the rules can say
that, so it may import the pure modules of others, as the command line may."""


def is_io(module: str) -> bool:
    """Whether the name says that it may do I/O."""
    last = module.rpartition(".")[2]
    return last in ("app", "agent", "__main__") or last.endswith("_io")


def modules(package: str) -> list[str]:
    """The names of all modules below a folder of the root."""
    paths = sorted((ROOT / package).rglob("*.py"))
    return [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths]


def pulled_in(names: list[str]) -> dict[str, list[str]]:
    """What each module loads of FORBIDDEN when nothing else was imported before."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.import_probe", ",".join(FORBIDDEN)],
        input="\n".join(names),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def imports(path: Path) -> Iterator[str]:
    """The full names of what a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def objection(importer: str, imported: str) -> str | None:
    """Why a module may not import another of ours; None when it may."""
    here, there = importer.split("."), imported.split(".")
    if there[0] in ("deploy", "tests") and here[0] in ("services", "schemas"):
        return "what is shipped does not know how it is deployed or tested"
    if here[0] == "schemas" and there[0] == "services":
        return "the contracts know no service"
    if here[0] != "services" or there[0] != "services" or len(there) < 2 or there[1] == here[1]:
        return None
    if there[1] == "runtime" or (there[1] in PURE_ROOMS and here[1] != "runtime"):
        return None
    if there[1] == JUDGING_ROOM and here[1] in ("cli", "console"):
        return None
    if here[1] == "cli" and not is_io(imported):
        return None
    if here[1] == JUDGING_ROOM and there[1] not in ("cli", "console") and not is_io(imported):
        return None
    return "services share schemas, services.runtime and the pure rooms, nothing else"


def test_pure_modules_pull_in_no_io() -> None:
    pure = [name for name in modules("services") + modules("schemas") if not is_io(name)]
    assert {name: found for name, found in pulled_in(pure).items() if found} == {}


def test_rooms_that_are_shared_are_pure() -> None:
    assert [name for room in PURE_ROOMS for name in modules(f"services/{room}") if is_io(name)] == []


def test_the_probe_sees_what_is_pulled_in_through_others() -> None:
    found = pulled_in(["tests.support.import_probe", "services.runtime.kafka.kafka_io", "services.no_such_module"])
    assert found["tests.support.import_probe"] == []
    assert found["services.runtime.kafka.kafka_io"] == ["aiokafka"]
    assert found["services.no_such_module"][0].startswith("cannot be imported")


@pytest.mark.parametrize("package", ["services", "schemas"])
def test_services_do_not_import_each_other(package: str) -> None:
    wrong = [
        f"{module} imports {imported}: {why}"
        for module in modules(package)
        for imported in imports(_path(module))
        if (why := objection(module, imported)) is not None
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("importer", "imported", "allowed"),
    [
        ("services.ingest.frames", "services.runtime.ids", True),
        ("services.ingest.frames", "services.ingest.errors", True),
        ("services.ingest.frames", "schemas.events", True),
        ("services.ingest.frames", "services.gateway.senders", False),
        ("services.runtime.ids", "services.ingest.frames", False),
        ("services.console.api.scanning_io", "services.scanning.scanner", True),
        ("services.scanning.scanner", "services.indicators.rule", False),
        ("services.console.api.incidents_io", "services.incidents.book", True),
        ("services.incidents.book", "services.console.state.views", False),
        ("services.runtime.ids", "services.scanning.scanner", False),
        ("services.console.policy_pages_io", "services.policies.changing_io", True),
        ("services.policies.reading", "services.indicators.registry", True),
        ("services.policies.reading", "services.console.state.views", False),
        ("services.indicators.registry", "services.policies.reading", False),
        ("services.console.policy_pages_io", "services.indicators.registry", False),
        ("services.cli.replay.replay", "services.ingest.frames", True),
        ("services.cli.replay.replay", "services.ingest.poll_io", False),
        ("services.cli.replay.replay", "deploy.ports", False),
        ("schemas.events", "services.runtime.ids", False),
    ],
)
def test_who_may_import_whom(importer: str, imported: str, allowed: bool) -> None:
    assert (objection(importer, imported) is None) is allowed


def test_the_oracle_knows_nothing_of_the_services() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ROOT / "tests" / "oracle").rglob("*.py"))
        for name in imports(path)
        if name.split(".")[0] == "services"
    ]
    assert wrong == []


def test_package_files_are_empty() -> None:
    packages = ("services", "schemas", "deploy", "tests")
    files = [path for package in packages for path in (ROOT / package).rglob("__init__.py")]
    assert [str(path.relative_to(ROOT)) for path in files if path.read_bytes().strip()] == []


def _path(module: str) -> Path:
    plain = ROOT.joinpath(*module.split("."))
    return plain / "__init__.py" if plain.is_dir() else plain.with_suffix(".py")
