"""The panels of which a query gives nothing in the test's run of Tidegate, and why: what they ask for is not there.

By dashboard and title. A test holds that these are all, and that each truly lacks something.
"""

from typing import Final

from schemas.goals import DEFAULT_GOALS
from services.console.state.figures import FIGURES

_WITHOUT_GOAL: Final = {
    ("Business · 经营", f"{figure.title.en} · {figure.title.zh}"): "the figure is there; the default policy has no goal"
    for figure in FIGURES
    if figure.id not in DEFAULT_GOALS
}
EMPTY: Final[dict[tuple[str, str], str]] = {
    ("Indicators · 指标", "Trips in shadow"): "the policy of the test has no indicator in shadow",
    ("Tidegate", "Complaints through the door"): "nobody complains by the page, all come from the senders",
    ("Tidegate", "Rules that raised"): "no rule raises on sound events",
    ("Tidegate", "Platform calls that did not go well"): "the stand-in of the platform takes every call",
    ("Tidegate", "Messages that were not taken"): "the stand-in of the receiver takes every message",
    **_WITHOUT_GOAL,
}
