"""Of the oracle: what is said of the brand, searched for, published, and read of the market."""

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal

from tests.oracle.facts import Event, Trip, seconds

PANE_SECONDS = 300
HOUR_SECONDS = 3600
PHRASES = ("稳赚不赔", "保本保收益")
PROMPTS = ("投资有风险", "历史业绩不代表未来表现")
SERIES = ("lpr_1y", "lpr_5y")


def negative_sentiment(events: list[Event]) -> set[Trip]:
    """Calls for more than 100, 200, … bad mentions of a business day in Shanghai. A day's share is not looked at: the
    story keeps it down until the count trips."""
    days: dict[object, int] = defaultdict(int)
    for event in events:
        if event["type"] == "mention" and event["sentiment"] == "negative":
            days[(datetime.fromisoformat(event["occurred_at"]) + timedelta(hours=8)).date()] += 1
    reached = {k + 1 for count in days.values() for k in range(20) if count > 100 * 2**k}
    return {("negative_sentiment", "brand:all", "escalate", "brand:all", level) for level in reached}


def search_divergence(events: list[Event]) -> set[Trip]:
    """Calls, and pauses of the product wherever it was carried, judged at the end of every pane."""
    products = {e["product_id"] for e in events if e.get("product_id")}
    return {trip for product in products for trip in _diverging(product, [e for e in events if _about(e, product)])}


def _about(event: Event, product: str) -> bool:
    return event.get("product_id") == product


def _diverging(product: str, events: list[Event]) -> set[Trip]:
    searches = [(seconds(e), e["count"]) for e in events if e["type"] == "search"]
    bought = [(seconds(e), 1) for e in events if e.get("stage") == "purchase"]
    end = min(map(seconds, events)) // PANE_SECONDS * PANE_SECONDS + 13 * HOUR_SECONDS
    last, subject = max(map(seconds, events)), f"product:{product}"
    while end <= last + PANE_SECONDS:
        hour, day = end - HOUR_SECONDS, end - 25 * HOUR_SECONDS
        now, before = _sum(searches, hour, end), _sum(searches, day, hour)
        sold, sold_before = _sum(bought, hour, end), _sum(bought, day, hour)
        enough = min(now, before) >= 100 and sold_before
        if enough and now * 24 >= 2 * before and sold * before * 10 <= 7 * sold_before * now:
            carriers = {e["channel_id"] for e in events if e["type"] == "search" and seconds(e) < end}
            pauses = {("search_divergence", subject, "pause", f"promotion:{product}@{c}", 1) for c in carriers}
            return {("search_divergence", subject, "escalate", subject, 1), *pauses}
        end += PANE_SECONDS
    return set()


def _sum(counts: list[tuple[float, int]], start: float, end: float) -> int:
    return sum(count for at, count in counts if start <= at < end)


def content_violation(events: list[Event]) -> set[Trip]:
    """Take-downs of what must not be published; each text of the story is published once."""
    wrong = {f"content:{e['content_id']}" for e in events if e["type"] == "content_published" and _is_wrong(e)}
    return {("content_violation", content, "take_down", content, 1) for content in wrong}


def _is_wrong(event: Event) -> bool:
    body = event["body"].replace("不承诺保本保收益", "")
    return (
        any(phrase in body for phrase in PHRASES)
        or not all(prompt in body for prompt in PROMPTS)
        or event.get("disclosure_share", 1) < 0.15
        or event.get("disclosure_font_ratio", 100) < 1.5
        or len(set(event["reviewers"])) < 2
    )


def market_volatility(events: list[Event]) -> set[Trip]:
    """Calls for weak growth and for rates that rise; the directory of the default policy has no product to slow."""
    found = {f"market:{series}" for series in SERIES if _rises(events, series)}
    growth = sorted((e["quarter"], e["percent"]) for e in events if e["type"] == "gdp_growth")
    if any(percent < 5 for _, percent in growth[-1:]):
        found.add("market:gdp")
    return {("market_volatility", subject, "escalate", subject, 1) for subject in found}


def _rises(events: list[Event], series: str) -> bool:
    """Whether the three newest months, which the story has without a gap, show a rise of more than 50 points."""
    readings = sorted((e["month"], Decimal(str(e["percent"]))) for e in events if e.get("series") == series)
    return len(readings) >= 3 and readings[-1][1] - readings[-3][1] > Decimal("0.5")


def told_only(events: list[Event]) -> dict[tuple[str, str], int]:
    """Alerts that come with no order, to their level."""
    news = any(event["type"] == "policy_change" for event in events)
    return {("market_volatility", "market:policy"): 1} if news else {}


INDICATORS = (negative_sentiment, search_divergence, content_violation, market_volatility)
