"""A document as one self-contained page to read and to print: no script, nothing loaded, all that it says escaped."""

from collections.abc import Iterable
from html import escape
from importlib.resources import files

from services.incidents.document import Document, Section, Table


def page(document: Document) -> str:
    """The whole page."""
    style = files("services.incidents").joinpath("page.css").read_text("utf-8")
    head = f"<header><h1>{escape(document.title)}</h1>{_paragraphs(document.said)}</header>"
    body = "".join(map(_section, document.sections))
    return (
        f'<!doctype html><html lang="{escape(document.language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(document.title)}</title><style>{style}</style></head>"
        f"<body>{head}<main>{body}</main></body></html>\n"
    )


def _section(section: Section) -> str:
    listed = "".join(f"<li>{escape(each)}</li>" for each in section.listed)
    return (
        f"<section><h2>{escape(section.title)}</h2>{_paragraphs(section.said)}"
        f"{f'<ul>{listed}</ul>' if listed else ''}{'' if section.table is None else _table(section.table)}</section>"
    )


def _paragraphs(said: Iterable[str]) -> str:
    return "".join(f"<p>{escape(each)}</p>" for each in said)


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in table.head)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in table.rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
