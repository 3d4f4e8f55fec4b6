"""What a scan costs: a thousand phrases, a text of a thousand characters, some of it forbidden."""

import random
import timeit

from schemas.content import ContentPolicy, Phrase
from services.scanning.report import Figures, Material
from services.scanning.scanner import Scanner

MAX_US = 200
COMMON = (
    "本产品由银行发行理财基金收益率市场波动风险提示客户购买期限赎回申购费用说明书管理人托管净值型开放式每日交易时间"
)


def thousand() -> list[Phrase]:
    """Phrases of two to six characters that share their beginnings with ordinary text."""
    dice = random.Random(4)
    texts = {"".join(dice.choices(COMMON, k=dice.randint(3, 6))) + dice.choice("赚赔保稳") for _ in range(1200)}
    return [Phrase(text=text, instead="…") for text in sorted(texts)[:1000]]


def text_of(length: int, phrases: list[Phrase]) -> str:
    """Ordinary text with signs and sentences, and a forbidden phrase every 500 characters."""
    dice = random.Random(7)
    drawn = [dice.choice("，、。 ！") if dice.random() < 0.1 else dice.choice(COMMON) for _ in range(length)]
    for at in range(100, length, 500):
        drawn[at : at + 7] = dice.choice(phrases).text.ljust(7, "。")
    return "".join(drawn)[:length]


def test_a_thousand_phrases_cost_under_200_us_for_a_thousand_characters() -> None:
    """The best of many rounds, until one is good: what else the machine does can only make a round slower."""
    phrases = thousand()
    scanner, material = Scanner(ContentPolicy(phrases=phrases)), Material(body=text_of(1000, phrases))
    found = scanner.scan(material, Figures()).findings
    assert (len(phrases), len(material.body)) == (1000, 1000)
    assert len([one for one in found if one.kind == "phrase"]) >= 2
    figures, best_us = Figures(), float("inf")
    for _ in range(100):
        rounds = timeit.repeat(lambda: scanner.scan(material, figures), number=10, repeat=20)
        best_us = min(best_us, min(rounds) / 10 * 1e6)
        if best_us < MAX_US:
            break
    print(f"{best_us:.0f} µs a text")
    assert best_us < MAX_US
