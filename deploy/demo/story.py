"""The day that `make demo` tells: calm traffic, then one incident for each indicator. Pure."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from deploy.demo.stories import CHANNELS, Event, Source

SHANGHAI = ZoneInfo("Asia/Shanghai")
COMPLAINED_OF, FARMED, UNSOUND = "douyin", "kuaishou", "weibo"
FARM_ADDRESS = "203.0.113.7"


@dataclass(frozen=True)
class Moment:
    """Something that happens in the story, for the timeline."""

    at: datetime
    what: str


@dataclass(frozen=True)
class Day:
    """All events of the day in order, and what a person would say happened."""

    begins: datetime
    ends: datetime
    events: list[Event]
    moments: list[Moment]


def at_hour(day: datetime, hour: float) -> datetime:
    """A time of the day."""
    return day + timedelta(hours=hour)


def tell(day: datetime, run: str, rate: float = 0.15) -> Day:
    """The story of the Shanghai day that begins with `day` (its midnight), told from 8 o'clock to past midnight."""
    source = Source(run, random.Random(7))
    begins, ends = at_hour(day, 8), at_hour(day, 24.5)
    events = list(source.calm(begins, (ends - begins).total_seconds(), rate))
    events += source.complaints(at_hour(day, 10), 3000, COMPLAINED_OF, 24)
    events += source.click_farm(at_hour(day, 13), FARMED, 160, FARM_ADDRESS)
    events += source.purchases(at_hour(day, 8), 15 * 3600, UNSOUND, 150)
    events += source.complaints(at_hour(day, 16), 4 * 3600, UNSOUND, 13)
    events.sort(key=lambda event: str(event["occurred_at"]))
    moments = [
        Moment(begins, f"calm traffic on {len(CHANNELS)} channels"),
        Moment(at_hour(day, 10), f"customers begin to complain about {COMPLAINED_OF}, one every two minutes"),
        Moment(at_hour(day, 13), f"160 clicks on {FARMED} from one address within 40 seconds"),
        Moment(at_hour(day, 16), f"complaints about {UNSOUND}, where few people buy"),
        Moment(at_hour(day, 24), "midnight in Shanghai"),
    ]
    return Day(begins, ends, events, moments)


def yesterday(now: datetime) -> datetime:
    """Midnight at which the last whole day of Shanghai began."""
    return (now.astimezone(SHANGHAI) - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
