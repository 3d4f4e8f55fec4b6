"""The picture: how long each incident took to be found, and how often calm days were disturbed. An SVG, by hand."""

from collections.abc import Iterator
from html import escape
from math import log10
from typing import Final

from tests.quality.labels import HARM
from tests.quality.measure import Measured
from tests.quality.report import days_of

_WIDTH: Final = 1140
_ROW: Final = 34
_TOP: Final = 84
_LEFT: Final = 170
_DELAYS: Final = 480
_BARS: Final = 740
"""Where the right half begins."""
_TICKS: Final = ((1, "1 s"), (60, "1 min"), (3600, "1 h"), (86_400, "1 day"))
_COLOURS: Final = dict(zip(HARM, ("#b3261e", "#b3261e", "#b3261e", "#e08a00", "#4f7cac", "#b9c4cf"), strict=True))
_NAMES: Final = {"pause": "stops something", "throttle": "slows", "escalate": "calls people", "nothing": "tells"}
_SHADES: Final = ("#1b6e6a", "#7a4f9a", "#b0762a", "#3f6fb5", "#8a3f5f")
_MOST: Final = 330
"""The length of the longest bar."""


def draw(measured: Measured) -> str:
    """The whole document."""
    names = sorted(measured.stories)
    height = _TOP + _ROW * len(names) + 60
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="13" fill="#222"><rect width="100%" height="100%" fill="#fff"/>'
    )
    body = [*_heads(measured), *_axis(len(names))]
    for index, name in enumerate(names):
        y = _TOP + _ROW * index + _ROW // 2
        body += [_text(_LEFT - 12, y + 4, name, "end"), *_dots(measured, name, y), *_bar(measured, name, y)]
    return "\n".join([head, *body, *_legend(height - 18), "</svg>"]) + "\n"


def _heads(measured: Measured) -> Iterator[str]:
    incidents = sum(each.incidents for each in measured.stories.values())
    found = sum(each.found for each in measured.stories.values())
    yield _text(_LEFT, 28, f"From trouble to trip: {found} of {incidents} incidents found", size=16)
    yield _text(_LEFT, 48, "counts from the event that completes them, ratios from when things go wrong", fill="#666")
    days = " and ".join(f"{count:,} {kind}-days" for kind, count in measured.calm.items())
    yield _text(_BARS, 28, "False trips in 1,000 calm days", size=16)
    yield _text(_BARS, 48, f"of {days}; {measured.pauses()} stopped anything", fill="#666")


def _axis(rows: int) -> Iterator[str]:
    bottom = _TOP + _ROW * rows
    for seconds, label in _TICKS:
        x = _x(seconds)
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 8}" y2="{bottom}" stroke="#e3e3e3"/>'
        yield _text(x, _TOP - 12, label, "middle", fill="#666")
    for row in range(rows + 1):
        y = _TOP + _ROW * row
        yield f'<line x1="{_LEFT}" x2="{_WIDTH - 20}" y1="{y}" y2="{y}" stroke="#f0f0f0"/>'


def _dots(measured: Measured, name: str, y: int) -> Iterator[str]:
    """One for each incident, those of a kind on a line and of a colour."""
    score = measured.stories[name]
    kinds = sorted(score.delays_ms.items())
    for index, (kind, delays) in enumerate(kinds):
        height = y + (index - (len(kinds) - 1) / 2) * 6
        for delay in delays:
            yield (
                f'<circle cx="{_x(delay / 1000):.1f}" cy="{height:.1f}" r="3" fill="{_SHADES[index % len(_SHADES)]}" '
                f'fill-opacity="0.55"><title>{escape(f"{name}, {kind}: {delay / 1000:,.0f} s")}</title></circle>'
            )
    if score.missed:
        yield _text(_LEFT + _DELAYS + 4, y + 4, f"{len(score.missed)} missed", fill="#b3261e")


def _bar(measured: Measured, name: str, y: int) -> Iterator[str]:
    """False trips by the worst that they order, end to end."""
    score, x = measured.false.get(name), float(_BARS)
    if score is None or not any(score.false.values()):
        yield _text(_BARS, y + 4, "0" if _watched(name) else "–", fill="#666")
        return
    for harm in HARM:
        width = 1000 * score.false[harm] / days_of(measured, score) * _MOST / _longest(measured)
        if width:
            yield f'<rect x="{x:.1f}" y="{y - 8}" width="{width:.1f}" height="16" fill="{_COLOURS[harm]}"/>'
            x += width
    rate = 1000 * sum(score.false.values()) / days_of(measured, score)
    yield _text(x + 6, y + 4, f"{rate:.2f}")


def _longest(measured: Measured) -> float:
    rates = (1000 * sum(each.false.values()) / days_of(measured, each) for each in measured.false.values())
    return max(rates, default=1.0) * 1.15


def _watched(name: str) -> bool:
    """Whether calm days say anything of an indicator: they are those of channels and products."""
    return name.startswith(("cac", "conversion", "engagement", "search", "complaint_rate", "complaint_volume"))


def _legend(y: int) -> Iterator[str]:
    for index, (harm, words) in enumerate(_NAMES.items()):
        x = _BARS - 40 + index * 125
        yield f'<rect x="{x}" y="{y - 10}" width="11" height="11" fill="{_COLOURS[harm]}"/>'
        yield _text(x + 16, y, words)


def _x(seconds: float) -> float:
    """Of a delay, on a logarithmic scale from a tenth of a second to two days."""
    low, high = log10(0.1), log10(2 * 86_400)
    return _LEFT + (log10(max(seconds, 0.1)) - low) / (high - low) * _DELAYS


def _text(x: float, y: float, words: str, anchor: str = "start", size: int = 13, fill: str = "#222") -> str:
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}" font-size="{size}" fill="{fill}">{escape(words)}</text>'
