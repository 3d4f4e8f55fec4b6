"""*Business*: the twenty figures against the year's goals, from the one list of them that there is."""

from collections.abc import Sequence
from typing import Final

from deploy.grafana.pieces import Choice, Page, Panel, Query, Row
from services.console.state.figures import FIGURES, Figure, Unit

_UNITS: Final[dict[Unit, str]] = {
    "number": "none",
    "cny": "currency:¥",
    "percent": "percentunit",
    "per_thousand": "none",
    "times": "none",
    "duration": "s",
}
_GROUPS: Final = (
    ("Reach · 触达", 5),
    ("Cost · 成本", 4),
    ("Sales · 销售", 5),
    ("Complaints and reputation · 投诉与声誉", 6),
)
"""Headings, each with so many of the figures in their order."""


def _panel(figure: Figure) -> Panel:
    wanted = {"up": " More is better.", "down": " Less is better.", None: ""}[figure.better]
    of = '{scope=~"$scope", name=~"$name"}'
    goal = f'{{figure="{figure.id}", scope=~"$scope", name=~"$name"}}'
    return Panel(
        f"{figure.title.en} · {figure.title.zh}",
        f"Of the business day so far: {figure.formula.en}.{wanted} 当日累计：{figure.formula.zh}。",
        _UNITS[figure.unit],
        (
            Query(f"max by (scope, name) ({figure.metric}{of})", "{{scope}} {{name}}"),
            Query(f"max by (scope, name) (tidegate_business_goal{goal})", "goal · 目标 {{scope}} {{name}}"),
        ),
        "docs/figures.md",
        width=8,
        height=7,
    )


def _rows() -> Sequence[Row]:
    left = [_panel(figure) for figure in FIGURES]
    rows = []
    for heading, count in _GROUPS:
        rows.append(Row(heading, left[:count]))
        left = left[count:]
    return rows


BUSINESS: Final = Page(
    "tidegate-business",
    "Business · 经营",
    "The twenty figures of the business day so far, against the year's goals. 二十项经营指标与年度目标。",
    _rows(),
    (
        Choice("scope", "By · 维度", "label_values(tidegate_business_clicks, scope)", first="all"),
        Choice("name", "Which · 对象", 'label_values(tidegate_business_clicks{scope=~"$scope"}, name)'),
    ),
    since="now-24h",
)
