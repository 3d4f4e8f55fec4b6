"""The twenty figures of the business day so far, of the whole or of one, as the board shows them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import StringConstraints

from schemas.base import Bilingual
from schemas.goals import Goals
from schemas.readings import Scope
from services.console.pages.frame.speaking import Speaker
from services.console.state.business import Business, Value, today
from services.console.state.figures import ALL, FIGURES

Of = Annotated[str, StringConstraints(max_length=210, pattern=r"^(all|(channel|product|segment):[^\x00-\x1f\x7f]+)$")]
"""What figures are told of: `all`, or one, as in `channel:douyin`, `product:p` and `segment:young`."""
MOST_CHOICES: Final = 200
"""Of a scope, so that the page stays small; the page of a channel or product leads to its own."""
_BY_SEGMENT: Final = ("conversion_ratio",)
"""Figures whose goals are by segment, so that the whole says little."""
SEGMENTS: Final = {
    "segment:young": Bilingual(en="young", zh="青年"),
    "segment:middle": Bilingual(en="middle-aged", zh="中年"),
    "segment:silver": Bilingual(en="silver", zh="银发"),
    "segment:high_net_worth": Bilingual(en="high net worth", zh="高净值"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One figure as it is written. of: the segment, where it is one's among those of the whole. met: None where there
    is no goal or no value."""

    title: Bilingual
    formula: Bilingual
    of: Bilingual | None
    value: str
    goal: str | None
    met: bool | None


def figures_of_today(business: Business, goals: Goals, of: Of, speaker: Speaker) -> list[Shown]:
    """All figures of one, and with the whole by segment those with goals by segment; nothing where nothing was
    counted."""
    scope, name = _scope(of)
    since_ms, until_ms = today(speaker.now, speaker.zone)
    segments = business.values(goals, "segment", since_ms, until_ms) if scope == "all" else ()
    by_segment = [each for each in segments if each.figure.id in _BY_SEGMENT and f"segment:{each.name}" in SEGMENTS]
    found: list[Shown] = []
    for value in business.values(goals, scope, since_ms, until_ms, name):
        found.append(_shown(value, None, speaker))
        found += [
            _shown(each, SEGMENTS[f"segment:{each.name}"], speaker)
            for each in by_segment
            if each.figure is value.figure
        ]
    return found


def not_told_of(of: Of) -> list[Bilingual]:
    """The figures that there are not of such a one."""
    scope, _ = _scope(of)
    return [figure.title for figure in FIGURES if scope not in figure.scopes]


def choices(business: Business, of: Of, speaker: Speaker) -> Mapping[Scope, Sequence[tuple[Of, str]]]:
    """By scope what figures can be asked of, each with its name: whatever was counted today, and what is asked for."""
    span = today(speaker.now, speaker.zone)
    found: dict[Scope, Sequence[tuple[Of, str]]] = {}
    for scope in ALL[1:]:
        told = [f"{scope}:{name}" for name in business.sums(scope, *span)][:MOST_CHOICES]
        asked = {of} if _scope(of)[0] == scope else set()
        if every := {*told} | asked:
            found[scope] = sorted(((each, called(each, speaker)) for each in every), key=lambda each: each[::-1])
    return found


def called(of: Of, speaker: Speaker) -> str:
    """Its name."""
    return speaker.text(SEGMENTS[of]) if of in SEGMENTS else speaker.name(of)


def _scope(of: Of) -> tuple[Scope, str]:
    kind, _, name = of.partition(":")
    return next(scope for scope in ALL if scope == kind), name or "all"


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
