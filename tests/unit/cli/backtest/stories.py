"""Logs to test policies on."""

import json
from collections.abc import Sequence
from typing import Any

from schemas.backtest import Report
from schemas.base import from_ms
from schemas.events import TOPIC_OF
from schemas.policy import Policy
from services.cli.backtest.engine import Backtest
from services.cli.backtest.pipeline import RawRecord
from services.cli.backtest.timeline import blocks, boundary
from services.indicators.windows.days import Span
from tests.support.indicator_log import TEN, policy

KEY = b"a key of sixteen bytes or more"
MINUTE = 60_000
HOUR = 60 * MINUTE


class Story:
    """Events at their time, each appended as it happens."""

    def __init__(self) -> None:
        self.told: list[tuple[int, str, bytes]] = []

    def tell(self, at_ms: int, what: str, **fields: Any) -> None:
        event = {"event_id": f"e-{len(self.told)}", "type": what, "occurred_at": from_ms(at_ms).isoformat(), **fields}
        self.told.append((at_ms, TOPIC_OF[what], json.dumps(event).encode()))

    def complaints(self, number: int, since_ms: int = TEN, every_ms: int = MINUTE, channel: str = "douyin") -> None:
        for n in range(number):
            name = f"{channel}-{since_ms}-{n}"
            said = {"channel_id": channel, "entry": "hotline", "complaint_id": name, "account_id": name}
            self.tell(since_ms + n * every_ms, "complaint_opened", **said)

    def clicks(self, number: int, since_ms: int = TEN, every_ms: int = 300, ip: str = "203.0.113.7") -> None:
        for n in range(number):
            self.tell(since_ms + n * every_ms, "click", channel_id="douyin", ip=ip, account_id=f"a-{n % 3}")

    def hourly(self, hours: int, what: str, since_ms: int = TEN, **fields: Any) -> None:
        for n in range(hours):
            self.tell(since_ms + n * HOUR + MINUTE, what, channel_id="douyin", **fields)

    def records(self) -> list[RawRecord]:
        """In the order of time, each topic a partition."""
        following: dict[str, int] = {}
        found = []
        for at_ms, topic, value in sorted(self.told, key=lambda each: each[0]):
            found.append(RawRecord(topic, 0, following.get(topic, 0), at_ms, value))
            following[topic] = following.get(topic, 0) + 1
        return found


def over(records: Sequence[RawRecord], *policies: Policy, window: Span | None = None) -> Report:
    """The report on a log."""
    span = window or Span(records[0].stamp_ms, boundary(records[-1].stamp_ms))
    tested = Backtest(policies or [policy()], KEY, span, records[0].stamp_ms)
    for block, end_ms in blocks(records):
        tested.take(block, end_ms)
    return tested.finish("a story")
