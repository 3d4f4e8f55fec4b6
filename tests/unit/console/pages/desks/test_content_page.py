"""The page on which a text is scanned before it is published."""

import contextlib
import time
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.base import Bilingual
from schemas.policy import Policy, PolicyRef
from schemas.topics import POLICY
from services.console.pages.desks.content import MAX_TEXT, UnreadableError, material_of, pieces, text_of
from services.scanning.report import Finding
from tests.unit.console.browsing import Form, browsing
from tests.unit.console.world import World

SAID = Bilingual(en="x", zh="x")


def finding(begin: int | None, end: int | None, *, shadow: bool = False) -> Finding:
    return Finding(kind="phrase", begin=begin, end=end, shadow=shadow, text=SAID)


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.txt", "保本".encode(), "保本"),
        ("a.TXT", "保本".encode("gb18030"), "保本"),
        ("a.md", b"\xef\xbb\xbf# A", "# A"),
        (
            "a.html",
            "<html><head><title>t</title></head><style>p{}</style><p>保本&amp;\n保息<br>b<script>x()</script>".encode(),
            "保本&\n保息\nb",
        ),
    ],
)
def test_the_text_of_a_file(name: str, data: bytes, expected: str) -> None:
    assert text_of(name, data) == expected


@pytest.mark.parametrize(
    "broken", ["<a", "<!--", "<a b='", '<a b="', "</", "<?", "<a\n/", "<textarea></t", "&#1", "<p>", "&#x1"]
)
def test_a_page_made_to_be_hard_to_read_takes_no_time(broken: str) -> None:
    begun = time.process_time()
    text_of("a.html", broken.encode() * (120_000 // len(broken)))
    assert time.process_time() - begun < 1, "whoever else uses the console waits for it"


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("&#" + "1" * 6000 + ";保", "\ufffd保"),
        ("&#x" + "f" * 6000 + "保", "\ufffd保"),
        ("&#" + "0" * 6000 + "20445;本", "保本"),
        ("&#X" + "0" * 6000 + "4fdd本", "保本"),
        ("&#20445;&#x672C", "保本"),
    ],
)
def test_a_sign_by_its_number_is_what_browsers_show(written: str, seen: str) -> None:
    assert text_of("a.html", written.encode()) == seen


PIECES = st.sampled_from(
    [
        "<",
        ">",
        "&#",
        "&",
        ";",
        "x",
        "0",
        "9" * 5000,
        "f",
        "保",
        "\x00",
        "</p",
        "<script>",
        "<!--",
        "-->",
        "'",
        '"',
        " ",
        "\n",
    ]
)


@settings(max_examples=40)
@given(st.lists(PIECES, max_size=30).map("".join), st.sampled_from(["a.html", "a.htm", "a.md", "a.txt"]))
def test_whatever_is_uploaded_is_text_or_said_not_to_be(page: str, name: str) -> None:
    for encoding in ("utf-8", "gb18030", "utf-16"):
        with contextlib.suppress(UnreadableError):
            assert "\x00" not in text_of(name, page.encode(encoding))


def test_of_a_page_all_is_scanned_that_its_reader_sees() -> None:
    page = (
        "<head><title>no</title><body><p don't>a<b title='x>y'>b</b> 1 < 2</p><!-- <p>no -->c"
        "<SCRIPT>if(a<b)'</p>'</SCRIPT>d<template>no</template>e"
    )
    assert text_of("a.html", page.encode()) == "ab 1 < 2\ncde"


@pytest.mark.parametrize(("name", "data"), [("a.docx", b"PK"), ("a", b"x"), ("a.txt", b"\x00\x01"), ("a.txt", b"\xff")])
def test_what_cannot_be_scanned_is_said(name: str, data: bytes) -> None:
    with pytest.raises(UnreadableError):
        text_of(name, data)


