"""Whatever a value is wrapped in, the search for it finds it."""

import base64
import json
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.canaries import found

VALUE = '王小明 <wang+1@example.test> "9.18.27.36"'


@pytest.mark.parametrize(
    "wrap",
    [
        lambda text: text.encode(),
        lambda text: urlencode({"q": text}).encode(),
        lambda text: json.dumps({"q": text}).encode(),
        lambda text: text.encode().hex().encode(),
    ],
)
def test_each_form_is_found(wrap: Callable[[str], bytes]) -> None:
    assert found([VALUE], [("there", b"before " + wrap(VALUE) + b" after"), ("not there", wrap("another"))]) == [
        (VALUE, "there")
    ]


@settings(max_examples=40)
@given(st.binary(max_size=20), st.binary(max_size=20))
def test_base64_is_found_wherever_the_value_stands_in_it(before: bytes, after: bytes) -> None:
    inside = before + VALUE.encode() + after
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        assert found([VALUE], [("there", encode(inside))]) == [(VALUE, "there")]
