"""What has changed since somebody looked, by the names that pages know. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from schemas import topics

NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        topics.CHANNEL_STATE: "channels",
        topics.ALERT_STATE: "alerts",
        topics.AUDIT: "audit",
        topics.POLICY: "policy",
        topics.READINGS: "readings",
        topics.DEAD_LETTERS: "dead_letters",
    }
)
"""By topic."""


class Changes:
    """Counts the changes of each name. start: tells this count from that of an earlier process."""

    def __init__(self, start: str) -> None:
        self._start = start
        self._counts = dict.fromkeys(NAMES.values(), 0)

    def note(self, topic: str) -> None:
        """Something was read of a topic."""
        self._counts[NAMES[topic]] += 1

    def seen(self) -> str:
        """All there is now, to be given back later."""
        return ".".join((self._start, *map(str, self._counts.values())))

    def since(self, seen: str) -> list[str]:
        """The names that have changed since then; all, where that was another process or makes no sense."""
        start, *counts = seen.split(".")
        if start != self._start or len(counts) != len(self._counts):
            return list(self._counts)
        return [name for (name, now), then in zip(self._counts.items(), counts, strict=True) if str(now) != then]
