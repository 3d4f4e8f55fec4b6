"""The bench's events: the mix of the targets, as bytes, seeded.

60 % click, 25 % impression, 5 % each search, conversion and engagement; 200 channels, 50 products, 65,000 addresses;
event times that move over a span, one in a hundred of them late.
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
    kind = rng.random()
    head = f'{{"event_id":"{event_id}","occurred_at":"{_time(at)}","channel_id":"{channel}"'
    topic = "channel-events"
    if kind < 0.60:
        address, account = _address(rng.randrange(ADDRESSES)), rng.randrange(500_000)
        tail = f'"type":"click","ip":"{address}","account_id":"account-{account}","link_id":"link-{rng.randrange(40)}"'
    elif kind < 0.85:
        tail = f'"type":"impression","count":{rng.randrange(1, 50)}'
    elif kind < 0.90:
        tail = f'"type":"search","product_id":"product-{rng.randrange(PRODUCTS)}","count":1'
    elif kind < 0.95:
        topic, stage = "conversion-events", rng.choice(("lead", "account_opened", "purchase"))
        tail = f'"type":"conversion","stage":"{stage}","product_id":"product-{rng.randrange(PRODUCTS)}"'
    else:
        tail = '"type":"engagement","kind":"like","count":1'
    return topic, channel.encode(), f"{head},{tail}}}".encode()


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
