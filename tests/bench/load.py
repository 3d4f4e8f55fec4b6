"""The bench's events: the mix of the targets, as bytes, seeded.

Of every type: 60 % clicks, 23 % impressions, 5 % each searches, conversions and engagements, 2 % of the rest (mentions,
spend, complaints and their answers, content, readings); 200 channels, 50 products, 65,000 addresses; event times that
move over a span, one in a hundred of them late. Calm under the default policy: one customer a channel complains.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime

CHANNELS = 200
PRODUCTS = 50
ADDRESSES = 65_000
LATE_SHARE = 0.01
LATE_SECONDS = 600

Raw = tuple[str, bytes, bytes]
"""(topic, key, value)"""


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _address(n: int) -> str:
    return f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"


def mix(count: int, start: float, span: float, seed: int, run: str = "b") -> Iterator[Raw]:
    """`count` events whose times (seconds since the epoch) move from `start` over `span`."""
    rng = random.Random(seed)
    for n in range(count):
        at = start + span * n / count
        if rng.random() < LATE_SHARE:
            at -= rng.uniform(60, LATE_SECONDS)
        yield one(rng, f"{run}-{seed}-{n}", at)


def one(rng: random.Random, event_id: str, at: float) -> Raw:
    """One event of the mix."""
    channel = f"channel-{rng.randrange(CHANNELS)}"
    product = f"product-{rng.randrange(PRODUCTS)}"
    kind = rng.random()
    topic = "channel-events"
    if kind < 0.60:
        address, account = _address(rng.randrange(ADDRESSES)), rng.randrange(500_000)
        tail = f'"type":"click","ip":"{address}","account_id":"account-{account}","link_id":"link-{rng.randrange(40)}"'
    elif kind < 0.83:
        tail = f'"type":"impression","count":{rng.randrange(1, 50)},"product_id":"{product}"'
    elif kind < 0.88:
        tail = f'"type":"search","product_id":"{product}","count":1'
    elif kind < 0.93:
        topic, stage = "conversion-events", rng.choice(("lead", "account_opened", "purchase"))
        tail = f'"type":"conversion","stage":"{stage}","product_id":"{product}"'
    elif kind < 0.98:
        tail = '"type":"engagement","kind":"like","count":1'
    else:
        topic, tail = _rare(rng, event_id, channel)
    head = f'{{"event_id":"{event_id}","occurred_at":"{_time(at)}","channel_id":"{channel}"'
    return topic, channel.encode(), f"{head},{tail}}}".encode()


_BODY = "本产品为净值型理财，收益随市场波动。投资有风险，历史业绩不代表未来表现。" * 8


def _rare(rng: random.Random, event_id: str, channel: str) -> tuple[str, str]:
    """Topic and fields of an event of the other types."""
    kind = rng.random()
    if kind < 0.45:
        mood = "negative" if rng.random() < 0.002 else rng.choice(("neutral", "positive"))
        return "mention-events", f'"type":"mention","sentiment":"{mood}","source":"weibo","text":"还不错"'
    if kind < 0.85:
        return "channel-events", f'"type":"spend","amount":{rng.randrange(1, 400) / 100}'
    if kind < 0.92:
        return "complaint-events", (
            f'"type":"complaint_opened","complaint_id":"c-{event_id}","entry":"branch","account_id":"one-of-{channel}"'
        )
    if kind < 0.98:
        return "complaint-events", f'"type":"complaint_answered","complaint_id":"c-{event_id}"'
    if kind < 0.9999:
        return "channel-events", (
            f'"type":"content_published","content_id":"t-{event_id}","body":"{_BODY}","disclosure_share":0.3,'
            f'"disclosure_font_ratio":2.0,"reviewers":["wang","li"]'
        )
    return "market-events", '"type":"rate","series":"lpr_1y","month":"2026-10","percent":3.0'


def complaint(event_id: str, channel: str, at: float) -> Raw:
    """One complaint of a new customer."""
    value = (
        f'{{"event_id":"{event_id}","occurred_at":"{_time(at)}","channel_id":"{channel}","type":"complaint_opened",'
        f'"complaint_id":"{event_id}","entry":"hotline","account_id":"person-{event_id}"}}'
    )
    return "complaint-events", channel.encode(), value.encode()


def hourly(channel: str, at: float, event_id: str) -> Iterator[Raw]:
    """What keeps a channel's hour alive in the history: an impression and a purchase."""
    head = f'"occurred_at":"{_time(at)}","channel_id":"{channel}"'
    yield (
        "channel-events",
        channel.encode(),
        f'{{"event_id":"{event_id}-i",{head},"type":"impression","count":5}}'.encode(),
    )
    yield (
        "conversion-events",
        channel.encode(),
        f'{{"event_id":"{event_id}-p",{head},"type":"conversion","stage":"purchase"}}'.encode(),
    )
