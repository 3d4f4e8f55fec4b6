"""Promotion texts from files: plain text, or JSON lines of `content_published` events."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from schemas.events import ContentPublished
from schemas.problems import problems_of
from services.scanning.report import Material

JSON_LINES = (".jsonl", ".ndjson")


class MaterialError(ValueError):
    """A file that holds no materials; says where and why, never what."""


@dataclass(frozen=True, slots=True)
class Named:
    """A material, and where it comes from: a file, or a content id of an event."""

    name: str
    material: Material


def materials_in(name: str, text: str) -> Iterator[Named]:
    """All materials of a file; raises MaterialError. Events of other types are passed over.

    JSON lines are known by the file's name or, as on standard input, by a first line that is a JSON object.
    """
    if name.endswith(JSON_LINES) or _is_object(text.lstrip().partition("\n")[0]):
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip() and (event := _event(line, f"{name}:{number}")) is not None:
                yield Named(event.content_id, _material_of(event))
    else:
        yield Named(name, _plain(name, text))


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _event(line: str, where: str) -> ContentPublished | None:
    try:
        found: Any = json.loads(line)
        if isinstance(found, dict) and found.get("type", "content_published") != "content_published":
            return None
        return ContentPublished.model_validate_json(line)
    except ValidationError as error:
        first = problems_of(error)[0]
        raise MaterialError(f"{where}: {first.field or 'line'}: {first.problem}") from None
    except ValueError:
        raise MaterialError(f"{where}: is not JSON") from None


def _material_of(event: ContentPublished) -> Material:
    return Material(
        body=event.body,
        disclosure_share=event.disclosure_share,
        disclosure_font_ratio=event.disclosure_font_ratio,
        reviewers=len(set(event.reviewers)),
    )


def _plain(name: str, text: str) -> Material:
    try:
        return Material(body=text)
    except ValidationError as error:
        raise MaterialError(f"{name}: {problems_of(error)[0].problem}") from None
