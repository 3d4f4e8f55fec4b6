"""The days that `make demo` tells: calm traffic and what goes wrong in it, a few things or all. Pure."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from deploy.demo import incidents
from deploy.demo.history import ENGAGING, EXPENSIVE, SEARCHED, SELLING, hourly
from deploy.demo.stories import Event, Source

SHANGHAI = ZoneInfo("Asia/Shanghai")
COMPLAINED_OF, FARMED, UNSOUND, FLOODED, QUIET = "douyin", "kuaishou", "weibo", "wechat", "branches"
SLOWED = "kuaishou"
BURST = ("wechat", "xiaohongshu", "bilibili", "own-app", "branches")
FARM_ADDRESS, FLOOD_ADDRESS = "203.0.113.7", "203.0.113.8"
BEGINS, ENDS = 8.0, 24.5
"""Hours of the day."""


@dataclass(frozen=True)
class Day:
    """All events in order: those of the days before, and of the day. `run` is part of every id."""

    run: str
    midnight: datetime
    before: list[Event]
    events: list[Event]

    def at(self, hour: float) -> datetime:
        """A time of the day."""
        return self.midnight + timedelta(hours=hour)

    @property
    def waiting(self) -> str:
        """The complaint that nobody answers."""
        return f"{self.run}-waiting"

    @property
    def promise(self) -> str:
        """The content that promises too much."""
        return f"{self.run}-promise"


def tell(midnight: datetime, run: str, rate: float = 0.15) -> Day:
    """The short story of the Shanghai day that begins with this midnight, told from 8 o'clock to past the next one."""
    day, source = Day(run, midnight, [], []), Source(run, random.Random(7))
    return _told(day, _few(day, source, rate))


def tell_all(midnight: datetime, run: str, rate: float = 0.15) -> Day:
    """The story in which every indicator trips and clears, with the week before it in hourly sums."""
    day, source = Day(run, midnight, [], []), Source(run, random.Random(7))
    hours = hourly(source, midnight, ENDS)
    return _told(day, [*hours, *_few(day, source, rate), *_more(day, source), *_recovering(day, source)])


def _told(day: Day, events: list[Event]) -> Day:
    begins = day.at(BEGINS)
    events.sort(key=_time)
    for event in events:
        (day.before if _time(event) < begins else day.events).append(event)
    return day


def _time(event: Event) -> datetime:
    return datetime.fromisoformat(event["occurred_at"])


def _few(day: Day, source: Source, rate: float) -> list[Event]:
    return [
        *source.calm(day.at(BEGINS), (ENDS - BEGINS) * 3600, rate),
        *incidents.complaints(source, day.at(10), 3000, COMPLAINED_OF, 24),
        *incidents.click_farm(source, day.at(13), FARMED, 160, FARM_ADDRESS),
        *incidents.conversions(source, day.at(8), 5.5 * 3600, SLOWED, 140),
        *incidents.complaints(source, day.at(13.5), 2500, SLOWED, 5),
        *incidents.conversions(source, day.at(14.5), 600, SLOWED, 400),
        *incidents.conversions(source, day.at(8), 8 * 3600, UNSOUND, 100),
        *(event for each in BURST for event in incidents.complaints(source, day.at(22.8), 600, each, 25)),
        *incidents.complaints(source, day.at(16), 4 * 3600, UNSOUND, 11),
    ]


def _more(day: Day, source: Source) -> list[Event]:
    return [
        incidents.impatient(source, day.at(9), QUIET, day.waiting),
        incidents.post(source, day.at(9.5), EXPENSIVE, day.promise),
        *incidents.flood(source, day.at(11.5), FLOODED, 6, FLOOD_ADDRESS),
        *(source.event("search", day.at(13.1 + n / 12), FLOODED, product_id=SEARCHED, count=150) for n in range(10)),
        source.event("spend", day.at(12), EXPENSIVE, amount=30_000.0),
        source.event("click", day.at(12), SELLING, count=6000),
        source.event("impression", day.at(12), ENGAGING, count=40_000),
        *incidents.anger(source, day.at(20.5), 1200, 130),
        incidents.growth(source, day.at(21), 4.6),
        incidents.policy_change(source, day.at(21.2)),
    ]


def _recovering(day: Day, source: Source) -> list[Event]:
    """What makes the alerts clear that do not by themselves."""
    return [
        source.event("complaint_answered", day.at(11.5), complaint_id=day.waiting),
        incidents.post(source, day.at(12), EXPENSIVE, day.promise, incidents.GOOD_BODY),
        *incidents.conversions(source, day.at(15.4), 600, EXPENSIVE, 100, "account_opened"),
        *incidents.conversions(source, day.at(15.4), 600, SELLING, 300),
        source.event("engagement", day.at(15.5), ENGAGING, kind="like", count=5000),
        *incidents.conversions(source, day.at(20), 1200, UNSOUND, 700),
        incidents.growth(source, day.at(22), 5.2),
    ]


def yesterday(now: datetime) -> datetime:
    """Midnight at which the last whole day of Shanghai began."""
    return (now.astimezone(SHANGHAI) - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
