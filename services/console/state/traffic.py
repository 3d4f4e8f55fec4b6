"""What a channel or a promotion moved in the hours before a moment, by the hourly sums. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from schemas.base import to_ms
from schemas.readings import Scope
from services.console.state.tallies import HOUR_MS, Tallies
from services.incidents.traffic import TRAFFIC, Traffic

HOURS: Final = 24
"""So many full hours are looked at, so that day and night are in the mean."""


@dataclass(frozen=True, slots=True)
class TrafficBefore:
    """Answers of what incidents ask; see `services.incidents.traffic.Before`."""

    tallies: Tallies

    def __call__(self, target: str, at: datetime) -> Traffic | None:
        """Of a channel its own figures. A promotion has a part of its product's and its channel's."""
        kind, _, name = target.partition(":")
        end_ms = to_ms(at) // HOUR_MS * HOUR_MS
        if kind == "channel":
            return self._of("channel", name, end_ms)
        if kind != "promotion" or "@" not in name:
            return None
        product, _, channel = name.rpartition("@")
        of_product, of_channel = self._of("product", product, end_ms), self._of("channel", channel, end_ms)
        return None if of_product is None or of_channel is None else _lesser(of_product, of_channel)

    def _of(self, scope: Scope, name: str, end_ms: int) -> Traffic | None:
        """The mean from its first hour on: in one that is missing later on nothing happened."""
        hourly = self.tallies.hourly(scope, name, end_ms - HOURS * HOUR_MS, end_ms)
        hours = (end_ms - min(hourly, default=end_ms)) // HOUR_MS
        sums = {each: sum(counted.get(each, 0.0) for counted in hourly.values()) for each in TRAFFIC}
        per_hour = {each: amount / hours for each, amount in sums.items() if amount}
        return Traffic(per_hour, hours) if per_hour else None


def _lesser(one: Traffic, other: Traffic) -> Traffic | None:
    """What is in both, the less of each."""
    shared = [each for each in TRAFFIC if each in one.per_hour and each in other.per_hour]
    per_hour = {each: min(one.per_hour[each], other.per_hour[each]) for each in shared}
    return Traffic(per_hour, min(one.hours, other.hours), at_most=True) if per_hour else None
