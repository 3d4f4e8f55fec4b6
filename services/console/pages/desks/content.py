"""What the page Content shows of a scan: the text with what was found marked in it. Pure."""

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from schemas.base import Bilingual
from services.console.pages.desks.word_files import WordFileError, text_of_docx
from services.scanning.report import Finding, Material

MAX_TEXT: Final = 20_000
READABLE: Final = (".txt", ".md", ".html", ".htm", ".docx")
_ENCODINGS: Final = ("utf-8-sig", "gb18030")
"""Chinese offices still write the second."""
_SILENT: Final = ("script", "style", "template", "head")
_RAW: Final = {tag: re.compile(f"</{tag}(?=[\\s/>])", re.IGNORECASE | re.ASCII) for tag in ("script", "style")}
"""What stands in these is no HTML until they end."""
_ATTRIBUTE: Final = r"""[\s/]++|=?[^\s/>=]++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>"'][^\s>]*+)?+)?+"""
_TAG: Final = re.compile(
    rf"(?P<open><!--|<[!?]|</(?=[^A-Za-z]))|<(?P<end>/?)(?P<tag>[A-Za-z][^\s/>]*+)(?:{_ATTRIBUTE})*+(?:>|\Z)"
)
_DIGITS: Final = 7
_NUMBER: Final = re.compile(
    r"&#(?:(?P<x>[xX])(?=[0-9a-fA-F]{8})|(?=[0-9]{8}))(?P<digits>(?(x)[0-9a-fA-F]|[0-9])++)(?P<end>;?)"
)
"""A sign by a number of more digits than any has."""
_BREAKS: Final = ("p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "section", "article", "table", "ul", "ol")

KINDS: Final[Mapping[str, Bilingual]] = MappingProxyType(
    {
        "phrase": Bilingual(en="must not be said", zh="禁用表述"),
        "missing_prompt": Bilingual(en="is missing", zh="缺少提示"),
        "disclosure_share": Bilingual(en="too little disclosure", zh="风险披露篇幅不足"),
        "disclosure_font": Bilingual(en="disclosure too small", zh="风险披露字号过小"),
        "reviewers": Bilingual(en="too few reviewers", zh="审核人数不足"),
        "tampered": Bilingual(en="changed after review", zh="审核后被修改"),
    }
)


class UnreadableError(ValueError):
    """What was uploaded is no text that can be scanned. `told`: why, for people."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.told = Bilingual(en=en, zh=zh)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the text; numbers: of the findings that it belongs to, from 1 on; none for what is good."""

    text: str
    numbers: tuple[int, ...]
    shadow: bool


def text_of(name: str, data: bytes) -> str:
    """The text in a file. Raises UnreadableError."""
    if not name.lower().endswith(READABLE):
        raise UnreadableError(
            f"Only these can be scanned: {', '.join(READABLE)}. Copy the text of any other document into the field.",
            f"仅支持扫描以下文件：{'、'.join(READABLE)}。其他文档请将文字复制到输入框。",
        )
    if name.lower().endswith(".docx"):
        return _of_word(data)
    text = _decoded(data)
    return _seen(text) if name.lower().endswith((".html", ".htm")) else text


def _of_word(data: bytes) -> str:
    try:
        return _lines(text_of_docx(data))
    except WordFileError:
        raise UnreadableError(
            "The file is no Word document (.docx) that can be read: copy its text into the field.",
            "无法读取该 Word 文档（.docx），请将文字复制到输入框。",
        ) from None


def _decoded(data: bytes) -> str:
    for encoding in _ENCODINGS:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise UnreadableError("The file is not text in UTF-8 or GB18030.", "文件不是 UTF-8 或 GB18030 编码的文本。")


def _seen(page: str) -> str:
    return _lines("".join(_parts(page)))


def _lines(text: str) -> str:
    """Without empty lines and spaces that nobody sees."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def _unescaped(text: str) -> str:
    """With the signs that stand for themselves. Numbers beyond all signs are one that nobody knows, as in browsers; the
    standard library fails on long ones."""
    return html.unescape(_NUMBER.sub(_sign, text))


def _sign(found: re.Match[str]) -> str:
    digits = found["digits"].lstrip("0") or "0"
    return f"&#{found['x'] or ''}{digits}{found['end']}" if len(digits) <= _DIGITS else "\ufffd"


def _parts(page: str) -> Iterator[str]:
    """What a reader of the page sees. Looks at each sign a few times at most, whatever the page is made of: the
    parser of the standard library takes minutes for a broken one."""
    silent: list[str] = []
    at = 0
    for begin, end, is_end, tag in _tags(page):
        if not silent:
            yield _unescaped(page[at:begin])
        at = end
        if tag in _BREAKS and not silent:
            yield "\n"
        elif tag == "body":
            silent.clear()  # a head needs no end of its own
        elif tag in _SILENT and not is_end:
            silent.append(tag)
        elif is_end and silent and silent[-1] == tag:
            silent.pop()
    if not silent:
        yield _unescaped(page[at:])


def _tags(page: str) -> Iterator[tuple[int, int, bool, str]]:
    """Begin and end of each tag and comment, whether it is an end tag, and its name. One without an end goes on to the
    end of the page, as browsers have it."""
    at = 0
    while found := _TAG.search(page, at):
        tag, at = (found["tag"] or "").lower(), found.end()
        if found["open"] is not None:
            rest = page.find("-->" if found["open"] == "<!--" else ">", at)
            at = len(page) if rest < 0 else rest + (3 if found["open"] == "<!--" else 1)
        yield found.start(), at, bool(found["end"]), tag
        if tag in _RAW and not found["end"]:
            close = _RAW[tag].search(page, at)
            at = len(page) if close is None else close.start()


def material_of(body: str, fields: Mapping[str, str]) -> Material:
    """What is to be scanned; shares come as per cent. Raises ValueError, ValidationError among them."""
    share, font, reviewers = (fields.get(name, "").strip() for name in ("share", "font", "reviewers"))
    return Material(
        body=body,
        disclosure_share=float(share) / 100 if share else None,
        disclosure_font_ratio=float(font) if font else None,
        reviewers=int(reviewers) if reviewers else None,
    )


def pieces(body: str, findings: Sequence[Finding]) -> list[Piece]:
    """The text in stretches of the same findings, which may overlap."""
    spans = [
        (each.begin, each.end, number, each.shadow)
        for number, each in enumerate(findings, 1)
        if each.begin is not None and each.end is not None and each.begin < each.end
    ]
    cuts = sorted({0, len(body), *(at for begin, end, _, _ in spans for at in (begin, end))})
    found = []
    for begin, end in pairwise(cuts):
        here = [(number, shadow) for first, last, number, shadow in spans if first <= begin and end <= last]
        numbers = tuple(number for number, _ in here)
        found.append(Piece(body[begin:end], numbers, shadow=bool(here) and all(shadow for _, shadow in here)))
    return found
