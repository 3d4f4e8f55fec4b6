"""Numbers, times and names as people read them in a report."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from schemas.base import Bilingual

NAMES: Final = {
    "complaint_volume": Bilingual(en="Complaint volume", zh="投诉量"),
    "search_divergence": Bilingual(en="Search divergence", zh="搜索与转化背离"),
    "click_fraud": Bilingual(en="Click fraud", zh="点击欺诈"),
    "complaint_flood": Bilingual(en="Complaint flood", zh="恶意投诉"),
    "complaint_sla": Bilingual(en="Complaint deadline", zh="投诉时效"),
    "cac_spike": Bilingual(en="Acquisition cost", zh="获客成本"),
    "conversion_drop": Bilingual(en="Conversion drop", zh="转化率下降"),
    "complaint_rate": Bilingual(en="Complaint rate", zh="投诉率"),
    "engagement_drop": Bilingual(en="Engagement drop", zh="互动率下降"),
    "negative_sentiment": Bilingual(en="Negative sentiment", zh="负面舆情"),
    "content_violation": Bilingual(en="Content violation", zh="内容违规"),
    "market_volatility": Bilingual(en="Market volatility", zh="市场波动"),
}


def name_of(indicator: str) -> Bilingual:
    """What people call an indicator; one without a name here goes by its id."""
    plain = indicator.replace("_", " ").capitalize()
    return NAMES.get(indicator, Bilingual(en=plain, zh=plain))


def figure(value: float, threshold: float) -> str:
    """A value as its threshold is given: a share in per cent, a count as it is."""
    if 0 < threshold <= 1:
        return f"{value:.1%}"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:,.1f}"


def amount(value: float) -> str:
    """A sum, rounded."""
    return f"{value:,.0f}"


def clock(at: datetime, zone: str) -> str:
    """A moment on the clock of the policy."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def lasting(seconds: float) -> str:
    """A stretch of time in its two largest units."""
    whole = timedelta(seconds=round(seconds))
    hours, rest = divmod(whole.seconds, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [(whole.days, "d"), (hours, "h"), (minutes, "m"), (rest, "s")]
    used = next((index for index, (number, _) in enumerate(parts) if number), 3)
    return " ".join(f"{number}{unit}" for number, unit in parts[used : used + 2] if number) or "0s"


def short(subject: str) -> str:
    """A subject in a table: pseudonyms are long, and their beginning tells them apart."""
    kind, _, name = subject.partition(":")
    return f"{kind}:{name[:12]}…" if kind in ("actor", "account") else subject
