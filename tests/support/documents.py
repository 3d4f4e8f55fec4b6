"""The pages of the documentation as text: what they name in code, their headings and their links."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
_ROOMS: Final = ("docs", "services", "deploy", "tests/data", "tests/quality")
PAGES: Final = [
    ROOT / "README.md",
    *(page for room in _ROOMS for page in sorted((ROOT / room).rglob("*.md")) if "vendor" not in page.parts),
]
_FENCE: Final = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SPAN: Final = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_PROMPT: Final = re.compile(r"^\s*(?:\$ )?(?:[A-Z_]+=\S* )*(?:\S*bin/)?(?=(?:tidegate|make|docker)\s)")
_LINK: Final = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)")
_HEADING: Final = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


def name_of(page: Path) -> str:
    """As people write it."""
    return page.relative_to(ROOT).as_posix()


def commands(text: str) -> Iterator[str]:
    """What a page types at a prompt or names as a command: without a prompt, a path before it, and what follows it."""
    for block in _FENCE.findall(text):
        yield from (_alone(line) for line in block.replace("\\\n", " ").splitlines() if _PROMPT.match(line))
    yield from (_alone(" ".join(span.split())) for span in _SPAN.findall(_FENCE.sub("", text)) if _PROMPT.match(span))


def _alone(line: str) -> str:
    return re.split(r"\s(?:[|>#&]|\d>)|;", _PROMPT.sub("", line))[0].strip()


def paths(text: str) -> Iterator[tuple[str | None, str]]:
    """Method, where one is said, and path of the HTTP endpoints that a page names."""
    api = re.compile(r"(?:\b(GET|POST|PUT) )?(?:https?://[^\s/]*|…|localhost:\d+)?((?:/api)?/v1/[\w/{}:…-]+)")
    page = re.compile(r"`(?:(GET|POST|PUT) )?(/(?!etc/|var/|run/|api/|v1/)[a-z][\w/{}.-]*)")
    for pattern in (api, page):
        yield from ((method or None, path) for method, path in pattern.findall(text))


def links(text: str) -> Iterator[tuple[str, str]]:
    """The file ("" for the page itself) and the anchor ("" for none) of the links within this tree."""
    yield from _LINK.findall(text)


def anchors(text: str) -> frozenset[str]:
    """The names under which the headings of a page can be linked to, as GitHub makes them."""
    found: list[str] = []
    for heading in _HEADING.findall(_FENCE.sub("", text)):
        said = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        slug = re.sub(r"[^\w\- ]", "", said).replace(" ", "-")
        found.append(f"{slug}-{earlier}" if (earlier := found.count(slug)) else slug)
    return frozenset(found)
