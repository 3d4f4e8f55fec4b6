"""In which language the door speaks."""

from typing import Any

import pytest

from services.gateway.door.languages import chosen


@pytest.mark.parametrize(
    ("asked", "accepted", "offered", "expected"),
    [
        (None, "", ["zh", "en"], "zh"),
        ("en", "zh-CN", ["zh", "en"], "en"),
        ("fr", "en-GB,en;q=0.9", ["zh", "en"], "en"),
        ("en", "en", ["zh"], "zh"),
        (None, "fr, en;q=0.3, zh;q=0.8", ["en", "zh"], "zh"),
        (None, "en;q=0, zh;q=much", ["zh", "en"], "zh"),
        (None, "zh-Hans-CN", ["en", "zh"], "zh"),
    ],
)
def test_what_is_chosen(asked: str | None, accepted: str, offered: list[Any], expected: str) -> None:
    assert chosen(asked, accepted, offered) == expected
