"""How pages say things."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from schemas.directory import Directory
from services.console.pages.frame.speaking import Language, Speaker, moment, preferred

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def speaker(language: Language = "en") -> Speaker:
    named = Directory.model_validate({"channels": {"douyin": {"name": {"en": "Douyin", "zh": "抖音"}}}})
    return Speaker(language, ZoneInfo("Asia/Shanghai"), NOW, named)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,zh;q=0.9", "en"),
        ("de,fr", "en"),
        ("en;q=0.2, zh-TW;q=0.3", "zh"),
        ("zh;q=x", "zh"),
    ],
)
def test_the_language_is_the_browsers(header: str, language: Language) -> None:
    assert preferred(header) == language


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (900, "15 min"), (12_000, "3 h 20 min"), (90_000, "1 d 1 h")],
)
def test_a_duration_has_two_units_at_most(seconds: float, words: str) -> None:
    assert speaker().span(seconds) == words


def test_times_are_those_of_the_policys_zone_with_the_date_where_it_is_not_todays() -> None:
    assert ">17:30:00<" in speaker().when(NOW)
    assert ">2026-03-01 17:30<" in speaker().when(NOW - timedelta(days=1))
    assert speaker().when(None) == "–"
    assert moment(NOW, speaker().zone) == "2026-03-02 17:30:00 (Asia/Shanghai)"


def test_what_is_to_come_is_told_apart() -> None:
    assert speaker().ago(NOW + timedelta(hours=4)) == "in 4 h"
    assert speaker("zh").ago(NOW - timedelta(minutes=5)) == "5 分钟前"


def test_numbers_have_no_more_digits_than_they_need() -> None:
    assert [speaker().number(each) for each in (1234567.8, 3.0, 2.50, 0.125, None)] == [
        "1,234,568",
        "3",
        "2.5",
        "0.12",
        "–",
    ]
    assert speaker().share(0.025) == "2.5 %"


def test_a_name_is_the_directorys() -> None:
    assert (speaker().name("channel:douyin"), speaker("zh").name("channel:douyin")) == ("Douyin", "抖音")
    assert speaker().name("channel:else") == "else"
