"""What the runbook says under an alert's heading, in one language. Pure but for reading our own files.

A section says everything in English and then, in paragraphs of their own, in Chinese.
"""

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Final, Literal

from services.console.pages.frame.speaking import Language

_PLACE: Final = re.compile(r"services/([a-z_]+)/runbook\.md#([a-z_]+)")
_MARKS: Final = re.compile(r"`([^`]+)`|\[([^\]]+)\]\([^)]*\)")
_BREAKS: Final = re.compile(r"\n\s*\n|\n(?=\d+\. )")
"""Between paragraphs, and before each step of a numbered list."""
_CHINESE: Final = re.compile("[\u4e00-\u9fff]")
Piece = tuple[Literal["text", "code"], str]
Paragraph = Sequence[Piece]


@cache
def section(runbook: str | None, language: Language) -> Sequence[Paragraph]:
    """The paragraphs that `services/<room>/runbook.md#<heading>` leads to; none where it leads nowhere."""
    place = _PLACE.fullmatch(runbook or "")
    if place is None:
        return ()
    file = files("services").joinpath(place[1], "runbook.md")
    if not file.is_file():
        return ()
    return paragraphs(file.read_text("utf-8"), place[2], language)


def paragraphs(text: str, heading: str, language: Language) -> list[Paragraph]:
    """Those under a heading of the second level, each step of a list by itself, without their marks. In English where
    there are none in Chinese."""
    _, _, rest = text.partition(f"\n## {heading}\n")
    said = [each for each in _BREAKS.split(rest.partition("\n## ")[0]) if each.strip()]
    chinese = [each for each in said if _CHINESE.search(each)]
    if language == "zh" and chinese:
        return [_pieces("".join(line.strip() for line in each.splitlines())) for each in chinese]
    return [_pieces(" ".join(each.split())) for each in said if each not in chinese]


def _pieces(text: str) -> list[Piece]:
    """Code as such, of a link its words."""
    found: list[Piece] = []
    at = 0
    for mark in _MARKS.finditer(text):
        found += [("text", text[at : mark.start()]), ("code", mark[1]) if mark[1] else ("text", mark[2])]
        at = mark.end()
    return [piece for piece in [*found, ("text", text[at:])] if piece[1]]
