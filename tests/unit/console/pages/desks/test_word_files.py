"""Word documents whose text is scanned, and files that only claim to be some."""

import contextlib
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.console.pages.desks import word_files
from services.console.pages.desks.content import UnreadableError, text_of
from services.console.pages.desks.word_files import WordFileError, text_of_docx

SPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
MC = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'


def body(inside: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><w:document {SPACE} {MC}><w:body>{inside}</w:body></w:document>'


def docx(inside: str, **parts: str) -> bytes:
    made = BytesIO()
    with ZipFile(made, "w", ZIP_DEFLATED) as file:
        file.writestr("[Content_Types].xml", "<Types/>")
        for name, xml in parts.items():
            file.writestr(f"word/{name}.xml", xml)
        file.writestr("word/document.xml", body(inside))
    return made.getvalue()


def run(text: str) -> str:
    return f"<w:r><w:rPr><w:b/></w:rPr><w:t xml:space='preserve'>{text}</w:t></w:r>"


def test_what_a_reader_sees_is_scanned_word_by_word() -> None:
    inside = (
        f"<w:p>{run('本产品保')}{run('本')}</w:p><w:p/>"
        f"<w:p>{run('a')}<w:r><w:tab/></w:r>{run('b')}<w:r><w:br/></w:r>{run('c &amp; d')}</w:p>"
        "<w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:r><w:instrText>PAGE</w:instrText></w:r></w:p>"
        f"<w:p><mc:AlternateContent><mc:Choice>{run('box')}</mc:Choice><mc:Fallback>{run('box')}</mc:Fallback>"
        "</mc:AlternateContent></w:p>"
    )
    footer = f"<w:ftr {SPACE}><w:p>{run('投资有风险')}</w:p></w:ftr>"
    found = text_of("Flyer.DOCX", docx(inside, footer1=footer, styles="<w:t>no</w:t>"))
    assert found == "本产品保本\na b\nc & d\nbox\n投资有风险"


@pytest.mark.parametrize(
    "data",
    [
        b"PK",
        docx("")[:-30],
        docx("<w:p>"),
        docx("").replace(b"word/document.xml", b"word/dokument.xml"),
        docx("", footer1='<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'),
        docx("", footer1="<x>&unknown;</x>"),
        docx("", footer1='<?xml version="1.0" encoding="x-none"?><x/>'),
        docx("")[:-6] + b"\xff\xff\xff\x7f\x00\x00",
        docx(f"<w:p>{run('x' * 1000)}</w:p>" * (word_files.MAX_XML // 1000)),
    ],
)
def test_what_is_none_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(WordFileError):
        text_of_docx(data)
    with pytest.raises(UnreadableError, match="no Word document"):
        text_of("a.docx", data)


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = docx("", **{f"footer{n}": "<x>" + " " * 5_000_000 + "</x>" for n in range(20)})
    assert len(bomb) < 128 * 1024
    parsed: list[bytes] = []

    def noted(xml: bytes) -> str:
        parsed.append(xml)
        return ""

    monkeypatch.setattr(word_files, "_text", noted)
    with pytest.raises(WordFileError, match="too large"):
        text_of_docx(bomb)
    assert sum(map(len, parsed)) <= word_files.MAX_XML


def test_nesting_as_deep_as_fits_is_no_trouble() -> None:
    deep = word_files.MAX_XML // 20
    assert text_of_docx(docx("<w:p>" * deep + run("保本") + "</w:p>" * deep)).strip() == "保本"


@settings(max_examples=40)
@given(st.data())
def test_whatever_is_broken_of_one_is_text_or_said_to_be_none(data: st.DataObject) -> None:
    whole = bytearray(docx(f"<w:p>{run('保本')}</w:p>", footer1=f"<w:ftr {SPACE}/>"))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(UnreadableError):
        assert isinstance(text_of("a.docx", bytes(whole)), str)
