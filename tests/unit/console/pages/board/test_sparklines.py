"""The small lines of a target."""

from zoneinfo import ZoneInfo

from schemas.directory import Directory
from services.console.pages.board.sparklines import Lines
from services.console.pages.frame.speaking import Language, Speaker
from tests.unit.console.readings import NOW_MS, Read, read
from tests.unit.console.samples import NOW


def speaker(language: Language = "en") -> Speaker:
    return Speaker(language, ZoneInfo("Asia/Shanghai"), NOW, Directory())


class Source:
    """Readings of three indicators, and how often they were asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def last(self, indicator: str, subject: str) -> Read | None:
        self.asked += 1
        found = {
            "complaint_volume": read(5, 12.0, verdict="warning"),
            "cac_spike": read(5, 0.213, 0.2, "breach"),
            "engagement_drop": read(5, None, None, "unsure"),
        }
        return found.get(indicator) if subject == "channel:a" else None

    def largest(self, indicator: str, subject: str, since_ms: int, until_ms: int, most: int) -> list[tuple[int, float]]:
        assert (since_ms, until_ms, most) == (NOW_MS - 24 * 3_600_000, NOW_MS + 1, 24)
        return []


def test_a_target_has_a_line_for_each_indicator_that_was_read() -> None:
    lines = Lines(Source()).of("channel", "channel:a", NOW_MS, speaker())
    told = [None if each is None else (each.value, each.threshold, each.verdict) for each in lines]
    assert told == [("12", "20", "warning"), None, None, ("21.3 %", "20 %", "breach"), ("–", "–", "unsure")]
    assert lines[0] is not None
    assert "<title>Complaints of a day: last 12, limit 20, near its limit</title>" in lines[0].drawn


def test_a_line_is_drawn_once_until_there_is_news_or_another_language() -> None:
    known = Source()
    lines = Lines(known)
    for _ in range(3):
        lines.of("channel", "channel:a", NOW_MS, speaker())
        lines.of("channel", "channel:b", NOW_MS, speaker())
    assert known.asked == 10
    zh = lines.of("channel", "channel:a", NOW_MS, speaker("zh"))
    assert known.asked == 15
    assert zh[0] is not None
    assert "当日投诉量：最新值 12，阈值 20，接近阈值" in zh[0].drawn
