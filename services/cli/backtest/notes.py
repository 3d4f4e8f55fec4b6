"""What a reader of the report has to know before believing it."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from schemas.backtest import Run, Source
from schemas.base import Bilingual

_DAY_S: Final = 86_400
_LATE: Final = timedelta(hours=12)
_WEEK_AND_DAY_S: Final = 8 * _DAY_S


def about(source: Source, runs: Sequence[Run], stood: int, begins: datetime) -> Iterator[Bilingual]:
    """All that applies. begins: the window. stood: episodes that had tripped before and stood then."""
    if source.first is not None and source.first - begins > _LATE:
        days = (source.first - begins).total_seconds() / _DAY_S
        yield Bilingual(
            en=f"The log begins only at {source.first:%Y-%m-%d %H:%M} UTC: of the first {days:.1f} days of the window "
            "there is nothing to test with.",
            zh=f"日志始于 {source.first:%Y-%m-%d %H:%M} UTC：窗口最初 {days:.1f} 天没有数据可供回测。",
        )
    if source.warm_up_s < _WEEK_AND_DAY_S:
        days = source.warm_up_s / _DAY_S
        yield Bilingual(
            en=f"The log reaches back {days:.1f} days before the window. Comparisons with the week before need up to "
            "eight days; until there are enough, they say nothing, where the live system may have had more history.",
            zh=f"窗口之前仅有 {days:.1f} 天历史。与前一周的比较最多需要八天，不足时不作判断；"
            "线上系统当时可能有更多历史。",
        )
    if stood:
        yield Bilingual(
            en=f"Not in the list: episodes that had tripped before the window and stood when it began ({stood}).",
            zh=f"另有 {stood} 起告警在窗口之前已触发、窗口开始时仍未解除，未列入。",
        )
    if source.dead:
        yield Bilingual(
            en=f"{source.dead:,} of {source.records:,} records were no valid events, as ingest would have said too.",
            zh=f"{source.records:,} 条记录中有 {source.dead:,} 条不是有效事件，线上同样会判为死信。",
        )
    if any(trip.shadow for run in runs for trip in run.trips):
        yield Bilingual(
            en="Trips marked as shadow come from indicators that the policy keeps silent: nobody would have been told.",
            zh="标为“影子”的触发来自策略中静默的指标：不会通知任何人。",
        )
    if any(run.held for run in runs):
        yield Bilingual(
            en="Held traffic counts from each order to the end of its episode, in equal parts of each hour. What a "
            "guardrail stopped stays stopped until a person lifts it, so it is a lower bound; and the log shows what "
            "came in while nothing was held, or while what really was held was.",
            zh="拦截流量自下令起算至该次告警结束，按小时均摊。护栏类暂停须由人工解除，因此这是下限；"
            "日志中的流量也受当时实际措施的影响。",
        )
    for trouble in dict.fromkeys(each.model_dump_json() for run in runs for each in run.troubles):
        yield Bilingual.model_validate_json(trouble)
