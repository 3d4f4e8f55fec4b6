"""Charts: what is drawn where, what is said in words, and that nothing breaks out of them."""

import re
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree as Xml
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.console.pages.charts.chart_data import Band, Mark, Series
from services.console.pages.charts.charts import sparkline, timeline
from services.console.pages.charts.plotting import Spot, figure_scale, figure_ticks, stretches, time_ticks
from tests.unit.console.readings import MINUTE_MS, NOW_MS, Read, frame, read

Figures = st.none() | st.floats() | st.floats(-1000, 1000)
Readings = st.lists(
    st.builds(
        Read,
        st.integers(NOW_MS - 200 * MINUTE_MS, NOW_MS + 20 * MINUTE_MS),
        Figures,
        Figures,
        st.sampled_from(["calm", "breach", "unsure"]),
    ),
    max_size=60,
).map(lambda found: sorted(found, key=lambda each: each.at_ms))
Moments = st.integers(NOW_MS - 200 * MINUTE_MS, NOW_MS + 20 * MINUTE_MS)
Words = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), max_size=30)
Bands = st.lists(st.builds(Band, Moments, st.none() | Moments, Words, Words), max_size=4)
Marks = st.lists(st.builds(Mark, Moments, Words, st.integers(0, 2), st.none() | Words), max_size=4)


def parts(svg: str, name: str) -> list[Xml.Element]:
    """All elements of a name, wherever."""
    return [each for each in parsed(svg).iter() if each.tag == name]


def parsed(svg: str) -> Xml.Element:
    return Xml.fromstring(svg)  # noqa: S314  # our own


def places(svg: str) -> list[str]:
    """All attributes that place something."""
    names = ("x", "y", "x1", "x2", "y1", "y2", "width", "height", "d", "viewBox")
    return [each.attrib[name] for each in parsed(svg).iter() for name in names if name in each.attrib]


def corners(path: str) -> list[tuple[float, float]]:
    """The points of a path of ours; `h` goes sideways from the last."""
    plain = re.sub(r"h[\d.]+", "", path).replace("M", " ")
    figures = [float(each) for each in plain.split()]
    return list(zip(figures[::2], figures[1::2], strict=True))


@settings(max_examples=60)
@given(Readings, Figures, Words)
@example([Read(NOW_MS, 5e-324, None, "calm")], None, "")
def test_a_small_line_stays_in_its_box(readings: list[Read], threshold: float | None, name: str) -> None:
    svg = str(sparkline(readings, threshold, name, frame()))
    assert not any(wrong in place for place in places(svg) for wrong in ("nan", "inf"))
    for path in parts(svg, "path"):
        assert all(0 <= x <= 96 and 0 <= y <= 22 for x, y in corners(path.attrib["d"]))
    assert len(svg) < 900 + 6 * len(name)


@settings(max_examples=60)
@given(st.lists(Readings, max_size=2), st.none() | st.floats(-100, 100), Bands, Marks, Words)
def test_a_timeline_stays_in_its_box(
    lines: list[list[Read]], threshold: float | None, bands: list[Band], marks: list[Mark], title: str
) -> None:
    series = [Series(f"line {number}", readings) for number, readings in enumerate(lines)]
    svg = str(timeline(series, threshold, bands, marks, title, frame(2)))
    assert not any(wrong in place for place in places(svg) for wrong in ("nan", "inf"))
    root = parsed(svg)
    height = float(root.attrib["height"])
    for each in root.iter():
        for name, value in each.attrib.items():
            if name in ("x", "x1", "x2", "width") and value.endswith("%"):
                assert 0 <= float(value[:-1]) <= 100
            elif name in ("y", "y1", "y2"):
                assert 0 <= float(value) <= height
        if each.tag == "rect":
            assert float(each.attrib["x"][:-1]) + float(each.attrib["width"][:-1]) <= 100.01
    (plot,) = [each for each in root.iter() if each.attrib.get("preserveAspectRatio") == "none"]
    _, _, wide, high = map(float, plot.attrib["viewBox"].split())
    for path in plot:
        assert all(0 <= x <= wide and 0 <= y <= high for x, y in corners(path.attrib["d"]))
    assert all(each.attrib["href"].startswith("/") for each in root.iter() if "href" in each.attrib)


def test_a_chart_is_the_same_each_time() -> None:
    readings = [read(minute, float(minute)) for minute in range(50, 0, -5)]
    assert sparkline(readings, 20.0, "n", frame()) == sparkline(readings, 20.0, "n", frame())


def test_a_line_ends_where_there_is_nothing() -> None:
    spots = [Spot(0, 1.0), Spot(5, 2.0), None, Spot(15, 3.0), Spot(40, 4.0)]
    assert stretches(spots, gap_ms=10) == [[Spot(0, 1.0), Spot(5, 2.0)], [Spot(15, 3.0)], [Spot(40, 4.0)]]
    readings = [read(50, 1.0), read(45, 2.0), read(40, None), read(35, 3.0), read(10, 3.0)]
    (line,) = parts(str(sparkline(readings, None, "n", frame())), "path")
    assert line.attrib["d"].count("M") == 2
    (line,) = [
        each
        for each in parts(str(timeline([Series("n", readings)], None, [], [], "t", frame())), "path")
        if each.attrib["class"].startswith("line")
    ]
    assert line.attrib["d"].count("M") == 3


