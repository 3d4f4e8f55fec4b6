"""What the parts of evidence are called, in both languages. A part that is not here is called by its own name."""

from collections.abc import Mapping
from types import MappingProxyType

from schemas.base import Bilingual


def _(en: str, zh: str) -> Bilingual:
    return Bilingual(en=en, zh=zh)


PARTS: Mapping[str, Bilingual] = MappingProxyType(
    {
        "account_count": _("accounts in all", "账户总数"),
        "accounts": _("accounts", "账户"),
        "accounts_opened": _("accounts opened", "开户数"),
        "against": _("held against", "对比基准"),
        "anonymous": _("anonymous complaints", "匿名投诉"),
        "baseline": _("remark on the comparison", "对比说明"),
        "basis": _("how time is counted", "计时方式"),
        "begin": _("from character", "起始位置"),
        "by_hour": _("by hour", "按小时"),
        "by_product": _("by product", "按产品"),
        "by_source": _("by source", "按来源"),
        "cac": _("cost of an account, CNY", "获客成本（元）"),
        "cac_before": _("cost of an account before, CNY", "此前获客成本（元）"),
        "carried_by": _("channels that carry it", "承载渠道"),
        "carrier_count": _("channels that carry it, in all", "承载渠道总数"),
        "changes": _("changes", "变化"),
        "channel": _("channel", "渠道"),
        "channel_count": _("channels in all", "渠道总数"),
        "channels": _("channels", "渠道"),
        "clicks": _("clicks", "点击"),
        "clicks_before": _("clicks before", "此前点击"),
        "complaint_count": _("complaints in all", "投诉总数"),
        "complaints": _("complaints", "投诉"),
        "complaints_counted": _("complaints that count", "计入的投诉"),
        "complaints_opened": _("complaints opened", "新增投诉"),
        "days": _("days compared with", "对比天数"),
        "due_at": _("answer due", "答复期限"),
        "end": _("to character", "结束位置"),
        "engagements": _("engagements", "互动"),
        "entry": _("entry", "投诉入口"),
        "fall": _("fall", "降幅"),
        "findings": _("what is wrong", "问题"),
        "fingerprint": _("fingerprint of the text", "文案指纹"),
        "first_click": _("first click", "首次点击"),
        "first_complaint": _("first complaint", "首次投诉"),
        "goal": _("goal", "目标"),
        "growth": _("growth, times", "增长倍数"),
        "high_net_worth": _("high-net-worth customer", "高净值客户"),
        "impressions": _("impressions", "曝光"),
        "in_violation": _("channels in violation", "违规渠道"),
        "instead": _("write instead", "建议改为"),
        "kind": _("kind", "类型"),
        "last_click": _("last click", "末次点击"),
        "last_complaint": _("last complaint", "末次投诉"),
        "limit": _("limit", "阈值"),
        "link_count": _("links in all", "链接总数"),
        "links": _("links", "链接"),
        "mentions": _("mentions", "提及"),
        "more_findings": _("more findings", "更多问题"),
        "more_weight": _("deserve more weight now", "建议加大投放"),
        "negative": _("negative mentions", "负面提及"),
        "opened_at": _("opened", "提交时间"),
        "original": _("as it stands", "原文"),
        "percent": _("per cent", "百分比"),
        "phrase": _("phrase", "用语"),
        "product": _("product", "产品"),
        "product_count": _("products in all", "产品总数"),
        "products": _("products", "产品"),
        "proposed": _("proposed wording", "建议文案"),
        "purchases": _("purchases", "购买"),
        "purchases_before": _("purchases before", "此前购买"),
        "quarter": _("quarter", "季度"),
        "quote": _("quote", "原话"),
        "quotes": _("quotes", "原话摘录"),
        "rate": _("rate", "比率"),
        "rate_before": _("rate before", "此前比率"),
        "readings": _("readings", "读数"),
        "report": _("opinion report", "舆情报告"),
        "reworded": _("reworded", "改写后"),
        "searches": _("searches", "搜索"),
        "searches_before": _("searches before", "此前搜索"),
        "segments": _("goals by segment", "客群目标"),
        "source": _("source", "来源"),
        "spend": _("spend, CNY", "投放（元）"),
        "spend_before": _("spend before, CNY", "此前投放（元）"),
        "text": _("in words", "说明"),
        "trace": _("trace", "踪迹"),
        "unsure": _("why it is unsure", "无法判断的原因"),
    }
)
"""By the name in the evidence."""
SHARES = frozenset({"fall", "rate", "rate_before"})
"""Parts that are shares, written in per cent."""
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "by_product": "product",
        "carried_by": "channel",
        "channel": "channel",
        "channels": "channel",
        "in_violation": "channel",
        "more_weight": "product",
        "product": "product",
        "products": "product",
    }
)
"""What the names in a part are of, so that they are called as in the directory."""
