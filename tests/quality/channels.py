"""Channels of very different sizes, and what happens on each: expected and then drawn, pane by pane.

Nothing here is from a real bank. The figures are meant to be plausible and unkind: clicks a day over three orders of
magnitude, ratios that wander by some percent from day to day for no reason, hours that are livelier than others.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import numpy as np
from numpy.random import Generator

from services.runtime.calendar import Kind
from tests.quality.rhythm import BUYING, PANES_A_DAY, TRAFFIC, Floats, Ints, by_day, shape

MEASURES: Final = ("impressions", "clicks", "searches", "spend_micros", "engagements", "accounts_opened", "purchases")
_WHIM: Final = 0.04
"""By how much a ratio wanders from day to day (standard deviation of its logarithm)."""
_COMPLAINING: Final[dict[Kind, float]] = {"workday": 1.0, "weekend": 0.8, "holiday": 0.7, "shopping": 1.3}
_LIVELY: Final = 20.0
"""Hours are drawn with this gamma shape, so counts spread more than those of Poisson do."""


@dataclass(frozen=True, slots=True)
class Channel:
    """What a channel is usually like. Rates are per click, impressions too; `cost` in CNY a click."""

    name: str
    clicks: float
    impressions: float = 12.0
    engagement: float = 0.2
    account: float = 0.03
    purchase: float = 0.05
    cost: float = 7.0
    complaint: float = 0.0015
    """Complaints per purchase."""


@dataclass(frozen=True, slots=True)
class Change:
    """From one pane to another some measures are a multiple of what they would be; `clicks` moves all the others."""

    first: int
    last: int
    factors: dict[str, float] = field(default_factory=dict)


def population(random: Generator, number: int, prefix: str = "calm") -> list[Channel]:
    """Channels as a bank has them: many small, few large."""
    found = []
    for n in range(number):
        clicks = float(np.clip(random.lognormal(np.log(1500), 1.7), 40, 50_000))
        purchase, account = random.uniform(0.02, 0.08), random.uniform(0.01, 0.05)
        found.append(
            Channel(
                name=f"{prefix}-{n}",
                clicks=clicks,
                impressions=random.uniform(5, 25),
                engagement=random.uniform(0.08, 0.3),
                account=account,
                purchase=purchase,
                cost=account * random.uniform(150, 290),
                # A channel on which more than three a day are usual needs a figure of its own in the policy.
                complaint=min(float(random.lognormal(np.log(0.0015), 0.5)), 3 / (clicks * purchase)),
            )
        )
    return found


def flow(random: Generator, channel: Channel, days: Sequence[date], changes: Sequence[Change] = ()) -> dict[str, Ints]:
    """What happens in each pane, by measure: counts drawn around what is expected, spend in millionths."""
    expected = _expected(random, channel, days, changes)
    found = {name: random.poisson(rate) for name, rate in expected.items() if name != "spend_micros"}
    found["spend_micros"] = np.rint(found["clicks"] * expected["spend_micros"] * 1e6).astype(np.int64)
    return {name: found[name] for name in MEASURES}


def steady(channel: Channel, days: Sequence[date], changes: Sequence[Change] = ()) -> dict[str, Ints]:
    """A channel without chance: exactly what is expected, fractions carried on; the same on every day and hour."""
    panes = len(days) * PANES_A_DAY
    clicks = np.full(panes, channel.clicks / PANES_A_DAY)
    rates = _rates(channel)
    moved = {name: np.ones(panes) for name in MEASURES}
    _change(moved, changes)
    found = {}
    for name in MEASURES:
        scale = 1e6 if name == "spend_micros" else 1.0
        amounts = clicks * moved["clicks"] * rates[name] * (1.0 if name == "clicks" else moved[name]) * scale
        found[name] = np.diff(np.floor(np.cumsum(amounts) + 1e-6), prepend=0.0).astype(np.int64)
    return found


def complaints(random: Generator, channel: Channel, days: Sequence[date]) -> Ints:
    """How many complaints are opened in each pane: more on some days than on others. They come of all customers that
    the channel ever won, so a campaign does not make them more."""
    mood = random.gamma(4.0, 1 / 4.0, len(days)) * by_day(list(days), _COMPLAINING)
    usual = channel.clicks * channel.purchase * channel.complaint
    return np.asarray(random.poisson((mood[:, None] * usual * shape()[None, :]).reshape(-1)), np.int64)


def _expected(
    random: Generator, channel: Channel, days: Sequence[date], changes: Sequence[Change]
) -> dict[str, Floats]:
    """Expected counts by pane; of spend, the cost of a click."""
    listed, number = list(days), len(days)
    volume = channel.clicks * by_day(listed, TRAFFIC) * random.lognormal(0, 0.12, number)
    lively = np.repeat(random.gamma(_LIVELY, 1 / _LIVELY, number * 24), PANES_A_DAY // 24)
    moved = {name: np.repeat(random.lognormal(0, _WHIM, number), PANES_A_DAY) for name in MEASURES}
    moved["clicks"] = np.ones(number * PANES_A_DAY)
    for name in ("accounts_opened", "purchases"):
        moved[name] *= np.repeat(by_day(listed, BUYING), PANES_A_DAY)
    moved["spend_micros"] *= np.repeat(by_day(listed, BUYING), PANES_A_DAY)  # clicks that buy are bid for
    _change(moved, changes)
    clicks = (volume[:, None] * shape()[None, :]).reshape(-1) * lively * moved["clicks"]
    rates = _rates(channel)
    expected = {name: clicks * rates[name] * moved[name] for name in MEASURES if name != "clicks"}
    return expected | {"clicks": clicks, "spend_micros": channel.cost * moved["spend_micros"]}


def _rates(channel: Channel) -> dict[str, float]:
    """Of each measure, per click."""
    return {
        "impressions": channel.impressions,
        "clicks": 1.0,
        "searches": 0.3,
        "spend_micros": channel.cost,
        "engagements": channel.impressions * channel.engagement,
        "accounts_opened": channel.account,
        "purchases": channel.purchase,
    }


def _change(moved: dict[str, Floats], changes: Sequence[Change]) -> None:
    for change in changes:
        for name, factor in change.factors.items():
            moved[name][change.first : change.last] *= factor
