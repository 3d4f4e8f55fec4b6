"""A report as a document in one language, before it becomes Markdown or a page."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts under the names of their columns."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """Under one heading: sentences, then a list, then a table; what is empty is left out."""

    title: str
    said: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    table: Table | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """language: as HTML names it."""

    language: str
    title: str
    said: tuple[str, ...]
    sections: tuple[Section, ...] = field(default=())
