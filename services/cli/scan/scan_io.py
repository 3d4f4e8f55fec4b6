"""`tidegate scan` and `tidegate stress`: promotion texts against a policy, a cluster's own or without a broker."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from schemas.policy import Policy
from services.cli.policy.policy_io import policy_named
from services.cli.scan import scan, stress
from services.cli.scan.materials import MaterialError, Named, materials_in
from services.cli.scan.scan import Scanned, scan_all
from services.cli.scan.word_list import WordListError, joined, phrases_of
from services.cli.settings import CliSettings
from services.policies.changes import RefusedError
from services.policies.reading import PolicyError
from services.scanning.report import figures_in
from services.scanning.scanner import Scanner

BAD_USAGE = 2
BUILT_IN: Final = "the built-in default"
"""The policy's name in what is said, where none is named: `default/1` is what a cluster may have of its own."""
_MISTAKES = (OSError, UnicodeDecodeError, MaterialError, PolicyError, RefusedError, WordListError, ValidationError)


def add_commands(commands: Any) -> None:
    """Adds `scan` and `stress`."""
    for name, run, text in (
        ("scan", scan_files, "hold promotion texts against a policy: exit code 1 for violations"),
        ("stress", stress_files, "say which share of published materials would fail under a policy, and why"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument(
            "files", nargs="+", metavar="FILE", help="text, JSON lines of content_published, a folder of them, or -"
        )
        command.add_argument(
            "--policy",
            metavar="FILE|VERSION|in-force",
            help="a document, a version on the cluster, or the one in force there; without it the built-in default, "
            "which needs no cluster",
        )
        command.add_argument("--words", type=Path, metavar="FILE", help="a CSV list of more phrases: word,severity")
        command.add_argument("--json", action="store_true", help="for programs")
        command.set_defaults(run=run)


async def scan_files(arguments: argparse.Namespace, settings: CliSettings) -> int:
    """0 when all are clean, 1 for violations, 2 where a file or the policy cannot be read."""
    try:
        under, policy = await _policy(arguments.policy, settings)
        scanned = _scanned(arguments, policy)
    except _MISTAKES as error:
        return _refuse(error)
    if arguments.json:
        print(json.dumps([scan.as_json(each, under) for each in scanned], ensure_ascii=False, indent=2))
    else:
        print("\n".join([f"under {under}:", *(line for each in scanned for line in scan.lines_of(each))]))
    return int(any(each.report.violated for each in scanned))


async def stress_files(arguments: argparse.Namespace, settings: CliSettings) -> int:
    """0 however many would fail: the share is the answer. 2 where a file or the policy cannot be read."""
    try:
        under, policy = await _policy(arguments.policy, settings)
        result = stress.stress(_scanned(arguments, policy), under)
    except _MISTAKES as error:
        return _refuse(error)
    if arguments.json:
        print(json.dumps(result.as_json(), ensure_ascii=False, indent=2))
    else:
        print("\n".join(stress.lines_of(result)))
    return 0


async def _policy(name: str | None, settings: CliSettings) -> tuple[str, Policy]:
    """What to judge by, and what to call it."""
    if name is None:
        return BUILT_IN, Policy(version=1)
    policy = await policy_named(name, settings)
    return policy.label, policy


def _scanned(arguments: argparse.Namespace, policy: Policy) -> list[Scanned]:
    content = policy.content
    if arguments.words is not None:
        with arguments.words.open(encoding="utf-8-sig", newline="") as lines:
            content = content.model_copy(update={"phrases": joined(content.phrases, phrases_of(lines))})
    materials = [each for name in arguments.files for each in _materials(name)]
    return scan_all(materials, Scanner(content), figures_in(policy))


def _materials(name: str) -> Iterator[Named]:
    if name == "-":
        yield from materials_in("standard input", sys.stdin.read())
        return
    path = Path(name)
    for file in sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]:
        yield from materials_in(str(file), _text_of(file))


def _text_of(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise MaterialError(f"{file}: is not UTF-8") from None


def _refuse(error: Exception) -> int:
    print(error, file=sys.stderr)
    return BAD_USAGE
