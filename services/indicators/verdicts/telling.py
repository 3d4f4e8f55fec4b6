"""What people read of an episode besides the rule's own words: what was ordered, and that it is over."""

from collections.abc import Sequence

from schemas import wording
from schemas.base import Bilingual, Maturity
from services.indicators.rule import Order
from services.indicators.verdicts.episodes import Episode
from services.indicators.verdicts.tuning import Tuned


def joined(*parts: Bilingual) -> Bilingual:
    """Sentences one after the other."""
    return Bilingual(en=" ".join(each.en for each in parts if each.en), zh="".join(each.zh for each in parts))


def ordered(tuned: Tuned, orders: Sequence[Order]) -> Bilingual:
    """What happens to these orders: done by itself, waiting for a person, or not given at all."""
    if not tuned.maturity:
        return Bilingual(en="This indicator only tells; decide what to do.", zh="该指标只告警，请人工处置。")
    if not orders:
        return Bilingual(en="", zh="")
    by_maturity: dict[Maturity, list[Order]] = {}
    for order in orders:
        by_maturity.setdefault(tuned.maturity[order.action], []).append(order)
    wording: tuple[tuple[Maturity, str, str], ...] = (
        ("auto", "Tidegate orders now: {}.", "系统已自动下令：{}。"),
        ("approve", "Waiting for your approval: {}.", "等待人工批准：{}。"),
        ("notify", "Not ordered, by policy: {}.", "按策略仅通知、未下令：{}。"),
    )
    said = [
        Bilingual(en=en.format("; ".join(_list(found, 0))), zh=zh.format("；".join(_list(found, 1))))
        for maturity, en, zh in wording
        if (found := by_maturity.get(maturity))
    ]
    return joined(*said)


def _list(orders: Sequence[Order], language: int) -> list[str]:
    """One phrase for each action, in the order in which the rule named them."""
    phrases = []
    for action in dict.fromkeys(order.action for order in orders):
        same = [order for order in orders if order.action == action]
        targets = list(dict.fromkeys(order.target for order in same))
        phrase = wording.phrase(action, targets, language)
        if same[0].factor is not None:
            phrase += f"{(' to ', '至 ')[language]}{same[0].factor:.0%}"
        phrases.append(phrase)
    return phrases


def over(episode: Episode, at: str, value: str) -> Bilingual:
    """The end of an episode; `at` is a time of day, `value` what the indicator stands at."""
    if episode.tripped_ms is None:
        return Bilingual(en="Over without having tripped.", zh="已恢复，未触发。")
    if episode.over:
        return joined(Bilingual(en="Over: the day has ended.", zh="当日已结束，告警关闭。"), _held(episode))
    return joined(Bilingual(en=f"Over at {at}, now at {value}.", zh=f"{at} 已恢复，当前值 {value}。"), _held(episode))


def switched_off(policy: str, episode: Episode) -> Bilingual:
    """An episode that ended because the policy no longer wants the indicator to speak of this subject."""
    closed = Bilingual(
        en=f"Closed because policy {policy} switched this indicator off here.",
        zh=f"策略 {policy} 已对该对象停用此指标，告警关闭。",
    )
    return joined(closed, _held(episode))


def _held(episode: Episode) -> Bilingual:
    """What becomes of that to which the episode came: nobody but a person lifts it."""
    if episode.ordered:
        return Bilingual(en="What was ordered stays in force until it is lifted.", zh="已下达的措施在解除前继续有效。")
    return Bilingual(en="Nothing was ordered.", zh="未下达任何措施。")


def figure(value: float) -> str:
    """A number as in a sentence: a share in per cent, a count as it is."""
    return f"{value:.1%}" if 0 < abs(value) < 1 else f"{value:,.0f}"
