"""What a machine has seen and done since it was built: plain numbers, read by the metrics."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Seen:
    """verdicts: by indicator and verdict. failures: by indicator. alerts: by indicator and what was told. commands: by
    indicator and command. shadow: by indicator, trips that nobody was told of. refused: policies."""

    frames: int = 0
    marks: int = 0
    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    alerts: Counter[tuple[str, str]] = field(default_factory=Counter)
    commands: Counter[tuple[str, str]] = field(default_factory=Counter)
    shadow: Counter[str] = field(default_factory=Counter)
    refused: int = 0
