"""The twenty figures of the business day so far, as the board shows them. Pure."""

from dataclasses import dataclass
from typing import Final

from schemas.base import Bilingual
from schemas.goals import Goals
from services.console.pages.frame.speaking import Speaker
from services.console.state.business import Business, Value, today

_BY_SEGMENT: Final = ("conversion_ratio",)
"""Figures whose goals are by segment, so that the whole says little."""
SEGMENTS: Final = {
    "young": Bilingual(en="young", zh="青年"),
    "middle": Bilingual(en="middle-aged", zh="中年"),
    "silver": Bilingual(en="silver", zh="银发"),
    "high_net_worth": Bilingual(en="high net worth", zh="高净值"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One figure as it is written. of: the segment, where it is one's. met: None where there is no goal or no value."""

    title: Bilingual
    formula: Bilingual
    of: Bilingual | None
    value: str
    goal: str | None
    met: bool | None


def figures_of_today(business: Business, goals: Goals, speaker: Speaker) -> list[Shown]:
    """All figures of the whole, and by segment those with goals by segment; nothing where nothing was counted."""
    since_ms, until_ms = today(speaker.now, speaker.zone)
    by_segment = [
        value
        for value in business.values(goals, "segment", since_ms, until_ms)
        if value.figure.id in _BY_SEGMENT and value.name in SEGMENTS
    ]
    found: list[Shown] = []
    for value in business.values(goals, "all", since_ms, until_ms):
        found.append(_shown(value, None, speaker))
        found += [_shown(each, SEGMENTS[each.name], speaker) for each in by_segment if each.figure is value.figure]
    return found


def _shown(value: Value, of: Bilingual | None, speaker: Speaker) -> Shown:
    figure = value.figure
    goal = None
    if value.goal is not None:
        sign = {"up": "≥ ", "down": "≤ "}.get(figure.better or "", "")
        goal = sign + written(value.goal, figure.unit, speaker)
    return Shown(figure.title, figure.formula, of, written(value.value, figure.unit, speaker), goal, value.met)


def written(value: float | None, unit: str, speaker: Speaker) -> str:
    """A figure with its unit; a dash for none."""
    if value is None:
        return "–"
    if unit == "percent":
        return speaker.share(value)
    if unit == "duration":
        return speaker.span(value)
    ends = {"cny": speaker.say(" CNY", " 元"), "per_thousand": " ‰", "times": " ×"}
    return speaker.number(value) + ends.get(unit, "")
