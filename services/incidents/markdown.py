"""A document as Markdown. What it says comes from outside, so nothing in it is taken for markup."""

import re
from collections.abc import Iterator
from typing import Final

from services.incidents.document import Document, Section, Table

_MARKUP: Final = re.compile(r"([\\`*_{}\[\]<>#|~!&])")
_LINE_BEGINS: Final = re.compile(r"^(\s*)([-+]|\d+[.)])(?=\s)")


def markdown(document: Document) -> str:
    """The whole text, which ends with a line's end."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Document) -> Iterator[str]:
    yield f"# {_plain(document.title)}"
    for said in document.said:
        yield ""
        yield _plain(said)
    for section in document.sections:
        yield ""
        yield from _section(section)


def _section(section: Section) -> Iterator[str]:
    yield f"## {_plain(section.title)}"
    for said in section.said:
        yield ""
        yield _plain(said)
    if section.listed:
        yield ""
        yield from (f"- {_plain(each)}" for each in section.listed)
    if section.table is not None:
        yield ""
        yield from _table(section.table)


def _table(table: Table) -> Iterator[str]:
    yield _row(table.head)
    yield _row(("---",) * len(table.head), plain=False)
    yield from map(_row, table.rows)


def _row(cells: tuple[str, ...], plain: bool = True) -> str:
    return f"| {' | '.join(map(_plain, cells) if plain else cells)} |"


def _plain(text: str) -> str:
    """As it stands, on one line."""
    line = _MARKUP.sub(r"\\\1", " ".join(text.split()))
    return _LINE_BEGINS.sub(r"\1\\\2", line)
