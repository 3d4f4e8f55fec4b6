"""Charts as inline SVG, which every page draws with: small lines for tables, and timelines.

Colours come from the classes in static/charts.css; a chart says in words what it shows, so nothing hangs on seeing it.
A timeline is as wide as its place: across it is laid out in per cent, so that its letters keep their size on a phone.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from markupsafe import Markup, escape

from services.console.pages.charts import chart_words as words
from services.console.pages.charts.chart_data import Band, Frame, Mark, Reading, Series
from services.console.pages.charts.plotting import (
    Scale,
    Spot,
    figure_scale,
    figure_ticks,
    is_drawable,
    spots,
    steps_of,
    stretches,
    time_ticks,
    worst,
)

_SPARK_WIDTH, _SPARK_HEIGHT = 96, 22
_WIDE, _PLOT, _LANE, _AXIS = 1000, 150, 18, 20
SPARK_SPOTS: Final = 24
"""One for each hour of a day."""
_NARROW_BAND: Final = 9.0
"""A band under so many per cent has no room for a word; what it is can be read when it is pointed at."""


def sparkline(readings: Sequence[Reading], threshold: float | None, name: str, frame: Frame) -> Markup:
    """The readings as a small line under their threshold; `name` says of what."""
    figures = ((each.at_ms, each.value) for each in readings)
    kept = worst(figures, frame.since_ms, frame.until_ms + 1, SPARK_SPOTS)
    return spark(kept, readings[-1] if readings else None, threshold, name, frame)


def spark(
    kept: Sequence[tuple[int, float]], last: Reading | None, threshold: float | None, name: str, frame: Frame
) -> Markup:
    """The same of what is kept of readings already: at most SPARK_SPOTS, by time."""
    across = Scale(frame.since_ms, frame.until_ms, _SPARK_WIDTH)
    drawable = [Spot(at_ms, figure) for at_ms, figure in kept if is_drawable(figure)]
    up = figure_scale([threshold, *(spot.figure for spot in drawable)], _SPARK_HEIGHT - 2)
    part_ms = (frame.until_ms - frame.since_ms) // SPARK_SPOTS
    line = _small_path(stretches(drawable, frame.gap_ms + 2 * part_ms), across, up)
    limit = "" if not _has_place(threshold, up) else f'<path class="limit" d="M0 {_down(threshold, up, 1)}h96"/>'
    verdict = "unsure" if last is None else last.verdict
    text = words.spark(name, last, threshold, frame.language, frame.show)
    return _svg(
        f'<svg class="spark {escape(verdict)}" role="img" width="{_SPARK_WIDTH}" height="{_SPARK_HEIGHT}" '
        f'viewBox="0 0 {_SPARK_WIDTH} {_SPARK_HEIGHT}"><title>{escape(text)}</title>{limit}{line}</svg>'
    )


def timeline(
    series: Sequence[Series],
    threshold: float | None,
    holds: Sequence[Band],
    trips: Sequence[Mark],
    title: str,
    frame: Frame,
) -> Markup:
    """Lines over time with their thresholds, holds as bands behind them, trips as marks above them.

    threshold: one for all the time; None: those of the readings. Without any series there are bands and marks only.
    """
    lanes = 1 + max((mark.lane for mark in trips), default=0)
    top, height = lanes * _LANE, _PLOT if series else _LANE * 2
    figures = [threshold, *(figure for each in series for figure in _figures(each, frame))]
    up = figure_scale(figures, height)
    shown = [mark for mark in trips if frame.since_ms <= mark.at_ms <= frame.until_ms]
    text = words.summary(title, series, threshold, len(holds), len(shown), frame)
    return _svg(
        f'<svg class="chart" role="group" width="100%" height="{top + height + _AXIS}" aria-label="{escape(text)}">'
        f"{_time_axis(top, height, frame)}{''.join(_band(each, top, height, frame) for each in holds)}"
        f"{_figure_axis(up, top, frame) if series else ''}"
        f'<svg y="{top}" width="100%" height="{height}" viewBox="0 0 {_WIDE} {height}" preserveAspectRatio="none" '
        f'aria-hidden="true">{"".join(_lines(series, threshold, up, frame))}</svg>'
        f"{''.join(_mark(each, top, height, frame) for each in shown)}</svg>"
    )


def _svg(drawn: str) -> Markup:
    return Markup(drawn)  # noqa: S704  # what comes from outside has been escaped where it was put in


def _figures(series: Series, frame: Frame) -> Iterator[float | None]:
    """All that the scale has to reach."""
    for each in _within(series.readings, frame):
        yield each.value
        yield each.threshold


def _within(readings: Iterable[Reading], frame: Frame) -> list[Reading]:
    return [each for each in readings if frame.since_ms <= each.at_ms <= frame.until_ms]


def _lines(series: Sequence[Series], threshold: float | None, up: Scale, frame: Frame) -> Iterator[str]:
    across = Scale(frame.since_ms, frame.until_ms, _WIDE)
    if _has_place(threshold, up):
        yield f'<path class="limit" d="M0 {_down(threshold, up)}h{_WIDE}"/>'
    for number, each in enumerate(series):
        readings = _within(each.readings, frame)
        if threshold is None:
            yield _path(f"limit of-{number}", stretches(steps_of(readings), frame.gap_ms), across, up)
        drawn = stretches(spots((one.at_ms, one.value) for one in readings), frame.gap_ms)
        yield _path(f"line of-{number}", drawn, across, up)


def _has_place(figure: float | None, up: Scale) -> bool:
    return figure is not None and up.low <= figure <= up.high


def _down(figure: float | None, up: Scale, margin: int = 0) -> str:
    """SVG counts from the top."""
    return f"{up.length - up.place(figure or 0.0) + margin:g}"


def _path(kind: str, drawn: Iterable[Sequence[Spot]], across: Scale, up: Scale) -> str:
    """One path for all stretches; a single spot becomes a dot by its round ends."""
    steps = [
        "M"
        + " ".join(f"{across.place(spot.at_ms):g} {_down(spot.figure, up)}" for spot in stretch)
        + ("h0" if len(stretch) == 1 else "")
        for stretch in drawn
    ]
    return f'<path class="{kind}" d="{"".join(steps)}"/>' if steps else ""


def _small_path(drawn: Iterable[Sequence[Spot]], across: Scale, up: Scale) -> str:
    """The same of spots that are all within their scales, to the nearest dot across; a board has hundreds of them."""
    wide, high = across.length / (across.high - across.low), up.length / (up.high - up.low)
    steps = [
        "M"
        + " ".join(
            f"{(at_ms - across.low) * wide:.0f} {(up.high - figure) * high + 1:.1f}" for at_ms, figure in stretch
        )
        + ("h0" if len(stretch) == 1 else "")
        for stretch in drawn
    ]
    return f'<path class="line" d="{"".join(steps)}"/>' if steps else ""


def _per_cent(at_ms: float, frame: Frame) -> float:
    return Scale(frame.since_ms, frame.until_ms, 100.0).place(at_ms)


def _anchor(across: float) -> str:
    """Words at the ends of a chart stay inside it."""
    if across < 6:
        return "start"
    return "end" if across > 94 else "middle"


def _time_axis(top: int, height: int, frame: Frame) -> str:
    parts = []
    for tick in time_ticks(frame.since_ms, frame.until_ms, frame.zone, most=5):
        x = _per_cent(tick.at, frame)
        parts.append(
            f'<line class="grid" x1="{x}%" x2="{x}%" y1="{top}" y2="{top + height}"/>'
            f'<text class="tick" x="{x}%" y="{top + height + 14}" text-anchor="{_anchor(x)}">{tick.label}</text>'
        )
    return "".join(parts)


def _figure_axis(up: Scale, top: int, frame: Frame) -> str:
    parts = []
    for figure in figure_ticks(up):
        y = top + up.length - up.place(figure)
        label = f'<text class="tick" x="4" y="{y - 3:g}">{escape(frame.show(figure))}</text>' if y > top + 12 else ""
        parts.append(f'<line class="grid" x1="0" x2="100%" y1="{y:g}" y2="{y:g}"/>{label}')
    return "".join(parts)


def _band(band: Band, top: int, height: int, frame: Frame) -> str:
    """Nothing where it is not in what the chart shows."""
    until_ms = frame.until_ms if band.until_ms is None else band.until_ms
    if until_ms < frame.since_ms or band.since_ms > frame.until_ms:
        return ""
    x, end = _per_cent(band.since_ms, frame), _per_cent(until_ms, frame)
    width = round(max(end - x, 0.2), 1)
    x = min(x, round(100 - width, 1))
    word = ""
    if width >= _NARROW_BAND:
        word = f'<text class="word" x="{round(x + 0.6, 1)}%" y="{top + height - 6}">{escape(band.word)}</text>'
    return (
        f'<g class="band {escape(band.kind)}" role="img"><title>{escape(f"{band.word}: {band.about}")}</title>'
        f'<rect x="{x}%" width="{width}%" y="{top}" height="{height}"/>{word}</g>'
    )


def _mark(mark: Mark, top: int, height: int, frame: Frame) -> str:
    x, y = _per_cent(mark.at_ms, frame), (mark.lane + 1) * _LANE - 4
    about = escape(f"{_clock(mark.at_ms, frame)} {mark.about}")
    sign = words.SIGNS[mark.lane % len(words.SIGNS)]
    drawn = (
        f'<g class="mark of-{mark.lane}" role="img"><title>{about}</title>'
        f'<line x1="{x}%" x2="{x}%" y1="{y + 3}" y2="{top + height}"/>'
        f'<text x="{x}%" y="{y}" text-anchor="{_anchor_of_sign(x)}">{sign}</text></g>'
    )
    if mark.href is None or not mark.href.startswith("/") or mark.href.startswith("//"):
        return drawn
    return f'<a href="{escape(mark.href)}">{drawn}</a>'


def _anchor_of_sign(across: float) -> str:
    if across < 1:
        return "start"
    return "end" if across > 99 else "middle"


def _clock(at_ms: int, frame: Frame) -> str:
    return datetime.fromtimestamp(at_ms // 1000, frame.zone).strftime("%m-%d %H:%M")
