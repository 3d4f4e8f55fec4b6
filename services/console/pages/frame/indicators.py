"""The twelve indicators as pages speak of them: their names, and how their figures are written. Pure.

An indicator that is not here is called by its id, and its figures are plain numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from schemas.base import Bilingual
from services.console.pages.frame.speaking import Speaker

_SHARES_UP_TO: Final = 5.0
"""A threshold above this is no share: that of the cost of an account is one or an amount, whichever is nearer."""


@dataclass(frozen=True, slots=True)
class Known:
    """One indicator. is_share: whether its figures are shares, written in per cent."""

    id: str
    subject: str
    title: Bilingual
    is_share: bool = False


def _known(indicator: str, subject: str, en: str, zh: str, is_share: bool = False) -> Known:
    return Known(indicator, subject, Bilingual(en=en, zh=zh), is_share)


_ALL: Final = (
    _known("complaint_volume", "channel", "Complaints of a day", "当日投诉量"),
    _known("complaint_rate", "channel", "Complaints per purchase", "投诉率", True),
    _known("conversion_drop", "channel", "Fewer clicks become purchases", "转化率下降", True),
    _known("cac_spike", "channel", "A new account costs too much", "获客成本过高", True),
    _known("engagement_drop", "channel", "Fewer impressions are engaged with", "互动率下降", True),
    _known("search_divergence", "product", "Searched in fear, no longer bought", "搜索激增而购买下降"),
    _known("negative_sentiment", "brand", "The brand is spoken ill of", "品牌负面声量"),
    _known("market_volatility", "market", "The market moves, or a policy changes", "市场波动与监管变化"),
    _known("click_fraud", "actor", "Clicks from one address", "同一地址异常点击"),
    _known("complaint_flood", "actor", "One-click complaints from one address", "同一地址集中投诉"),
    _known("complaint_sla", "complaint", "A complaint is not answered in time", "投诉超时未答复"),
    _known("content_violation", "content", "Content breaks the rules of promotion", "宣传内容违规"),
)
INDICATORS: Mapping[str, Known] = MappingProxyType({each.id: each for each in _ALL})
"""By id, those of one subject together."""


def of_subject(kind: str) -> list[Known]:
    """Those that are about such a subject (`channel`)."""
    return [each for each in _ALL if each.subject == kind]


def called(indicator: str) -> Bilingual:
    """What people call it; of an indicator's strand (`cac_spike/fall`) the indicator."""
    known = INDICATORS.get(indicator.partition("/")[0])
    return Bilingual(en=indicator, zh=indicator) if known is None else known.title


def figure(indicator: str, value: float | None, threshold: float | None, speaker: Speaker) -> str:
    """A value or threshold of it, as it is written."""
    known = INDICATORS.get(indicator.partition("/")[0])
    is_share = known is not None and known.is_share and (threshold is None or threshold <= _SHARES_UP_TO)
    return speaker.share(value) if is_share else speaker.number(value)
