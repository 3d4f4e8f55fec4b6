"""What is true: incidents that must be found, and near misses that must not."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from schemas.alerts import AlertFact
from schemas.commands import Command
from services.runtime.machines.machine import Output

GRACE_MS = 120_000
HARM = ("pause", "take_down", "freeze", "throttle", "escalate", "nothing")
"""What an alert orders, the worst first."""


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that is wrong.

    since_ms: from when the definition holds, for a count with the arrival of what completes it; for a ratio over an
    hour or a day, since when things are as they should not be. due_ms: when a trip is due at the latest. level: to be
    reached. good: it is good news. also: indicators that may rightly speak of the same thing.
    """

    indicator: str
    subject: str
    kind: str
    since_ms: int
    due_ms: int
    level: int = 1
    good: bool = False
    harm: frozenset[str] = frozenset(HARM)
    also: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class NearMiss:
    """Something that looks like an incident of an indicator on a subject between two moments, and is none."""

    indicator: str
    subject: str
    kind: str
    from_ms: int
    to_ms: int


@dataclass
class Episode:
    """An alert as it was heard. tripped_ms: when its first trip was told; a warning alone is none."""

    alert_id: str
    indicator: str
    subject: str
    good: bool = False
    level: int = 0
    tripped_ms: int | None = None
    levels_ms: dict[int, int] = field(default_factory=dict)
    commands: set[str] = field(default_factory=set)
    title: str = ""

    @property
    def harm(self) -> str:
        """The worst that it orders."""
        return next((each for each in HARM if each in self.commands), "nothing")


class Heard:
    """The episodes that come of some outputs."""

    def __init__(self, indicators: Iterable[str]) -> None:
        self._indicators = frozenset(indicators)
        self.episodes: dict[str, Episode] = {}

    def hear(self, now_ms: int, outputs: Iterable[Output]) -> None:
        """Takes note of what was told at a moment; troubles of the indicators themselves are another matter."""
        for output in outputs:
            if output.topic == "alerts":
                self._fact(now_ms, AlertFact.model_validate_json(output.value or b""))
            elif output.topic == "channel-commands":
                command = Command.model_validate_json(output.value or b"")
                if command.is_from_indicator():
                    self.episodes[str(command.alert_id)].commands.add(command.command)

    def _fact(self, now_ms: int, fact: AlertFact) -> None:
        if fact.indicator not in self._indicators:
            return
        episode = self.episodes.setdefault(fact.alert_id, Episode(fact.alert_id, fact.indicator, str(fact.subject)))
        if fact.status == "resolved" or not fact.level:
            return
        episode.good = fact.severity == "info"
        if episode.tripped_ms is None:
            episode.tripped_ms = now_ms
        if fact.title is not None:
            episode.title = fact.title.en
        episode.level = max(episode.level, fact.level)
        episode.levels_ms.setdefault(fact.level, now_ms)

    def trips(self, since_ms: int = 0) -> list[Episode]:
        """Those that tripped, in order; what a person was only warned of is none."""
        found = [each for each in self.episodes.values() if each.tripped_ms is not None and each.tripped_ms >= since_ms]
        return sorted(found, key=lambda each: each.tripped_ms or 0)