def test_what_was_found_is_marked_where_it_stands_also_where_it_overlaps() -> None:
    found = pieces("abcdef", [finding(1, 4), finding(3, 5, shadow=True), finding(None, None)])
    assert [(each.text, each.numbers, each.shadow) for each in found] == [
        ("a", (), False),
        ("bc", (1,), False),
        ("d", (1, 2), False),
        ("e", (2,), True),
        ("f", (), False),
    ]


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=6))
def test_nothing_of_the_text_is_lost(body: str, spans: list[tuple[int, int]]) -> None:
    within = [finding(min(a, len(body)), min(b, len(body))) for a, b in spans]
    assert "".join(each.text for each in pieces(body, within)) == body


def test_shares_come_as_per_cent() -> None:
    material = material_of("x", {"share": " 15 ", "font": "1.5", "reviewers": "2"})
    assert (material.disclosure_share, material.disclosure_font_ratio, material.reviewers) == (0.15, 1.5, 2)
    for wrong in ({"share": "many"}, {"share": "nan"}, {"share": "101"}, {"reviewers": "1.5"}):
        with pytest.raises(ValueError):
            material_of("x", wrong)


@pytest.fixture
async def in_force(world: World, complete: None) -> None:
    policy = Policy(version=7)
    await world.read(POLICY, (policy.label, policy), ("active", PolicyRef(name="default", version=7)))


async def scan(client: httpx.AsyncClient, body: str, **more: Any) -> httpx.Response:
    csrf = Form((await client.get("/content")).text, "/content").fields["csrf"]
    files = more.pop("files", {"file": ("", b"")})
    return await client.post("/content", data={"csrf": csrf, "body": body, **more}, files=files)


@pytest.mark.usefixtures("in_force")
@pytest.mark.parametrize(("language", "words"), [("en", "Do not publish"), ("zh", "请勿按现稿发布")])
async def test_a_viewer_sees_what_is_wrong_where_and_what_instead(world: World, language: str, words: str) -> None:
    async with browsing(world, "viewer", language) as client:
        page = (await scan(client, "<b>保本</b>保息")).text
        assert words in page
        assert "&lt;b&gt;<mark>保本<sup>" in page
        assert "default/7" in page
        assert "<b>保本" not in page


@pytest.mark.usefixtures("in_force")
async def test_a_file_is_scanned_like_a_text(world: World) -> None:
    async with browsing(world) as client:
        page = await scan(client, "", files={"file": ("a.html", "<p>保本</p>".encode())})
        assert "<mark>保本<sup>" in page.text
        refused = await scan(client, "kept", files={"file": ("a.pdf", b"%PDF")})
        assert (refused.status_code, "Only these can be scanned" in refused.text, "kept" in refused.text) == (
            422,
            True,
            True,
        )


@pytest.mark.usefixtures("in_force")
@pytest.mark.parametrize("figure", ["9" * 5000, "nan", "inf", "1e999", "٣" * 9])
async def test_a_figure_that_is_none_is_said_to_be_none(world: World, figure: str) -> None:
    async with browsing(world) as client:
        for name in ("share", "font", "reviewers"):
            assert (await scan(client, "x", **{name: figure})).status_code == 422


@pytest.mark.usefixtures("in_force")
@pytest.mark.parametrize(
    ("body", "more", "status"),
    [("x" * (MAX_TEXT + 1), {}, 422), ("x", {"share": "900"}, 422), ("x", {"csrf": "forged"}, 403), ("", {}, 200)],
)
async def test_what_cannot_be_scanned_keeps_what_was_typed(
    world: World, body: str, more: dict[str, str], status: int
) -> None:
    async with browsing(world) as client:
        answer = await scan(client, body, **more)
        assert answer.status_code == status
        assert 'id="result"' not in answer.text


@pytest.mark.usefixtures("complete")
async def test_without_a_policy_nothing_is_judged(world: World) -> None:
    async with browsing(world) as client:
        assert (await scan(client, "x")).status_code == 503


@pytest.mark.usefixtures("in_force")
async def test_nobody_who_is_not_signed_in_scans(world: World) -> None:
    async with browsing(world, None) as client:
        assert (await client.post("/content", data={"body": "x"})).status_code == 303
