"""A scripted morning with known truth: calm traffic, incidents of each kind, duplicates, disorder and bad records.

Imports nothing from the services. Times are event times; with the `events` clock the pace of sending does not matter.
"""

import heapq
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # 09:00 in Shanghai
DISORDER_SECONDS = 15
"""How far events may overtake each other: less than the grace after which a pane closes."""
REPEATED_AFTER = 1_000
"""Half of the duplicates come so many records behind their original: deaths fall in between, a minute does not."""

BAD_RECORDS = (
    b"not json",
    b"\x00\x00\x00",
    b'{"event_id":"x","type":"click"',
    b"[" * 5_000,
    b'{"event_id":"b","type":"impression","occurred_at":"2026-11-23T01:00:00Z","channel_id":"c","count":NaN}',
    b'{"event_id":"b","type":"impression","occurred_at":"2026-11-23T01:00:00Z","channel_id":"c","count":"5"}',
    b'{"event_id":"b","type":"click","occurred_at":"2026-11-23T01:00:00","channel_id":"c"}',
    b'{"event_id":"b","type":"nonsense","occurred_at":"2026-11-23T01:00:00Z","channel_id":"c"}',
    b'{"event_id":"\\ud800","type":"click","occurred_at":"2026-11-23T01:00:00Z","channel_id":"c"}',
)


@dataclass(frozen=True)
class Sent:
    """One record as a producer sends it; `event` is what it means, None for a bad record."""

    topic: str
    key: bytes
    value: bytes
    event: dict[str, Any] | None
    duplicate: bool = False


@dataclass
class Script:
    """Collects events of the story, then puts them on the line in a believable order."""

    seed: int
    hours: float = 3.0
    events: list[dict[str, Any]] = field(default_factory=list)
    _serial: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def add(self, type_: str, seconds: float, channel: str | None = None, **more: Any) -> None:
        """One event so many seconds after the start."""
        self._serial += 1
        at = START + timedelta(milliseconds=int(seconds * 1000))
        common = {
            "event_id": f"e{self.seed}-{self._serial}",
            "type": type_,
            "occurred_at": at.isoformat().replace("+00:00", "Z"),
        }
        self.events.append(common | ({} if channel is None else {"channel_id": channel}) | more)

    def calm(self, count: int, channels: list[str]) -> None:
        """Everyday traffic on every channel; addresses are many, so none clicks much."""
        span = self.hours * 3600
        for _ in range(count):
            channel, at, kind = self.random.choice(channels), self.random.uniform(0, span), self.random.random()
            if kind < 0.6:
                ip = f"10.{self.random.randrange(256)}.{self.random.randrange(256)}.{self.random.randrange(256)}"
                self.add("click", at, channel, ip=ip, account_id=f"a{self.random.randrange(50_000)}")
            elif kind < 0.85:
                self.add("impression", at, channel, count=self.random.randrange(1, 9))
            elif kind < 0.9:
                self.add("search", at, channel, product_id="p1", count=self.random.randrange(1, 4))
            elif kind < 0.95:
                self.add("engagement", at, channel, kind="like", count=1)
            else:
                self.add("conversion", at, channel, stage=self.random.choice(["lead", "account_opened", "purchase"]))

    def complaints(self, channel: str, count: int, start: float, every: float, **more: Any) -> None:
        """So many complaints, each of another person unless `more` says who."""
        for n in range(count):
            who = {"account_id": f"{channel}-person-{n}", "entry": "hotline"} | more
            self.add("complaint_opened", start + n * every, channel, complaint_id=f"{channel}-{start}-{n}", **who)

    def purchases(self, channel: str, count: int, start: float, every: float) -> None:
        """A steady run of purchases."""
        for n in range(count):
            self.add("conversion", start + n * every, channel, stage="purchase")

    def clicks(self, ip: str, count: int, start: float, within: float, accounts: list[str]) -> None:
        """A burst of clicks from one address, shared out among accounts."""
        for n in range(count):
            account = accounts[n % len(accounts)]
            self.add("click", start + within * n / count, f"c{n % 3}", ip=ip, account_id=account, link_id=f"l{n % 5}")

    def records(self, duplicates: float = 0.01, bad: float = 0.002) -> Iterator[Sent]:
        """The records in sending order, with duplicates behind their original and bad records in between."""
        by_time = sorted(self.events, key=lambda event: str(event["occurred_at"]))
        jitter = {id(event): self._seconds(event) + self.random.uniform(0, DISORDER_SECONDS) for event in by_time}
        later: list[tuple[int, int, Sent]] = []
        for number, event in enumerate(sorted(by_time, key=lambda event: jitter[id(event)])):
            while later and later[0][0] <= number:
                yield heapq.heappop(later)[2]
            topic = topic_of(event["type"])
            key = event.get("channel_id") or event.get("product_id") or event["type"]
            sent = Sent(topic, key.encode(), json.dumps(event).encode(), event)
            yield sent
            if self.random.random() < duplicates:
                again = Sent(topic, sent.key, sent.value, event, duplicate=True)
                heapq.heappush(later, (number + self.random.choice((1, REPEATED_AFTER)), number, again))
            if self.random.random() < bad:
                yield Sent(topic, sent.key, self.random.choice(BAD_RECORDS), None)
        yield from (again for _, _, again in sorted(later))

    @staticmethod
    def _seconds(event: dict[str, Any]) -> float:
        at = datetime.fromisoformat(event["occurred_at"])
        return (at - START).total_seconds()


TOPICS = {
    "complaint_opened": "complaint-events",
    "complaint_answered": "complaint-events",
    "complaint_closed": "complaint-events",
    "conversion": "conversion-events",
    "mention": "mention-events",
    "rate": "market-events",
    "gdp_growth": "market-events",
    "policy_change": "market-events",
}


def topic_of(type_: str) -> str:
    """The raw topic of an event type."""
    return TOPICS.get(type_, "channel-events")
