"""The year's goals of the business figures: shown beside the figures, never judged."""

from typing import Annotated, Final, Literal

from pydantic import Field

from schemas.base import Name
from schemas.closed import Closed
from schemas.readings import Scope

FigureId = Literal[
    "impressions",
    "engagement_ratio",
    "clicks",
    "click_through_ratio",
    "suspicious_clicks_ratio",
    "spend_cny",
    "click_cost_cny",
    "accounts",
    "cac_cny",
    "purchases",
    "conversion_ratio",
    "purchases_cny",
    "average_purchase_cny",
    "return_on_spend_ratio",
    "complaints",
    "complaints_per_thousand_purchases",
    "open_complaints",
    "answered_in_time_ratio",
    "answer_seconds",
    "negative_mentions_ratio",
]
"""The twenty figures; what each is stands in services/console/state/figures.py."""

Segment = Literal["young", "middle", "silver", "high_net_worth"]
Figure = Annotated[float, Field(ge=0)]


class Goal(Closed):
    """Of one figure: for the whole, and for a channel, product or segment that has its own."""

    all: Figure | None = None
    channel: dict[Name, Figure] = {}
    product: dict[Name, Figure] = {}
    segment: dict[Segment, Figure] = {}

    def of(self, scope: Scope, name: str) -> float | None:
        """The goal of one; where it has none of its own, that of the whole."""
        own: dict[Scope, dict[str, float]] = {
            "channel": self.channel,
            "product": self.product,
            "segment": {str(segment): goal for segment, goal in self.segment.items()},
        }
        return own.get(scope, {}).get(name, self.all)


Goals = dict[FigureId, Goal]
"""What a policy says of goals. A figure that is named here has these goals and no others."""

DEFAULT_GOALS: Final[Goals] = {
    "cac_cny": Goal(all=300.0),
    "conversion_ratio": Goal(segment={"young": 0.40, "middle": 0.35, "silver": 0.25, "high_net_worth": 0.20}),
    "engagement_ratio": Goal(all=0.25),
    "answered_in_time_ratio": Goal(all=1.0),
    "answer_seconds": Goal(all=48 * 3600.0),
    "negative_mentions_ratio": Goal(all=0.40),
    "complaints_per_thousand_purchases": Goal(all=20.0),
}
"""The source's: CAC (§ 3.4, 4.4), conversion by segment (§ 4.4), engagement (§ 4.1), answers in 48 h or 2 h (§ 4.3),
and the share of negative mentions above which it calls an emergency (§ 9.3). Complaints are ours: where the throttle of
`complaint_rate` begins."""


def goal_of(goals: Goals, figure: FigureId, scope: Scope, name: str) -> float | None:
    """The goal that holds for one, under what a policy says."""
    goal = goals.get(figure) or DEFAULT_GOALS.get(figure)
    return None if goal is None else goal.of(scope, name)
