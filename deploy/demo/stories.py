"""Events for demonstrations: calm traffic, and one incident for each indicator. Pure; time and chance come in."""

import random
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

Event = dict[str, Any]
CHANNELS = ("douyin", "kuaishou", "wechat", "weibo", "xiaohongshu", "bilibili", "own-app", "branches")
PRODUCTS = ("stable-income-fund", "growth-fund", "term-deposit", "endowment-insurance")


class Source:
    """Makes events with ids that never repeat within one `run`."""

    def __init__(self, run: str, rng: random.Random) -> None:
        self._run = run
        self._rng = rng
        self._serial = 0

    def event(self, type_: str, at: datetime, channel: str, **fields: Any) -> Event:
        """One event."""
        self._serial += 1
        return {
            "event_id": f"{self._run}-{self._serial}",
            "type": type_,
            "occurred_at": at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "channel_id": channel,
        } | fields

    def calm(self, start: datetime, seconds: float, rate: float) -> Iterator[Event]:
        """Everyday traffic from `start`, about `rate` events a second, in order of time."""
        at = start
        while (at := at + timedelta(seconds=self._rng.expovariate(rate))) < start + timedelta(seconds=seconds):
            yield self._everyday(at)

    def _everyday(self, at: datetime) -> Event:
        channel, kind = self._rng.choice(CHANNELS), self._rng.random()
        if kind < 0.55:
            return self.event("click", at, channel, ip=self._address(), link_id=f"post-{self._rng.randrange(20)}")
        if kind < 0.8:
            return self.event("impression", at, channel, count=self._rng.randrange(1, 30))
        if kind < 0.85:
            return self.event("search", at, channel, product_id=self._rng.choice(PRODUCTS), count=1)
        if kind < 0.9:
            return self.event("engagement", at, channel, kind=self._rng.choice(["like", "share"]), count=1)
        stage = self._rng.choices(["lead", "account_opened", "purchase"], [3, 2, 5])[0]
        return self.event("conversion", at, channel, stage=stage, product_id=self._rng.choice(PRODUCTS))

    def _address(self) -> str:
        return f"10.{self._rng.randrange(256)}.{self._rng.randrange(256)}.{self._rng.randrange(1, 255)}"

    def complaints(self, start: datetime, seconds: float, channel: str, count: int) -> Iterator[Event]:
        """Complaints of `count` different customers, spread over `seconds`."""
        for n in range(count):
            yield self.event(
                "complaint_opened",
                start + timedelta(seconds=seconds * n / count),
                channel,
                complaint_id=f"{self._run}-{channel}-{self._serial}",
                entry=self._rng.choice(["hotline", "branch"]),
                account_id=f"customer-{self._run}-{self._serial}",
            )

    def purchases(self, start: datetime, seconds: float, channel: str, count: int) -> Iterator[Event]:
        """A steady run of purchases."""
        for n in range(count):
            yield self.event("conversion", start + timedelta(seconds=seconds * n / count), channel, stage="purchase")

    def click_farm(self, start: datetime, channel: str, count: int, address: str, accounts: int = 3) -> Iterator[Event]:
        """`count` clicks from one address within 40 seconds, shared out among a few accounts."""
        for n in range(count):
            yield self.event(
                "click",
                start + timedelta(seconds=40 * n / count),
                channel,
                ip=address,
                account_id=f"farm-{address}-{n % accounts}",
                link_id=f"post-{n % 2}",
            )


def incident(kind: str, source: Source, now: datetime, channel: str) -> list[Event]:
    """An incident that ends now: `complaints`, `clicks` or `rate`. Unknown kinds raise KeyError."""
    minute = timedelta(minutes=1)
    stories: dict[str, Callable[[], Iterable[Event]]] = {
        "complaints": lambda: source.complaints(now - minute, 55, channel, 25),
        "clicks": lambda: source.click_farm(now - minute, channel, 150, "203.0.113.7"),
        "rate": lambda: [
            *source.purchases(now - 30 * minute, 1500, channel, 150),
            *source.complaints(now - 10 * minute, 500, channel, 9),
        ],
    }
    return list(stories[kind]())


INCIDENTS = ("complaints", "clicks", "rate")
