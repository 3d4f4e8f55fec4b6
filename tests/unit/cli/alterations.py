"""Commands with something else in them: each field of the evidence in turn, and those of the order itself."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from math import inf, nextafter
from typing import Any

from schemas.commands import Command
from services.runtime.ids import derive

Change = Callable[[Any], Any]


def alterations(command: Command) -> Iterator[tuple[str, Command]]:
    """What was altered, and the command, with the id that then belongs to it."""
    document = json.loads(command.model_dump_json(by_alias=True))
    for path, change in _changes(document["evidence"]):
        yield path, altered(command, path, change)


def altered(command: Command, path: str, change: Change, *, signed: bool = True) -> Command:
    """A command with a change to what lies under a path such as `evidence/window/to`."""
    document = json.loads(command.model_dump_json(by_alias=True))
    *way, last = path.split("/")
    place: Any = document
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place[step]
    place[last] = change(place[last])
    if signed:
        parts = (document["alert_id"], document["command"], document["target"], str(document["level"]))
        document["command_id"] = derive(*parts)
    return Command.model_validate_json(json.dumps(document))


def _changes(evidence: dict[str, Any]) -> Iterator[tuple[str, Change]]:
    yield from _of_figures(evidence)
    yield from _of_detail(evidence["detail"], "evidence/detail")
    for number in range(len(evidence["sources"])):
        yield from _of_range(f"evidence/sources/{number}")
    yield "evidence/sources", lambda value: value[1:]
    yield "evidence/policy/version", partial(_add, step=1)
    yield "evidence/policy/name", _longer
    yield "evidence/code/rule", _longer
    yield "evidence/indicator", _longer
    yield "evidence/subject", _other_subject
    yield "evidence", lambda _: None
    yield from _of_order()


def _of_figures(evidence: dict[str, Any]) -> Iterator[tuple[str, Change]]:
    for name in ("value", "threshold"):
        yield f"evidence/{name}", partial(_add, step=1)
        yield f"evidence/{name}", lambda value: nextafter(value, inf)
    for name in ("from", "to"):
        for seconds in (-300, -1, 1, 300):
            yield f"evidence/window/{name}", partial(_later, seconds=seconds)
    for name in evidence["samples"]:
        for step in (-1, 1):
            yield f"evidence/samples/{name}", partial(_add, step=step)
    yield "evidence/samples", lambda value: {**value, "more": 1}


def _of_detail(detail: dict[str, Any], path: str) -> Iterator[tuple[str, Change]]:
    yield path, lambda value: {**value, "more": 1}
    for key, value in detail.items():
        if isinstance(value, dict):
            yield from _of_detail(value, f"{path}/{key}")
        else:
            yield f"{path}/{key}", _other


def _of_range(path: str) -> Iterator[tuple[str, Change]]:
    for name in ("from", "to"):
        for step in (-1, 1):
            yield f"{path}/{name}", partial(_add, step=step)
    yield f"{path}/partition", lambda value: 1 - value
    yield f"{path}/topic", lambda _: "mention-eventz"


def _of_order() -> Iterator[tuple[str, Change]]:
    yield "event_time", partial(_later, seconds=5)
    yield "event_time", partial(_later, seconds=-300)
    yield "event_time", lambda _: None
    yield "level", partial(_add, step=1)
    yield "target", _longer
    yield "factor", lambda _: 0.25
    yield "maturity", lambda value: "approve" if value == "auto" else "auto"
    yield "reason/zh", _longer
    yield "command", lambda _: "take_down"
    yield "issued_by", lambda _: "indicator:another"


def _add(value: float, step: int) -> float:
    return value + step


def _longer(value: str) -> str:
    return f"{value}2"


def _later(at: str, seconds: int) -> str:
    moved = datetime.fromisoformat(at) + timedelta(seconds=seconds)
    return moved.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _other(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return f"{value}x"
        case list():
            return [*value, 1]
        case _:
            return 1


def _other_subject(value: str) -> str:
    kind, _, name = value.partition(":")
    return f"{kind}:{name[1:]}{name[0]}" if kind == "actor" else f"{kind}:{name}2"
