"""From the rows of a file to events, by a map: columns to fields, constants, counts.

A map is YAML: a list of events that each row becomes. Every field is a template over the row's columns.

    events:
      - type: conversion
        when: {is_attributed: "1"}          # only rows whose column has this value; * and ? stand for any text
        repeat: "{conversions}"             # as many events as the column says; {n} counts them from 0
        fields:
          event_id: "ad-{row}-{n}"          # {row} is the row's number, from 1
          occurred_at: "{click_time}+08:00"
          channel_id: "{channel}"
          stage: account_opened

A field whose template comes out empty is left away. `{date:.7}` is the first seven characters of a column.
"""

import csv
import json
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError

from schemas.closed import Closed
from schemas.events import EVENT, TOPIC_OF, AnyEvent

Row = dict[str, str]
_COLUMN = re.compile(r"\{(\w+)(?::\.(\d+))?\}")


class ReplayError(ValueError):
    """A map or a row that cannot become events; says which row and field."""


class EventMap(Closed):
    """How a row becomes events of one type."""

    type: str
    when: dict[str, str] = {}
    repeat: str = "1"
    fields: dict[str, str]


class Map(Closed):
    """The whole map."""

    events: Annotated[list[EventMap], Field(min_length=1)]


def read_map(path: Path) -> Map:
    """The map in a YAML file; raises ReplayError."""
    try:
        loaded = Map.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise ReplayError(f"{path}: {error}") from error
    for unknown in (event.type for event in loaded.events if event.type not in TOPIC_OF):
        raise ReplayError(f"{path}: there is no event type {unknown!r}; there are {', '.join(sorted(TOPIC_OF))}")
    return loaded


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a CSV file with a header, or of a JSON-lines file (`.jsonl`, `.ndjson`)."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        if path.suffix in {".jsonl", ".ndjson"}:
            for line in filter(str.strip, lines):
                yield {key: "" if value is None else str(value) for key, value in json.loads(line).items()}
        else:
            yield from csv.DictReader(lines)


def _fill(template: str, columns: dict[str, str], where: str) -> str:
    def value(match: re.Match[str]) -> str:
        try:
            return (columns[match[1]] or "")[: None if match[2] is None else int(match[2])]
        except KeyError:
            raise ReplayError(f"{where}: there is no column {match[1]!r}; there are {', '.join(columns)}") from None

    return _COLUMN.sub(value, template)


def _times(mapped: EventMap, columns: dict[str, str], where: str) -> int:
    text = _fill(mapped.repeat, columns, where) or "0"
    try:
        return int(float(text))
    except ValueError:
        raise ReplayError(f"{where}: repeat is {text!r}, no number") from None


def _event(mapped: EventMap, columns: dict[str, str], where: str) -> AnyEvent:
    fields: dict[str, Any] = {name: _fill(template, columns, where) for name, template in mapped.fields.items()}
    present = {name: value for name, value in fields.items() if value != ""} | {"type": mapped.type}
    try:
        # Columns are text, so numbers in them are read leniently here; what is sent is strict again.
        return EVENT.validate_python(present, strict=False)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"][1:])
        raise ReplayError(f"{where}: {mapped.type}.{field}: {first['msg']}") from None


def events_of(rows: Iterable[Row], mapping: Map) -> Iterator[AnyEvent]:
    """Every event of every row, in the file's order; raises ReplayError at the first that is not one."""
    for number, row in enumerate(rows, 1):
        where = f"row {number}"
        for mapped in mapping.events:
            if not all(fnmatchcase(row.get(column) or "", value) for column, value in mapped.when.items()):
                continue
            for n in range(_times(mapped, row, where)):
                yield _event(mapped, {**row, "row": str(number), "n": str(n)}, where)


def in_order(events: Iterable[AnyEvent]) -> list[AnyEvent]:
    """Events by their time, as the `events` clock needs them; equal times keep the file's order."""
    return sorted(events, key=lambda event: event.occurred_at)
