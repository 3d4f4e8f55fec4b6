"""A rule costs nothing on events that it does not use: not one of its methods is called for them."""

from collections import Counter
from typing import Any, Literal

import pytest

from schemas.base import Bilingual
from services.indicators.machine import STORES, IndicatorMachine
from services.indicators.rule import Case, Limits, Rule, Verdict, Words, doubling
from services.indicators.windows.days import Span
from tests.unit.indicators.world import HOUR, MINUTE, World

EVENTS: dict[str, tuple[str, dict[str, object]]] = {
    "clicks": ("click", {"ip": "1.1.1.1"}),
    "impressions": ("impression", {"count": 7}),
    "searches": ("search", {"product_id": "fund", "count": 5}),
    "spend_micros": ("spend", {"amount": 3}),
    "purchases": ("conversion", {"stage": "purchase", "product_id": "fund"}),
    "complaints": ("complaint_opened", {"entry": "one_click", "ip": "1.1.1.1"}),
}
SERVED = {
    "channel": ("clicks", "impressions", "spend_micros", "purchases", "complaints"),
    "product": ("searches", "purchases"),
    "actor": ("clicks", "complaints"),
}


class Counting(Rule[Any, Limits]):
    """Counts how often it is asked, and is in trouble whenever it is."""

    limits = Limits

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    def judge(self, view: Any, limits: Limits, now_ms: int) -> Verdict:
        self.asked["judge"] += 1
        return doubling(1, 1, Span(now_ms - HOUR, now_ms))

    def words(self, case: Case[Any, Limits]) -> Words:
        self.asked["words"] += 1
        return Words(Bilingual(en="Asked", zh="被问"), Bilingual(en="Asked", zh="被问"))


def counting(about: str, name: str, when: Literal["at once", "at close", "both"]) -> Counting:
    """A rule that reads one input."""

    class OfOne(Counting):
        id, subject, judged, reads = f"of_{name}", about, when, (name,)

    return OfOne()


@pytest.mark.parametrize("when", ["at once", "at close", "both"])
@pytest.mark.parametrize(("subject", "read"), [(subject, read) for subject, all_ in SERVED.items() for read in all_])
def test_nothing_is_asked_of_a_rule_for_what_it_does_not_read(
    subject: str, read: str, when: Literal["at once", "at close", "both"]
) -> None:
    rules = {name: counting(subject, name, when) for name in SERVED[subject]}
    world = World(subject, machine=IndicatorMachine(subject, 0, STORES[subject](), list(rules.values())))
    for number in range(4):
        for name in set(rules) - {read}:
            what, fields = EVENTS[name]
            own = {"complaint_id": f"c-{number}"} if name == "complaints" else {}
            world.raw(what, number * MINUTE, channel_id="douyin", **fields, **own)
        world.mark((number + 1) * 10 * MINUTE)
    assert world.machine.seen.frames >= 4
    assert rules[read].asked == {}
    told_at_close = subject != "actor" and when != "at once"
    heard_at_once = subject != "product" and when != "at close"
    siblings = [rule for name, rule in rules.items() if name != read]
    assert all(bool(rule.asked["judge"]) == (told_at_close or heard_at_once) for rule in siblings)
