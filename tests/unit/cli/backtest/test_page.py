"""The page: complete in itself, well formed, in two languages, and nothing from outside becomes markup."""

import re
from html.parser import HTMLParser

from schemas.backtest import Report
from schemas.policy import Policy
from services.cli.backtest import page, tables
from tests.support.indicator_log import TEN, policy
from tests.unit.cli.backtest.stories import Story, over

ALONE = {"meta", "input", "br"}
SVG_ALONE = {"path", "rect"}


class Balanced(HTMLParser):
    """Fails where a tag is closed that is not open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "action")]
        if tag not in ALONE:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in SVG_ALONE

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def report(*policies: Policy, channel: str = "douyin") -> Report:
    story = Story()
    story.complaints(45, channel=channel)
    story.clicks(120)
    return over(story.records(), *policies)


def checked(text: str) -> str:
    parser = Balanced()
    parser.feed(text)
    assert parser.open == []
    assert parser.links == []
    assert not re.search(r"https?:|<script|@import|url\(", text)
    return text


def test_it_draws_series_thresholds_and_trips_in_both_languages() -> None:
    text = checked(page.of(report(policy(), policy(2, complaint_volume={"thresholds": {"complaints": 30}}))))
    for mark in ('class="value run0"', 'class="limit run0"', 'class="limit run1"', "<rect ", 'class="lane run1"'):
        assert mark in text
    assert "投诉量" in text
    assert "Complaint volume" in text
    assert 'lang="zh-CN"' in text


def test_one_policy_alone_has_no_differences() -> None:
    text = checked(page.of(report(policy())))
    assert "Differences" not in text


def test_names_from_outside_stay_text() -> None:
    evil = '"><script>alert(1)</script>'
    text = checked(page.of(report(policy(), policy(2, click_fraud={"enabled": False}), channel=evil)))
    assert "&lt;script&gt;" in text


def test_a_report_of_nothing_is_a_page_too() -> None:
    story = Story()
    story.tell(TEN, "impression", channel_id="douyin", count=1)
    text = checked(page.of(over(story.records())))
    assert "Stayed silent." in text


def test_the_terminal_shows_the_same() -> None:
    found = list(tables.of(report(policy(), policy(2, click_fraud={"enabled": False}))))
    assert len(found) >= 6
