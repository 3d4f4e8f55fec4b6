"""What goes wrong: events that make one indicator trip, and those that make it clear. Pure."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from deploy.demo.stories import Event, Source

GOOD_BODY = "稳健理财，适合长期持有。投资有风险，历史业绩不代表未来表现。"
BAD_BODY = "本产品稳赚不赔，错过不再有！投资有风险，历史业绩不代表未来表现。"


def complaints(source: Source, start: datetime, seconds: float, channel: str, count: int) -> Iterator[Event]:
    """Complaints of `count` different customers, spread over `seconds`."""
    for n in range(count):
        yield source.event(
            "complaint_opened",
            start + timedelta(seconds=seconds * n / count),
            channel,
            complaint_id=f"{source.run}-{channel}-{source.serial()}",
            entry=source.rng.choice(["hotline", "branch"]),
            account_id=f"customer-{source.run}-{source.serial()}",
        )


def flood(
    source: Source, start: datetime, channel: str, count: int, address: str, accounts: int = 2
) -> Iterator[Event]:
    """`count` complaints by one click from one address within four minutes, shared out among a few accounts."""
    for n in range(count):
        yield source.event(
            "complaint_opened",
            start + timedelta(seconds=240 * n / count),
            channel,
            complaint_id=f"{source.run}-flood-{source.serial()}",
            entry="one_click",
            ip=address,
            account_id=f"flood-{address}-{n % accounts}",
        )


def impatient(source: Source, at: datetime, channel: str, complaint: str) -> Event:
    """The complaint of a high-net-worth client, who is to have an answer within two hours."""
    return source.event(
        "complaint_opened", at, channel, complaint_id=complaint, entry="branch", segment="high_net_worth"
    )


def conversions(
    source: Source, start: datetime, seconds: float, channel: str, count: int, stage: str = "purchase"
) -> Iterator[Event]:
    """A steady run of purchases, or of another stage."""
    for n in range(count):
        yield source.event("conversion", start + timedelta(seconds=seconds * n / count), channel, stage=stage)


def click_farm(
    source: Source, start: datetime, channel: str, count: int, address: str, accounts: int = 3
) -> Iterator[Event]:
    """`count` clicks from one address within 40 seconds, shared out among a few accounts."""
    for n in range(count):
        yield source.event(
            "click",
            start + timedelta(seconds=40 * n / count),
            channel,
            ip=address,
            account_id=f"farm-{address}-{n % accounts}",
            link_id=f"post-{n % 2}",
        )


def post(source: Source, at: datetime, channel: str, content: str, body: str = BAD_BODY) -> Event:
    """A promotion text goes online."""
    return source.event(
        "content_published",
        at,
        channel,
        content_id=content,
        body=body,
        reviewers=["wang.fang", "li.wei"],
        disclosure_share=0.2,
        disclosure_font_ratio=1.6,
    )


def anger(source: Source, start: datetime, seconds: float, count: int) -> Iterator[Event]:
    """`count` negative mentions of the brand."""
    for n in range(count):
        at, where = start + timedelta(seconds=seconds * n / count), source.rng.choice(["weibo", "zhihu", "douyin"])
        said = source.rng.choice(["他们骗人，退钱！", "亏了这么多，要投诉", "客服一直不接电话"])
        yield source.event("mention", at, sentiment="negative", source=where, text=said)


def growth(source: Source, at: datetime, percent: float) -> Event:
    """GDP growth of the last whole quarter."""
    year, quarter = at.year, (at.month - 1) // 3
    if quarter == 0:
        year, quarter = year - 1, 4
    return source.event("gdp_growth", at, quarter=f"{year}-Q{quarter}", percent=percent)


def rates(source: Source, at: datetime, series: str, *percents: float) -> Iterator[Event]:
    """Monthly readings of a reference rate, the last one of the month before."""
    for back, percent in enumerate(reversed(percents), 1):
        months = at.year * 12 + at.month - 1 - back
        month = f"{months // 12}-{months % 12 + 1:02d}"
        yield source.event("rate", at, series=series, month=month, percent=percent)


def policy_change(source: Source, at: datetime) -> Event:
    """The regulator changes the rules."""
    return source.event("policy_change", at, title="Cooling-off period for online sales of insurance")


Kind = Callable[[Source, datetime, str], Iterable[Event]]
"""An incident that ends now on a channel, where it has one."""
_MINUTE = timedelta(minutes=1)

KINDS: dict[str, Kind] = {
    "complaints": lambda source, now, channel: complaints(source, now - _MINUTE, 55, channel, 25),
    "clicks": lambda source, now, channel: click_farm(source, now - _MINUTE, channel, 150, "203.0.113.7"),
    "rate": lambda source, now, channel: [
        *conversions(source, now - 30 * _MINUTE, 1500, channel, 150),
        *complaints(source, now - 10 * _MINUTE, 500, channel, 9),
    ],
    "flood": lambda source, now, channel: flood(source, now - 5 * _MINUTE, channel, 8, "203.0.113.8"),
    "sla": lambda source, now, channel: [
        impatient(source, now - 125 * _MINUTE, channel, f"{source.run}-reported-late"),
    ],
    "content": lambda source, now, channel: [post(source, now, channel, f"{source.run}-post")],
    "sentiment": lambda source, now, _: anger(source, now - 5 * _MINUTE, 290, 120),
    "gdp": lambda source, now, _: [growth(source, now, 4.6)],
    "lpr": lambda source, now, _: rates(source, now, "lpr_1y", 3.0, 3.3, 3.6),
    "policy_change": lambda source, now, _: [policy_change(source, now)],
}
"""What can be brought about at once on the wall clock. The comparisons with a day or a week before cannot."""
