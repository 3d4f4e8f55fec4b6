"""Whether the indicators look: how far each has judged, by what they write on `readings`. Pure.

A ramp takes silence for calm, so it may go on only while those are awake who would see a relapse.
"""

from datetime import datetime, timedelta
from typing import Final

from schemas.readings import Reading

BEHIND: Final = timedelta(minutes=7)
"""A pane of five minutes closes half a minute after its end, and is read within seconds; the rest is patience."""


class Attention:
    """What is known of all indicators, of which each runs on so many partitions. replayed: on the clock of events they
    judge another day than today, so it is enough that each says anything."""

    def __init__(self, partitions: int, *, replayed: bool = False) -> None:
        self._partitions = partitions
        self._replayed = replayed
        self._judged: dict[str, dict[str, datetime]] = {}

    def fold(self, reading: Reading) -> None:
        """Takes in what one writer says; a repetition of older words changes nothing."""
        for indicator in reading.indicators:
            writers = self._judged.setdefault(indicator, {})
            writers[reading.writer] = max(reading.at, writers.get(reading.writer, reading.at))

    def is_paid(self, indicator: str, at: datetime) -> bool:
        """Whether this indicator has judged everything up to shortly before a moment, on all partitions."""
        writers = self._judged.get(indicator, {})
        if len(writers) < self._partitions:
            return False
        return self._replayed or min(writers.values()) >= at - BEHIND
