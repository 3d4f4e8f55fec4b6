"""What the runbook says under an alert's heading. Pure but for reading our own files."""

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Final, Literal

_PLACE: Final = re.compile(r"services/([a-z_]+)/runbook\.md#([a-z_]+)")
_MARKS: Final = re.compile(r"`([^`]+)`|\[([^\]]+)\]\([^)]*\)")
_BREAKS: Final = re.compile(r"\n\s*\n|\n(?=\d+\. )")
"""Between paragraphs, and before each step of a numbered list."""
Piece = tuple[Literal["text", "code"], str]
Paragraph = Sequence[Piece]


@cache
def section(runbook: str | None) -> Sequence[Paragraph]:
    """The paragraphs that `services/<room>/runbook.md#<heading>` leads to; none where it leads nowhere."""
    place = _PLACE.fullmatch(runbook or "")
    if place is None:
        return ()
    file = files("services").joinpath(place[1], "runbook.md")
    if not file.is_file():
        return ()
    return paragraphs(file.read_text("utf-8"), place[2])


def paragraphs(text: str, heading: str) -> list[Paragraph]:
    """Those under a heading of the second level, each step of a list by itself, without their marks."""
    _, _, rest = text.partition(f"\n## {heading}\n")
    body = rest.partition("\n## ")[0]
    return [_pieces(" ".join(each.split())) for each in _BREAKS.split(body) if each.strip()]


def _pieces(text: str) -> list[Piece]:
    """Code as such, of a link its words."""
    found: list[Piece] = []
    at = 0
    for mark in _MARKS.finditer(text):
        found += [("text", text[at : mark.start()]), ("code", mark[1]) if mark[1] else ("text", mark[2])]
        at = mark.end()
    return [piece for piece in [*found, ("text", text[at:])] if piece[1]]
