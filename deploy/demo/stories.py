"""Events for demonstrations: who and what there is, a maker of events, and calm traffic. Pure; time and chance come in.

What goes wrong is in `incidents`, what happens by the clock on a calm day in `routine`.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

Event = dict[str, Any]
CHANNELS = ("douyin", "kuaishou", "wechat", "weibo", "xiaohongshu", "bilibili", "own-app", "branches")
PRODUCTS = ("stable-income-fund", "growth-fund", "term-deposit", "endowment-insurance")
SEGMENTS = {"young": 4, "middle": 3, "silver": 2, "high_net_worth": 1}
"""Of customers, with how often one meets each."""
CAC = (240.0, 280.0)
"""What a new account costs on a calm day, CNY."""


class Source:
    """Makes events with ids that never repeat within one `run`."""

    def __init__(self, run: str, rng: random.Random) -> None:
        self.run = run
        self.rng = rng
        self._serial = 0

    def event(self, type_: str, at: datetime, channel: str | None = None, **fields: Any) -> Event:
        """One event."""
        where = {} if channel is None else {"channel_id": channel}
        occurred_at = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
        return {"event_id": f"{self.run}-{self.serial()}", "type": type_, "occurred_at": occurred_at, **where, **fields}

    def serial(self) -> int:
        """A number of its own for whatever needs one."""
        self._serial += 1
        return self._serial

    def calm(self, start: datetime, seconds: float, rate: float) -> Iterator[Event]:
        """Everyday traffic from `start`, about `rate` events a second, in order of time."""
        at = start
        while (at := at + timedelta(seconds=self.rng.expovariate(rate))) < start + timedelta(seconds=seconds):
            yield from self._everyday(at)

    def _everyday(self, at: datetime) -> Iterator[Event]:
        channel, kind, choice = self.rng.choice(CHANNELS), self.rng.random(), self.rng.choice
        if kind < 0.55:
            post = {"link_id": f"post-{self.rng.randrange(20)}", "product_id": choice(PRODUCTS)}
            yield self.event("click", at, channel, ip=self._address(), segment=self._segment(), **post)
        elif kind < 0.8:
            yield self.event("impression", at, channel, count=self.rng.randrange(1, 30))
        elif kind < 0.85:
            yield self.event("search", at, channel, product_id=choice(PRODUCTS), count=1)
        elif kind < 0.9:
            yield self.event("engagement", at, channel, kind=choice(["like", "share"]), count=1)
        else:
            stage = self.rng.choices(["lead", "account_opened", "purchase"], [3, 2, 5])[0]
            paid = {"amount": self.rng.randrange(1, 50) * 1000.0} if stage == "purchase" else {}
            about = {"product_id": choice(PRODUCTS), "segment": self._segment()}
            yield self.event("conversion", at, channel, stage=stage, **about, **paid)
            if stage == "account_opened":
                yield self.event("spend", at, channel, amount=round(self.rng.uniform(*CAC), 2), **about)

    def _segment(self) -> str:
        return self.rng.choices(list(SEGMENTS), list(SEGMENTS.values()))[0]

    def _address(self) -> str:
        return f"10.{self.rng.randrange(256)}.{self.rng.randrange(256)}.{self.rng.randrange(1, 255)}"
