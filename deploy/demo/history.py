"""What the comparisons of the long story need: a week of everyday figures, in hourly sums. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from deploy.demo.incidents import conversions
from deploy.demo.stories import Event, Source

EXPENSIVE, SELLING, ENGAGING = "xiaohongshu", "bilibili", "own-app"
SEARCHED, CARRIERS = "endowment-insurance", ("wechat", "branches")
DAYS = 7
DAYS_OF_SEARCHES = 1


def hourly(source: Source, midnight: datetime, until: float) -> Iterator[Event]:
    """From a week before this midnight to so many hours after it. An account costs 250 CNY, four of a hundred clicks
    end in a purchase, and so do ten of 150 searches; ten of a hundred impressions engage people."""
    for hour in range(-24 * DAYS, int(until)):
        at = midnight + timedelta(hours=hour)
        yield source.event("spend", at, EXPENSIVE, amount=500.0)
        yield from conversions(source, at, 3600, EXPENSIVE, 2, "account_opened")
        yield source.event("click", at, SELLING, count=100)
        yield from conversions(source, at, 3600, SELLING, 4)
        yield source.event("impression", at, ENGAGING, count=1000)
        yield source.event("engagement", at, ENGAGING, kind="like", count=100)
        if hour >= -24 * DAYS_OF_SEARCHES:
            yield from _searches(source, at)


def _searches(source: Source, at: datetime) -> Iterator[Event]:
    for channel in CARRIERS:
        yield source.event("search", at, channel, product_id=SEARCHED, count=75)
        for event in conversions(source, at, 3600, channel, 5):
            yield event | {"product_id": SEARCHED}
