"""What people read of the governor: what waits, the most harmful first, what waiting costs and what stopping costs."""

from collections.abc import Sequence
from typing import Final

from schemas.base import Bilingual
from schemas.governor import Hour
from schemas.wording import phrase
from services.channel_control.governing.governor import Standing, Stop, channels, most_harmful_first, products

NAMED: Final = 5
"""So many are told one by one."""
RUNBOOK: Final = "services/channel_control/runbook.md#governor"
OVER: Final = Bilingual(
    en="Nothing waits beyond the governor's limits any more.", zh="已没有超出自动处置上限而待批的措施。"
)


def title(standing: Standing) -> Bilingual:
    """How many wait."""
    waiting = _counted(standing.waiting)
    return Bilingual(
        en=f"Automation is held back: stops of {waiting.en} wait for two people",
        zh=f"自动处置已被限制：{waiting.zh}的措施等待两人批准",
    )


def summary(standing: Standing) -> Bilingual:
    """Why people have to decide, and on what they decide."""
    acting, found = _counted(standing.granted), most_harmful_first(standing, standing.waiting)
    lines = [_line(stop, hour) for stop, hour in found[:NAMED]]
    more = len(found) - NAMED
    en = [
        f"Stopped or slowed by automation already: {acting.en}. More is for people, since so much at once is more "
        "likely a fault of the policy or of the data than of every one of them.",
        *(line.en for line in lines),
        *([f"And {more} more."] if more > 0 else []),
    ]
    zh = [
        f"已有{acting.zh}被自动暂停或限流；同时出现这么多，更可能是策略或数据有误，其余须由人决定。",
        *(line.zh for line in lines),
        *([f"另有 {more} 项。"] if more > 0 else []),
    ]
    return Bilingual(en=" ".join(en), zh="".join(zh))


def _counted(stops: Sequence[Stop]) -> Bilingual:
    """`5 channels and the promotion of 2 products`."""
    counts = ((channels(stops), "", "channel", "渠道"), (products(stops), "the promotion of ", "product", "产品推广"))
    named = [each for each in counts if each[0]] or counts[:1]
    return Bilingual(
        en=" and ".join(f"{what}{many} {one}{'' if many == 1 else 's'}" for many, what, one, _ in named),
        zh="、".join(f" {many} 个{one}" for many, _, _, one in named),
    )


def _line(stop: Stop, hour: Hour | None) -> Bilingual:
    claim = stop.claim
    en, zh = (phrase(claim.kind, [claim.target], language) for language in (0, 1))
    if hour is None:
        return Bilingual(
            en=f"{en.capitalize()} ({claim.indicator}): no figures of the last hour.",
            zh=f"{zh}（{claim.indicator}）：没有最近一小时的数据。",
        )
    return Bilingual(
        en=f"{en.capitalize()} ({claim.indicator}): waiting lets {hour.clicks:,} clicks and {hour.spend:,.0f} CNY "
        f"an hour go on, stopping costs {hour.accounts:,} new accounts an hour.",
        zh=f"{zh}（{claim.indicator}）：等待则每小时继续 {hour.clicks:,} 次点击、花费 {hour.spend:,.0f} 元，"
        f"停止则每小时少开 {hour.accounts:,} 个账户。",
    )


def level(standing: Standing) -> int:
    """Each doubling of what waits calls people again."""
    return len(standing.waiting).bit_length()
