"""From a form to the event of a complaint."""

from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.directory import ChannelEntry, Directory, Label, ProductEntry
from schemas.events import EVENT
from services.gateway.door import words
from services.gateway.door.filing import MAX_FIELDS, MAX_TEXT, Filled, event_of_form, filled, number, number_of
from services.gateway.door.filing import problems_of as found
from tests.unit.gateway.samples import NOW

NAME = Label(en="Douyin", zh="抖音")
DIRECTORY = Directory(channels={"douyin": ChannelEntry(name=NAME)}, products={"fund": ProductEntry(name=NAME)})


def test_a_form_is_read_and_what_it_does_not_have_is_left_out() -> None:
    body = urlencode({"text": "不满意\r\n请回电", "other": "x", "channel": "douyin"}).encode()
    assert filled(body) == Filled(text="不满意\r\n请回电", channel="douyin")


@pytest.mark.parametrize("body", [b"\xff=1", b"&".join(b"a=1" for _ in range(MAX_FIELDS + 1))])
def test_what_is_no_form(body: bytes) -> None:
    with pytest.raises(ValueError):
        filled(body)


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        (Filled(text="x"), []),
        (Filled(text="x", channel="douyin", product="fund", contact="13800138000"), []),
        (Filled(), ["text"]),
        (Filled(text=" \r\n\x00"), ["text"]),
        (Filled(text="x" * (MAX_TEXT + 1)), ["text"]),
        (Filled(text="x", channel="never heard of"), ["channel"]),
        (Filled(text="x", product="never heard of"), ["product"]),
        (Filled(text="x", contact="a" * 201), ["contact"]),
        (Filled(text="x", contact="a\nb"), ["contact"]),
        (Filled(text="x", website="http://spam"), ["website"]),
        (Filled(website="x", channel="?"), ["channel", "text", "website"]),
    ],
)
def test_what_has_to_be_mended(form: Filled, fields: list[str]) -> None:
    assert list(found(form, DIRECTORY)) == fields


def test_a_long_text_is_told_how_long_it_is() -> None:
    assert found(Filled(text="字" * 4001), DIRECTORY) == {"text": words.text_too_long(4001, 4000)}


def test_pressing_twice_is_one_complaint_and_other_words_are_another() -> None:
    form = Filled(text="a", note="whatever")
    assert number_of(form, "n") == number_of(Filled(text=" a\r\n"), "n")
    others = [number_of(Filled(text="b"), "n"), number_of(form, "m"), number_of(Filled(text="a", contact="c"), "n")]
    assert len({number_of(form, "n"), *others}) == 4


def test_a_number_can_be_read_out() -> None:
    assert all(
        len(part) == 4 and set(part) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
        for part in number("x").split("-", maxsplit=2)
    )


_TEXTS = st.text(max_size=60)


@settings(max_examples=40, deadline=None)
@given(st.builds(Filled, text=_TEXTS, contact=_TEXTS, channel=st.sampled_from(["", "douyin"])))
def test_whatever_has_no_problems_is_a_valid_event(form: Filled) -> None:
    sent = filled(urlencode({name: getattr(form, name) for name in ("text", "contact", "channel")}).encode())
    if found(sent, DIRECTORY):
        return
    event = event_of_form(sent, number_of(sent, "n"), "8.8.8.8", "door", NOW)
    again = EVENT.validate_json(event.model_dump_json(exclude_none=True), strict=True)
    assert again == event
    assert (event.channel_id, event.entry, event.ip) == (form.channel or "door", "one_click", "8.8.8.8")
