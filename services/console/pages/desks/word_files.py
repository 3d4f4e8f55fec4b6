"""The text of a Word document (.docx): a ZIP of XML. Pure.

Only what is needed of either is read: no entity is expanded, no tree is built, and of a file that claims to be small
and is not, no more is unpacked than a text needs.
"""

import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Final
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, LargeZipFile, ZipFile

MAX_XML: Final = 2 * 1024 * 1024
"""Bytes: of a text as long as is scanned, with all the marks that Word puts around each word."""
_PART: Final = re.compile(r"word/(?:document|header\d*|footer\d*|footnotes|endnotes)\.xml")
_WORDS: Final = (
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main ",
    "http://purl.oclc.org/ooxml/wordprocessingml/main ",
)
_BROKEN: Final = (
    BadZipFile,
    LargeZipFile,
    ValueError,
    LookupError,
    OverflowError,
    struct.error,
    zlib.error,
    EOFError,
    RuntimeError,
)
"""What comes of a file that is broken: ValueError of places before its begin, LookupError of an encoding that there is
not, RuntimeError of passwords."""
_FALLBACK: Final = "http://schemas.openxmlformats.org/markup-compatibility/2006 Fallback"
"""The same once more, for programs that do not know the first."""
_BREAKS: Final = {"p": "\n", "br": "\n", "cr": "\n", "tab": " "}


class WordFileError(Exception):
    """It is no Word document that can be read."""


def text_of_docx(data: bytes) -> str:
    """The body, then headers, footers and notes. What is deleted but still marked is left out. Raises WordFileError."""
    try:
        with ZipFile(BytesIO(data)) as file:
            names = sorted((name for name in file.namelist() if _PART.fullmatch(name)), key=_in_order)
            if "word/document.xml" not in names:
                raise WordFileError("there is no body in it")
            return "".join(map(_text, _unpacked(file, names)))
    except (*_BROKEN, expat.ExpatError) as error:
        raise WordFileError(type(error).__name__) from None


def _in_order(name: str) -> tuple[bool, str]:
    return name != "word/document.xml", name


def _unpacked(file: ZipFile, names: Iterable[str]) -> Iterator[bytes]:
    left = MAX_XML
    for name in names:
        if file.getinfo(name).compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise WordFileError("it is packed as no Word document is")
        with file.open(name) as part:
            xml = part.read(left + 1)
        left -= len(xml)
        if left < 0:
            raise WordFileError("it is too large")
        yield xml


def _text(xml: bytes) -> str:
    found: list[str] = []
    inside, hidden = 0, 0

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal inside, hidden
        hidden += name == _FALLBACK
        inside += _word(name) == "t"

    def end(name: str) -> None:
        nonlocal inside, hidden
        hidden -= name == _FALLBACK
        inside -= _word(name) == "t"
        if not hidden:
            found.append(_BREAKS.get(_word(name), ""))

    def data(text: str) -> None:
        if inside and not hidden:
            found.append(text)

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, data
    parser.StartDoctypeDeclHandler = _refuse
    parser.Parse(xml, True)
    return "".join(found)


def _word(name: str) -> str:
    """The name of an element of Word's own, empty for others."""
    return next((name.removeprefix(space) for space in _WORDS if name.startswith(space)), "")


def _refuse(*_: object) -> None:
    """Entities come by a document type, which no Word document has."""
    raise WordFileError("it has a document type")
