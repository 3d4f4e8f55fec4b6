"""What `tidegate verify` tells people."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from schemas.commands import Command
from services.cli.proof.verify import EXIT, Finding

_SHOWN: Final = 300
"""So many characters of a value are shown."""


def lines_of(finding: Finding) -> Iterator[str]:
    """All that there is to say of one command."""
    yield f"{finding.command.command_id}  {what(finding.command)}: {finding.outcome}"
    for each in finding.differences:
        yield f"  {each.field}: says {_written(each.said)}, derived {_written(each.derived)}"
    yield from (f"  {note.en}" for note in finding.notes)


def progress_json(read: int, of: int) -> str:
    """How far it has come, for programs."""
    return json.dumps({"read": read, "of": of})


def finding_json(finding: Finding) -> str:
    """The same as `lines_of`, for programs."""
    command = finding.command
    differences = [
        {"field": each.field, "said": _written(each.said), "derived": _written(each.derived)}
        for each in finding.differences
    ]
    told: dict[str, Any] = {"command_id": command.command_id, "command": command.command, "target": command.target}
    told |= {"level": command.level, "outcome": finding.outcome}
    told |= {"differences": differences, "notes": [each.en for each in finding.notes]}
    return json.dumps({"finding": told | {"notes_zh": [each.zh for each in finding.notes]}}, ensure_ascii=False)


def what(command: Command) -> str:
    """An order in a few words."""
    level = "" if command.level is None else f" at level {command.level}"
    return f"{command.command} {command.target}{level} by {command.issued_by}, {command.issued_at:%Y-%m-%d %H:%M:%SZ}"


def _written(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def summary_of(findings: Sequence[Finding]) -> Iterator[str]:
    """A table of how many of each indicator ended how, then what there is to say of those that are not proved."""
    counts: dict[str, Counter[str]] = {}
    for each in findings:
        counts.setdefault(each.command.issued_by.partition(":")[2], Counter())[each.outcome] += 1
    width = max(map(len, (*counts, "all")))
    yield "  ".join((" " * width, *(f"{outcome:>13}" for outcome in EXIT)))
    total: Counter[str] = sum(counts.values(), Counter())
    for name, found in (*sorted(counts.items()), ("all", total)):
        yield "  ".join((f"{name:<{width}}", *(f"{found[outcome]:>13,}" for outcome in EXIT)))
    for each in findings:
        if each.outcome != "proved" or each.notes:
            yield from lines_of(each)
