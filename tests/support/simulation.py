"""Events through ingest's routing and all machines of the indicators on the `events` clock, without a broker."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any

import msgspec

from schemas.base import to_ms
from schemas.events import TOPIC_OF
from schemas.frames import END_OF_SOURCE
from schemas.policy import Policy
from services.indicators.machine import STORES, build
from services.runtime.machines.machine import Output
from tests.support.frames import FrameMaker
from tests.support.indicator_log import Log, mark

MINUTE_MS = 60_000
TICK_MS = 2 * MINUTE_MS


def outputs_of(events: Iterable[Mapping[str, Any]], policy: Policy) -> list[Output]:
    """All that comes of some events, a mark after every two minutes of their time, and their end."""
    maker, machines = FrameMaker(), {subject: build(subject, 0) for subject in STORES}
    logs = {subject: Log(subject) for subject in STORES}
    outputs: list[Output] = []

    def tell(subject: str, message: Any) -> None:
        outputs.extend(machines[subject].apply(logs[subject].put(message)))

    def tell_time(time_ms: int) -> None:
        for subject in STORES:
            told = mark(time_ms, policy=policy if not logs[subject].records else None)
            tell(subject, msgspec.structs.replace(told, clock="events"))

    def tick_of(event: Mapping[str, Any]) -> int:
        return to_ms(datetime.fromisoformat(event["occurred_at"])) // TICK_MS

    offset = 0
    for tick, group in groupby(sorted(events, key=tick_of), tick_of):
        tell_time(tick * TICK_MS - MINUTE_MS)
        placed = []
        for event in sorted(group, key=lambda each: str(each["occurred_at"])):
            placed.append((TOPIC_OF[event["type"]], 0, offset, event))
            offset += 1
        for subject, _, frame in maker.poll(placed):
            if subject in STORES:
                tell(subject, frame)
    tell_time(END_OF_SOURCE)
    return outputs
