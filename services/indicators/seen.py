"""What a machine has seen and done since it was built: plain numbers, read by the metrics and by a backtest."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final, NamedTuple

FEW: Final = frozenset({"channel", "product", "brand", "market"})
"""The kinds of subjects that are few enough to remember how each stands; actors come by the million."""
REMEMBERED_MS: Final = 2 * 86_400_000
"""A subject that no rule has looked at for so long is forgotten."""


class Latest(NamedTuple):
    """How a subject stands: the verdict as of `end_ms`, the end of the pane that was judged."""

    end_ms: int
    value: float
    threshold: float
    verdict: str


@dataclass(slots=True)
class Seen:
    """verdicts: by indicator and verdict. failures: by indicator. alerts: by indicator and what was told. commands: by
    indicator and command. shadow: by indicator, trips that nobody was told of. refused: policies. latest: by the rule's
    name and subject, of subjects that are FEW."""

    frames: int = 0
    marks: int = 0
    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    alerts: Counter[tuple[str, str]] = field(default_factory=Counter)
    commands: Counter[tuple[str, str]] = field(default_factory=Counter)
    shadow: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    latest: dict[tuple[str, str], Latest] = field(default_factory=dict)

    def note(self, rule: str, subject: str, latest: Latest) -> None:
        """Remembers a verdict, unless one of a later moment is known: a late event has earlier panes judged again."""
        known = self.latest.get((rule, subject))
        if known is None or latest.end_ms >= known.end_ms:
            self.latest[rule, subject] = latest

    def forget(self, closed_ms: int) -> None:
        """Forgets subjects that have gone, when panes have closed up to this time."""
        for key in [key for key, each in self.latest.items() if each.end_ms < closed_ms - REMEMBERED_MS]:
            del self.latest[key]
