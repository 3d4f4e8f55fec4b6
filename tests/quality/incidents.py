"""The incidents of a story, of every kind, and the near misses beside them; each on a subject of its own.

The traffic begins on day 0, so that a week is known when things go wrong on day 8 and after.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from services.ingest.frames.pseudonyms import Pseudonyms, normal_address
from tests.quality.channels import Change, Channel
from tests.quality.labels import Incident, NearMiss
from tests.quality.rhythm import PANES_A_DAY
from tests.quality.story import KEY, Story

DAYS: Final = 12
DAY: Final = 8
"""On which things go wrong."""
HOUR: Final = 3_600_000
OFFICE: Final = "203.0.113.0/24"
"""An office, which the policy knows."""
_LASTS: Final = 30 * 12
"""Panes that a change of a ratio lasts."""
_TO_CLOSE: Final = 6 * 60_000
"""A pane and what it takes to close it."""
_PROMPTS: Final = "投资有风险，入市需谨慎。历史业绩不代表未来表现。"

Label = Incident | NearMiss
Labels = Iterator[Label]


def actor(ip: str) -> str:
    """The subject of an address."""
    return f"actor:{Pseudonyms(KEY, 'ip').of(normal_address(ip)).hex()}"


def all_of(story: Story) -> list[Label]:
    """Tells the whole story, and what is true of it."""
    return [label for tell in _TELLERS for label in tell(story)]


def _hour(story: Story) -> float:
    return float(story.random.uniform(9, 15))


def _change(hour: float, factors: dict[str, float], since_day: int = 0, lasts: int = _LASTS) -> Change:
    first = (DAY - since_day) * PANES_A_DAY + int(hour * 12)
    return Change(first, first + lasts, factors)


def _near(story: Story, indicator: str, subject: str, kind: str) -> NearMiss:
    return NearMiss(indicator, subject, kind, story.at(DAY, 0), story.at(DAYS - 1, 24))


# -- complaints


def complaint_volume(story: Story) -> Labels:
    """Exactly as many as it takes; many more; some that arrive an hour late. One short, one person, a prank."""
    for name, number, over_h, late in (("just", 20, 9, 0), ("far", 47, 2, 0), ("late", 24, 5, 55 * 60_000)):
        began = story.at(DAY, story.random.uniform(9, 12))
        arrived = sorted(
            story.complain(
                began + round(float(story.random.uniform(0, over_h)) * HOUR),
                f"volume-{name}",
                late_by=int(story.random.integers(0, late)) if late else None,
            )
            for _ in range(number)
        )
        subject = f"channel:volume-{name}"
        level = number // 40 + 1
        since = arrived[20 * level - 1]
        yield Incident("complaint_volume", subject, name, since, since, level, harm=frozenset({"pause"}))
    near: tuple[tuple[str, int, dict[str, Any]], ...] = (("19", 19, {}), ("one person", 40, {"account_id": "angry"}))
    for kind, number, said in near:
        channel = f"volume-{kind.replace(' ', '-')}"
        for n in range(number):
            story.complain(story.at(DAY, 9 + n / 8), channel, **said)
        yield _near(story, "complaint_volume", f"channel:{channel}", kind)
    for n in range(60):
        address: dict[str, Any] = {"account_id": None, "ip": f"198.51.100.{n}", "entry": "one_click"}
        story.complain(story.at(DAY, 9 + n / 8), "volume-prank", **address)
    yield _near(story, "complaint_volume", "channel:volume-prank", "a prank of 60 addresses")


def complaint_rate(story: Story) -> Labels:
    """Clearly over each of the two figures, and at 1.9 %."""
    for kind, purchases, number, level, harm in (
        ("slow", 400, 14, 1, "throttle"),
        ("stop", 200, 18, 2, "pause"),
        ("1.9 %", 1000, 19, 0, ""),
    ):
        name = f"rate-{purchases}"
        story.steady(Channel(name, clicks=purchases * 20.0, account=0.0), DAY - 3)
        begins, hours = story.at(DAY, _hour(story)), 4
        for n in range(number):
            story.complain(begins + round(n / number * hours * HOUR), f"rate-{purchases}")
        subject = f"channel:{name}"
        if level:
            due = begins + hours * HOUR + _TO_CLOSE
            yield Incident("complaint_rate", subject, kind, begins, due, level, harm=frozenset({harm, "throttle"}))
        else:
            yield _near(story, "complaint_rate", subject, kind)


def complaint_sla(story: Story) -> Labels:
    """A complaint that waits for 51 hours, and one of a wealthy client for 2½; others that are answered in time."""
    wealthy = {"segment": "high_net_worth"}
    for name, hours, limit, said in (("slow", 51.0, 48, {}), ("rich", 2.5, 2, wealthy)):
        opened = story.at(DAY, _hour(story))
        story.complain(opened, "sla", answered_h=hours, complaint_id=name, **said)
        due = opened + limit * HOUR
        yield Incident("complaint_sla", f"complaint:{name}", name, due, due + 2 * 60_000)
    for name, hours, said in (("in-time", 47.8, {}), ("rich-in-time", 1.9, wealthy)):
        story.complain(story.at(DAY, _hour(story)), "sla", answered_h=hours, complaint_id=name, **said)
        yield _near(story, "complaint_sla", f"complaint:{name}", name)
    opened = story.at(DAY, 10)
    story.add("complaint_answered", opened + HOUR, opened + HOUR, complaint_id="answered-first")
    story.add(
        "complaint_opened", opened, opened + 2 * HOUR, channel_id="sla", complaint_id="answered-first", entry="branch"
    )
    yield _near(story, "complaint_sla", "complaint:answered-first", "the answer comes first")


def complaint_flood(story: Story) -> Labels:
    """Five by one click in nine minutes, twelve with an account; four, or a dozen spread over hours."""
    for n, (kind, number, minutes, found) in enumerate(
        (("just", 5, 9.0, True), ("far", 12, 6.0, True), ("4", 4, 5.0, False), ("slow", 12, 240.0, False))
    ):
        ip, begins = f"198.18.0.{n}", story.at(DAY, _hour(story))
        arrived = [
            story.complain(
                begins + round(k / number * minutes * 60_000),
                f"flood-{n}",
                ip=ip,
                entry="one_click",
                account_id="flooder" if kind == "far" else None,
            )
            for k in range(number)
        ]
        if found:
            level = number // 10 + 1
            since = sorted(arrived)[5 * level - 1]
            yield Incident("complaint_flood", actor(ip), kind, since, since, level)
        else:
            yield _near(story, "complaint_flood", actor(ip), kind)


# -- clicks


def click_fraud(story: Story) -> Labels:
    """A hundred clicks in 58 seconds, many with one account; 99 of them, a patient person, an office."""
    for n, (kind, number, seconds, found) in enumerate(
        (("just", 100, 58, True), ("far", 260, 40, True), ("99", 99, 58, False), ("patient", 300, 900, False))
    ):
        ip = f"198.18.1.{n}"
        arrived = sorted(_clicks(story, ip, number, seconds, "clicker" if kind == "far" else None))
        if found:
            level = number // 200 + 1
            since = arrived[100 * level - 1]
            yield Incident("click_fraud", actor(ip), kind, since, since, level)
        else:
            yield _near(story, "click_fraud", actor(ip), kind)
    _clicks(story, "203.0.113.7", 500, 50, None)
    yield _near(story, "click_fraud", actor("203.0.113.7"), "an office")


def _clicks(story: Story, ip: str, number: int, seconds: int, account: str | None) -> list[int]:
    begins = story.at(DAY, _hour(story))
    said: dict[str, Any] = {} if account is None else {"account_id": account}
    return [
        story.add(
            "click", begins + round(n / number * seconds * 1000), channel_id="app", ip=ip, link_id=f"l-{n % 3}", **said
        )
        for n in range(number)
    ]


# -- ratios against the week before


def against_the_week(story: Story) -> Labels:
    """Accounts about twice as dear, or over the ceiling, or far cheaper; purchases and engagement about halved."""
    for indicator, kind, measure, factor, good in (
        ("cac_spike", "rise", "accounts_opened", (0.45, 0.6), False),
        ("cac_spike", "fall", "accounts_opened", (1.6, 2.0), True),
        ("conversion_drop", "half", "purchases", (0.4, 0.55), False),
        ("engagement_drop", "half", "engagements", (0.3, 0.45), False),
    ):
        name, hour = f"{indicator}-{kind}", _hour(story)
        change = _change(hour, {measure: float(story.random.uniform(*factor))})
        story.traffic(Channel(name, clicks=8000, account=0.03), 0, [change])
        since = story.at(DAY, hour)
        harm = frozenset({"throttle", "escalate", "nothing"})
        yield Incident(indicator, f"channel:{name}", kind, since, since + 24 * HOUR + _TO_CLOSE, good=good, harm=harm)
    story.traffic(Channel("dear", clicks=6000, account=0.03, cost=0.03 * 520), DAY - 1)
    since = story.at(DAY - 1, 0)
    yield Incident("cac_spike", "channel:dear", "ceiling", since, since + 24 * HOUR, harm=frozenset({"throttle"}))


def near_the_week(story: Story) -> Labels:
    """Like clockwork just under each figure; sales that seem to stop with their feed; a campaign."""
    for indicator, kind, size, factors in (
        ("cac_spike", "19 %", Channel("near-cac", 60_000, account=0.03, purchase=0.0), {"accounts_opened": 1 / 1.19}),
        ("conversion_drop", "29 %", Channel("near-conversion", 20_000, account=0.0), {"purchases": 0.71}),
        (
            "engagement_drop",
            "39 %",
            Channel("near-engagement", 20_000, account=0.0, purchase=0.0),
            {"engagements": 0.61},
        ),
    ):
        story.steady(size, 0, [_change(0, factors)])
        yield _near(story, indicator, f"channel:{size.name}", kind)
    dies = DAY * PANES_A_DAY + int(_hour(story) * 12)
    story.traffic(Channel("dead-feed", 8000), dead=[range(dies, dies + 9 * 12)])
    campaign = _change(9, {"clicks": 3.0, "purchases": 0.95, "accounts_opened": 0.97})
    story.traffic(Channel("campaign", 8000), changes=[campaign])
    for channel, kind in (("dead-feed", "a feed that dies for nine hours"), ("campaign", "a campaign")):
        for indicator in ("conversion_drop", "cac_spike"):
            yield _near(story, indicator, f"channel:{channel}", kind)


# -- products, brand, market, content


def search_divergence(story: Story) -> Labels:
    """Searches three times as many of which a third still buy; nearly twice as many; many who still buy."""
    for kind, searches, purchases, found in (
        ("fear", 3.0, 0.3, True),
        ("x1.9", 1.9, 0.3, False),
        ("fall29", 3.0, 0.72, False),
        ("news", 6.0, 1.0, False),
    ):
        hour, since_day = _hour(story), DAY - 2
        change = _change(hour, {"searches": searches, "purchases": purchases}, since_day, 36 if found else 12)
        story.product(f"product-{kind}", since_day, 9600, 0.1, [change])
        subject, since = f"product:product-{kind}", story.at(DAY, hour)
        if found:
            due, harm = since + HOUR + _TO_CLOSE, frozenset({"pause"})
            yield Incident("search_divergence", subject, kind, since, due, harm=harm)
        else:
            yield _near(story, "search_divergence", subject, kind)


def negative_sentiment(story: Story) -> Labels:
    """A day of 130 angry mentions among many, one on which six in ten are; before them 100, and 39 %."""
    for day, negative, others, kind in (
        (6, 100, 300, "100"),
        (7, 39, 61, "39 %"),
        (8, 130, 500, "count"),
        (9, 50, 30, "share"),
    ):
        arrived = _mentions(story, day, negative, others)
        if day < DAY:
            yield NearMiss("negative_sentiment", "brand:all", kind, story.at(day, 0), story.at(day + 1, 0))
        elif kind == "count":
            yield Incident("negative_sentiment", "brand:all", kind, arrived[100], arrived[100])
        else:
            yield Incident("negative_sentiment", "brand:all", kind, story.at(day, 9), max(arrived) + _TO_CLOSE)
    for day in (3, 4, 5, 10, 11):
        _mentions(story, day, int(story.random.poisson(6)), int(story.random.poisson(60)))


def _mentions(story: Story, day: int, negative: int, others: int) -> list[int]:
    """Mentions of a day, evenly mixed; when the negative ones arrive."""
    number, arrived = negative + others, []
    for n in range(number):
        mood = "negative" if (n + 1) * negative // number > n * negative // number else "neutral"
        at = story.at(day, 9) + round(n / number * 10 * HOUR)
        text: dict[str, Any] = {"text": "亏得太多，客服不理人"} if mood == "negative" else {}
        arrives = story.add("mention", at, sentiment=mood, source="weibo", **text)
        if mood == "negative":
            arrived.append(arrives)
    return sorted(arrived)


def market_volatility(story: Story) -> Labels:
    """55 basis points in three readings, growth of 4.8 %, a change of policy; 50 points, and 5.0 %."""
    at = story.at(DAY, 9.5)
    for series, last, found in (("lpr_1y", 3.55, True), ("lpr_5y", 3.5, False)):
        arrived = [
            story.add("rate", at + n * 60_000, series=series, month=f"2026-0{n + 1}", percent=percent)
            for n, percent in enumerate((3.0, 3.2, last))
        ]
        subject = f"market:{series}"
        if found:
            yield Incident(
                "market_volatility",
                subject,
                "rate",
                max(arrived),
                max(arrived),
                harm=frozenset({"escalate", "throttle"}),
            )
        else:
            yield _near(story, "market_volatility", subject, "50 bp")
    story.add("gdp_growth", story.at(DAY - 1, 10), quarter="2026-Q1", percent=5.0)
    yield NearMiss("market_volatility", "market:gdp", "5.0 %", story.at(DAY - 1, 0), story.at(DAY, 0))
    arrived_ms = story.add("gdp_growth", story.at(DAY, 10), quarter="2026-Q2", percent=4.8)
    yield Incident(
        "market_volatility", "market:gdp", "growth", arrived_ms, arrived_ms, harm=frozenset({"escalate", "throttle"})
    )
    told = story.add("policy_change", story.at(DAY, 11), title="理财业务管理办法修订")
    yield Incident("market_volatility", "market:policy", "policy", told, told, good=True, harm=frozenset({"nothing"}))


def content_violation(story: Story) -> Labels:
    """A promise, a prompt that is missing, a disclosure too small or too short, one reviewer; and clean ones."""
    for kind, changed in (
        ("promise", {"body": f"本产品保 本 保 收 益。{_PROMPTS}"}),
        ("prompt", {"body": "稳健理财，欢迎咨询。投资有风险。"}),
        ("share", {"disclosure_share": 0.1}),
        ("font", {"disclosure_font_ratio": 1.2}),
        ("reviewer", {"reviewers": ["ann", "ann"]}),
    ):
        arrived = _publish(story, f"bad-{kind}", **changed)
        yield Incident(
            "content_violation", f"content:bad-{kind}", kind, arrived, arrived, harm=frozenset({"take_down"})
        )
    for kind, body in (
        ("denial", f"本产品不保本，我行不承诺保本保收益。{_PROMPTS}"),
        ("insurance", f"投保本险种前请仔细阅读条款。{_PROMPTS}"),
        ("figures", f"近一年业绩比较基准 3.1%。{_PROMPTS}"),
    ):
        _publish(story, f"clean-{kind}", body=body)
        yield _near(story, "content_violation", f"content:clean-{kind}", kind)


def _publish(story: Story, content: str, **changed: Any) -> int:
    said: dict[str, Any] = {
        "body": f"稳健理财，欢迎咨询。{_PROMPTS}",
        "disclosure_share": 0.2,
        "disclosure_font_ratio": 1.6,
        "reviewers": ["ann", "bo"],
    } | changed
    return story.add("content_published", story.at(DAY, _hour(story)), channel_id="app", content_id=content, **said)


_TELLERS: Final[tuple[Callable[[Story], Labels], ...]] = (
    complaint_volume,
    complaint_rate,
    complaint_sla,
    complaint_flood,
    click_fraud,
    against_the_week,
    near_the_week,
    search_divergence,
    negative_sentiment,
    market_volatility,
    content_violation,
)
