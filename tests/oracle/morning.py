"""The story that the faults are thrown at: calm traffic, incidents of every kind at several levels, near misses."""

from typing import Any

from tests.oracle.scenario import Script

HOUR, MINUTE = 3600, 60
GOOD = "投资有风险，历史业绩不代表未来表现。"


def morning(seed: int, events: int = 200_000) -> Script:
    """Three hours of a Monday, with the day before of some products and the week before of some channels."""
    script = Script(seed)
    script.calm(events, [f"c{n}" for n in range(20)])
    _channels(script)
    _clicks(script)
    _floods(script)
    _unanswered(script)
    _searches(script)
    _weeks(script)
    _texts(script)
    _mentions(script)
    _readings(script)
    return script


def _channels(script: Script) -> None:
    span = script.hours * HOUR
    for n, count in enumerate((19, 20, 45, 90)):
        script.complaints(f"volume-{n}", count, start=600 + 300 * n, every=span / 400)
    script.complaints("loud-person", 60, start=900, every=20, account_id="one-person")
    script.complaints("anonymous", 60, start=900, every=20, account_id=None, ip=None, entry="one_click")
    for n, count in enumerate((4, 9, 24)):
        script.purchases(f"rate-{n}", 300, start=0, every=span / 301)
        script.complaints(f"rate-{n}", count, start=3600, every=60)


def _clicks(script: Script) -> None:
    for n, (count, accounts) in enumerate(((99, 3), (120, 3), (260, 10), (450, 40))):
        names = [f"bot-{n}-{m}" for m in range(accounts)]
        script.clicks(f"203.0.113.{n + 1}", count, start=2000 + 1500 * n, within=50, accounts=names)


def _floods(script: Script) -> None:
    """Addresses that complain by one click: how often, how far apart, with how many accounts."""
    for n, (count, every, accounts) in enumerate(((4, 30, 1), (6, 40, 2), (11, 25, 11), (21, 15, 5), (30, 200, 1))):
        for m in range(count):
            script.add(
                "complaint_opened",
                1000 + 900 * n + every * m,
                f"flooded-{n}",
                complaint_id=f"flood-{n}-{m}",
                entry="one_click",
                ip=f"198.51.100.{n + 1}",
                account_id=f"flood-{n}-{m % accounts}",
            )


def _unanswered(script: Script) -> None:
    """Complaints of high-net-worth clients: when opened and when answered, minutes from the start."""
    cases = ((10, None), (15, 125), (20, 50), (25, 165), (7, 5), (30, 31), (40, None))
    for n, (opened, answered) in enumerate(cases):
        common = {"complaint_id": f"waiting-{n}"}
        script.add("complaint_opened", opened * MINUTE, "private", **common, entry="branch", segment="high_net_worth")
        if answered is not None:
            script.add(("complaint_answered", "complaint_closed")[n % 2], answered * MINUTE, **common)


def _searches(script: Script) -> None:
    """Hourly figures of three products since the day before; then fear, mere interest, and a good hour."""
    for n, (searches, bought) in enumerate(((300, 2), (300, 30), (180, 2))):
        for hour in range(-24, 3):
            hot = hour == 1
            for channel in ("market", "square"):
                shown = {"product_id": f"product-{n}"}
                script.add("search", hour * HOUR + 60, channel, **shown, count=searches // 2 if hot else 50)
                for m in range(bought // 2 if hot else 5):
                    script.add("conversion", hour * HOUR + 120 + m, channel, **shown, stage="purchase")


def _weeks(script: Script) -> None:
    """Everyday figures of nine channels for a week, all days alike; and then too much, or a little too much, is
    spent, clicked and shown for what comes of it."""
    hours = (*range(-168, -24, 6), *range(-24, 3))
    much, little = (75_000, 12_000, 80_000), (3_000, 1_200, 12_000)
    for n, (spent, clicked, shown) in enumerate((much, little, much)):
        for hour in hours:
            at, hot = hour * HOUR + 90, hour == 0
            script.add("spend", at, f"dear-{n}", amount=1250.0 + spent * hot)
            script.add("click", at, f"selling-{n}", count=200 + clicked * hot)
            script.add("impression", at, f"watched-{n}", count=2000 + shown * hot)
            script.add("engagement", at, f"watched-{n}", kind="like", count=200)
            for m in range(5):
                script.add("conversion", at + m, f"dear-{n}", stage="account_opened")
            script.purchases(f"selling-{n}", 8, start=at, every=1)


def _texts(script: Script) -> None:
    """Texts online, each taken off within half an hour, so that nobody has to be called."""
    cases: tuple[dict[str, Any], ...] = (
        {"body": "稳赚不赔！" + GOOD},
        {"body": "不承诺保本保收益。" + GOOD},
        {"body": "保本保收益。" + GOOD},
        {"body": "稳健理财。投资有风险。"},
        {"body": GOOD, "reviewers": ["wang", "wang"]},
        {"body": GOOD, "disclosure_share": 0.1},
        {"body": GOOD, "disclosure_share": 0.15, "disclosure_font_ratio": 1.5},
    )
    for n, case in enumerate(cases):
        at, common = 1200 + 900 * n, {"content_id": f"text-{n}"}
        script.add("content_published", at, "market", **common, **{"reviewers": ["wang", "li"]} | case)
        script.add("content_removed", at + 15 * MINUTE, "market", **common)


def _mentions(script: Script) -> None:
    """More good ones than bad ones until the bad ones are too many."""
    for n in range(500):
        script.add("mention", 20 * n, sentiment=("positive", "neutral")[n % 2], source="weibo")
    for n in range(230):
        script.add("mention", 3000 + 30 * n, sentiment="negative", source="zhihu", text="退钱")


def _readings(script: Script) -> None:
    """A rate that rises by 60 points, told out of order; one by exactly 50; one that nobody judges; and weak growth."""
    for n, (series, percents) in enumerate(
        (("lpr_1y", (3.0, 3.6, 3.2)), ("lpr_5y", (3.5, 4.0, 3.7)), ("x", (1, 9, 5)))
    ):
        for m, (month, percent) in enumerate(zip((9, 11, 10), percents, strict=True)):
            at = 1000 + 400 * m + 100 * n
            script.add("rate", at, series=series, month=f"2026-{month:02d}", percent=float(percent))
    script.add("gdp_growth", 2000, quarter="2026-Q2", percent=5.0)
    script.add("gdp_growth", 3000, quarter="2026-Q3", percent=4.8)
    script.add("policy_change", 4000, title="A cooling-off period")
