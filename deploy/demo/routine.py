"""What happens by the clock on a calm day: complaints that are answered, clean content, mentions, monthly readings.

Calm under the default policy: nine complaints a channel and day, each answered after ten minutes, and 58 negative
mentions of 288. Beside less than three events a second of other traffic so many complaints would be a high rate.
"""

import math
from collections.abc import Iterator
from datetime import UTC, datetime

from deploy.demo import incidents
from deploy.demo.stories import CHANNELS, PRODUCTS, SEGMENTS, Event, Source

SLOT_S = 300
_ANSWERED_AFTER = 2
"""Slots."""
_EVERY_COMPLAINT, _EVERY_POST, _EVERY_READING = 4, 6, 72


def routine(source: Source, start: datetime, seconds: float) -> Iterator[Event]:
    """What is due from `start` on for so long, at the beginnings of slots of five minutes."""
    begins, ends = (math.ceil(each / SLOT_S) for each in (start.timestamp(), start.timestamp() + seconds))
    for slot in range(begins, ends):
        yield from _due(source, slot)


def readings(source: Source, at: datetime) -> Iterator[Event]:
    """Of the market, all as it should be."""
    yield from incidents.rates(source, at, "lpr_1y", 3.0, 3.0, 3.0)
    yield from incidents.rates(source, at, "lpr_5y", 3.5, 3.5, 3.5)
    yield incidents.growth(source, at, 5.2)


def _due(source: Source, slot: int) -> Iterator[Event]:
    at = datetime.fromtimestamp(slot * SLOT_S, UTC)
    yield _mention(source, slot, at)
    if slot % _EVERY_COMPLAINT == 0:
        yield _complaint(source, slot, at)
    if slot % _EVERY_COMPLAINT == _ANSWERED_AFTER:
        yield source.event("complaint_answered", at, complaint_id=_complaint_id(slot - _ANSWERED_AFTER))
    if slot % _EVERY_POST == 0:
        number = slot // _EVERY_POST
        channel, product = CHANNELS[number % len(CHANNELS)], PRODUCTS[number % len(PRODUCTS)]
        yield incidents.post(source, at, channel, f"post-{slot}", incidents.GOOD_BODY) | {"product_id": product}
    if slot % _EVERY_READING == 0:
        yield from readings(source, at)


def _mention(source: Source, slot: int, at: datetime) -> Event:
    sentiment = "negative" if slot % 5 == 0 else source.rng.choice(["positive", "neutral", "neutral"])
    where, product = source.rng.choice(["weibo", "zhihu", "douyin"]), source.rng.choice(PRODUCTS)
    return source.event("mention", at, sentiment=sentiment, source=where, product_id=product)


def _complaint(source: Source, slot: int, at: datetime) -> Event:
    number = slot // _EVERY_COMPLAINT
    return source.event(
        "complaint_opened",
        at,
        CHANNELS[number % len(CHANNELS)],
        complaint_id=_complaint_id(slot),
        entry=source.rng.choice(["hotline", "branch", "one_click"]),
        account_id=f"customer-{slot}",
        product_id=PRODUCTS[number % len(PRODUCTS)],
        segment=list(SEGMENTS)[number % len(SEGMENTS)],
    )


def _complaint_id(slot: int) -> str:
    """The same whoever asks, so that one is answered although the traffic was begun anew."""
    return f"routine-{slot}"