def test_the_worst_of_each_part_of_the_time_is_kept() -> None:
    readings = [Read(NOW_MS - second * 1000, 19.0 if second == 1801 else 1.0) for second in range(3600, 0, -1)]
    (limit, line) = parts(str(sparkline(readings, 20.0, "n", frame())), "path")
    top = min(y for _, y in corners(line.attrib["d"]))
    assert corners(limit.attrib["d"])[0][1] < top < 5


@pytest.mark.parametrize(
    ("readings", "language", "text"),
    [
        ([read(5, 12.0)], "en", "Complaints: last 12, limit 20, within its limit"),
        ([read(5, 25.0, verdict="breach")], "zh", "Complaints：最新值 25，阈值 20，超过阈值"),
        ([read(5, None, verdict="unsure")], "en", "Complaints: limit 20, too little data to say"),
        ([], "zh", "Complaints：暂无读数"),
    ],
)
def test_a_small_line_says_what_it_shows(readings: list[Read], language: str, text: str) -> None:
    (title,) = parts(str(sparkline(readings, 20.0, "Complaints", frame(language=language))), "title")
    assert title.text == text


def test_a_timeline_says_what_it_shows() -> None:
    holds = [Band(NOW_MS - 30 * MINUTE_MS, None, "paused", "20 complaints", "pause")]
    trips = [Mark(NOW_MS - 30 * MINUTE_MS, "20 complaints", href="/alerts/1")]
    svg = str(
        timeline([Series("n", [read(30, 20.0), read(5, 22.0, verdict="breach")])], 20.0, holds, trips, "t", frame())
    )
    assert parsed(svg).attrib["aria-label"] == "t: last 22, limit 20, beyond its limit, holds 1, trips 1"
    assert [each.text for each in parts(svg, "title")] == ["paused: 20 complaints", "03-02 17:00 20 complaints"]
    assert [each.attrib["href"] for each in parts(svg, "a")] == ["/alerts/1"]
    (rect,) = parts(svg, "rect")
    assert (rect.attrib["x"], rect.attrib["width"]) == ("50.0%", "50.0%")


@pytest.mark.parametrize("href", ["javascript:alert(1)", "//elsewhere.example", "https://elsewhere.example"])
def test_a_mark_leads_nowhere_else(href: str) -> None:
    assert parts(str(timeline([], None, [], [Mark(NOW_MS, "x", href=href)], "t", frame())), "a") == []


def test_words_stay_words() -> None:
    evil = '"><script>alert(1)</script>'
    readings = [Read(NOW_MS, 1.0, 2.0, evil)]
    band, mark = Band(NOW_MS - MINUTE_MS, None, evil, evil, evil), Mark(NOW_MS, evil, href=f"/{evil}")
    for svg in (
        sparkline(readings, 2.0, evil, frame()),
        timeline([Series(evil, readings)], None, [band], [mark], evil, frame()),
    ):
        assert parts(str(svg), "script") == []
        assert "style=" not in svg


def test_thresholds_that_change_are_drawn_as_steps() -> None:
    readings = [read(30, 1.0, 20.0), read(20, 1.0, 20.0), read(10, 1.0, 10.0)]
    svg = str(timeline([Series("n", readings)], None, [], [], "t", frame()))
    (limit,) = [each for each in parts(svg, "path") if each.attrib["class"] == "limit of-0"]
    heights = [y for _, y in corners(limit.attrib["d"])]
    assert heights[0] == heights[1] == heights[2] < heights[3]


@given(st.floats(-1e12, 1e12), st.floats(-1e12, 1e12))
def test_figures_on_an_axis_are_few_and_even(low: float, high: float) -> None:
    scale = figure_scale([low, high], 100)
    ticks = figure_ticks(scale)
    assert 1 <= len(ticks) <= 7
    assert all(one < other for one, other in pairwise(ticks))


@settings(max_examples=60)
@given(
    st.integers(0, 4_000_000_000_000),
    st.integers(60_000, 400 * 86_400_000),
    st.sampled_from(["Asia/Shanghai", "UTC", "America/New_York", "Australia/Lord_Howe"]),
)
def test_times_on_an_axis_are_few_and_in_order(since_ms: int, span_ms: int, zone: str) -> None:
    ticks = time_ticks(since_ms, since_ms + span_ms, ZoneInfo(zone), most=5)
    assert len(ticks) <= 8
    assert all(one.at < other.at for one, other in pairwise(ticks))
    assert all(since_ms <= tick.at <= since_ms + span_ms for tick in ticks)


@pytest.mark.parametrize(
    ("hours", "labels"),
    [
        (1, ["16:30", "16:45", "17:00", "17:15", "17:30"]),
        (24, ["18:00", "03-02", "06:00", "12:00"]),
        (24 * 7, ["02-25", "02-27", "03-01"]),
    ],
)
def test_times_are_round_in_the_zone(hours: int, labels: list[Any]) -> None:
    ticks = time_ticks(NOW_MS - hours * 60 * MINUTE_MS, NOW_MS, ZoneInfo("Asia/Shanghai"), most=5)
    assert [tick.label for tick in ticks] == labels
