"""Holding what was heard against what is true."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.quality.labels import GRACE_MS, Episode, Incident, NearMiss

_HOUR = 3_600_000


@dataclass
class Score:
    """Of one indicator. false: by the worst that was ordered. delays_ms: from an incident's `since_ms` to its level."""

    incidents: int = 0
    found: int = 0
    missed: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    near_misses: int = 0
    tripped_near_misses: list[str] = field(default_factory=list)
    delays_ms: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    false: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    examples: list[str] = field(default_factory=list)

    def wrong(self, episode: Episode, harm: str) -> None:
        """One more false trip."""
        self.false[harm] += 1
        self.examples.append(f"{episode.subject}: {episode.title}")


Scores = dict[str, Score]


def scores() -> Scores:
    """One for each indicator that is asked for."""
    return defaultdict(Score)


def judge(into: Scores, labels: Iterable[Incident | NearMiss], trips: Sequence[Episode], place: str) -> None:
    """Adds what a story has shown. place: which story, for people."""
    found = list(labels)
    explained: set[str] = set()
    for incident in (each for each in found if isinstance(each, Incident)):
        explained |= _incident(into[incident.indicator], incident, trips, place)
    for near in (each for each in found if isinstance(each, NearMiss)):
        into[near.indicator].near_misses += 1
        if any(_touches(near, each) for each in trips if each.alert_id not in explained):
            into[near.indicator].tripped_near_misses.append(f"{place}: {near.kind}")
    for episode in trips:
        if episode.alert_id not in explained:
            into[episode.indicator].wrong(episode, episode.harm)


def _incident(score: Score, incident: Incident, trips: Sequence[Episode], place: str) -> set[str]:
    """The trips that it explains."""
    mine = [each for each in trips if _belongs(incident, each)]
    in_time = [
        each
        for each in mine
        if each.levels_ms.get(incident.level, incident.due_ms + 10**12) <= incident.due_ms + GRACE_MS
    ]
    score.incidents += 1
    if in_time:
        score.found += 1
        score.delays_ms[incident.kind].append(max(in_time[0].levels_ms[incident.level] - incident.since_ms, 0))
    else:
        score.missed.append(f"{place}: {incident.kind}")
    if len(mine) > 1:
        score.doubled.append(f"{place}: {incident.kind}")
    for each in mine:
        if each.harm not in incident.harm:
            score.wrong(each, each.harm)
    return {each.alert_id for each in mine}


def _belongs(incident: Incident, episode: Episode) -> bool:
    """A trip of this indicator on this subject that begins with it; what is over in a day may fall back after it."""
    begins = incident.since_ms - (12 * _HOUR if incident.level > 1 else GRACE_MS)  # a lower level comes before
    return (
        (episode.indicator, episode.subject, episode.good) == (incident.indicator, incident.subject, incident.good)
        and episode.tripped_ms is not None
        and begins <= episode.tripped_ms <= incident.due_ms + 6 * _HOUR
    )


def _touches(near: NearMiss, episode: Episode) -> bool:
    return (
        (episode.indicator, episode.subject) == (near.indicator, near.subject)
        and episode.tripped_ms is not None
        and near.from_ms <= episode.tripped_ms < near.to_ms
    )


def row(score: Score) -> dict[str, Any]:
    """As JSON."""
    delays = sorted(delay for each in score.delays_ms.values() for delay in each)
    return {
        "incidents": score.incidents,
        "found": score.found,
        "missed": score.missed,
        "doubled": score.doubled,
        "near_misses": score.near_misses,
        "tripped_near_misses": score.tripped_near_misses,
        "false": dict(score.false),
        "delay_s": {"p50": quantile(delays, 0.5), "p95": quantile(delays, 0.95)},
        "delays_s": {kind: [each / 1000 for each in found] for kind, found in sorted(score.delays_ms.items())},
        "examples": score.examples[:20],
    }


def quantile(ordered: Sequence[int], share: float) -> float | None:
    """In seconds; None of nothing."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] / 1000 if ordered else None
