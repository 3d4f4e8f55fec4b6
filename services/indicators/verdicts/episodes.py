"""From verdicts to episodes: one stretch of trouble of one indicator on one subject, shared by all rules, and pure.

An episode begins with the first breach, or with a warning before it; where the policy wants a breach to hold first, it
is quiet until then. Each level and each order is told once. It ends when the value has been under its figure for long
enough, judged only where panes close; `unsure` neither begins nor ends one.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from schemas.base import Severity
from services.indicators.rule import Order, Verdict
from services.indicators.verdicts.tuning import MS, Tuned

Key = tuple[str, str, str, str, bool]
"""Indicator, strand, subject, business day (empty where the rule does not count days), and whether in the shadow."""

_RANK: Final[dict[Severity, int]] = {"info": 0, "warning": 1, "critical": 2}


class Episode(msgspec.Struct):
    """One episode.

    began_ms: the end of the earliest pane that it stands on. tripped_ms: that of the earliest that breached; None while
    it only warns. calm_ms: since when it has been clear. over: its day has ended; it is remembered, so that a late
    event does not begin it anew. quiet: its breach has not held for long enough to be told. given: what it came to,
    each once; ordered: whether a command came of any of it.
    """

    indicator: str
    subject: str
    day: str
    shadow: bool
    alert_id: str
    opened_ms: int
    began_ms: int
    day_end_ms: int
    severity: Severity = "warning"
    level: int = 0
    tripped_ms: int | None = None
    calm_ms: int | None = None
    over: bool = False
    quiet: bool = False
    given: list[tuple[str, str, int]] = []
    strand: str = ""
    ordered: bool = False

    @property
    def key(self) -> Key:
        """What it is the episode of."""
        return self.indicator, self.strand, self.subject, self.day, self.shadow

    def orders(self) -> list[Order]:
        """What has been ordered so far."""
        return [Order(action, target, level) for action, target, level in self.given]  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Change:
    """Something to tell of an episode, and the orders that come with it."""

    what: Literal["open", "updated", "resolved"]
    episode: Episode
    orders: tuple[Order, ...] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """The end of the pane that is judged, when the log says so (append time), and whether that pane closes."""

    end_ms: int
    told_ms: int
    closing: bool


class Episodes:
    """All episodes of a machine, and which of them a snapshot has to write."""

    def __init__(self) -> None:
        self._all: dict[Key, Episode] = {}
        self._by_rule: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        self._easing: dict[Key, str] = {}
        self._changed: dict[Key, Episode | None] = {}

    def get(self, key: Key) -> Episode | None:
        """The episode under this key, also one whose day is over."""
        return self._all.get(key)

    def put(self, episode: Episode) -> None:
        """Adds an episode, or notes that it changed."""
        if episode.key not in self._all:
            self._by_rule[episode.indicator, episode.strand][episode.subject] += 1
        self._all[episode.key] = self._changed[episode.key] = episode
        if episode.calm_ms is not None:
            self._easing[episode.key] = episode.subject
        else:
            self._easing.pop(episode.key, None)

    def drop(self, episode: Episode) -> None:
        """Forgets an episode."""
        del self._all[episode.key]
        self._changed[episode.key] = None
        self._easing.pop(episode.key, None)
        counts = self._by_rule[episode.indicator, episode.strand]
        counts[episode.subject] -= 1
        if not counts[episode.subject]:
            del counts[episode.subject]

    def subjects(self) -> Iterable[str]:
        """Those with any episode."""
        return set().union(*self._by_rule.values())

    def of(self, indicator: str, strand: str) -> Iterable[str]:
        """Those with any episode of one rule."""
        return self._by_rule[indicator, strand].keys()

    def easing(self) -> Iterable[str]:
        """Those that are clear, but not for long enough."""
        return self._easing.values()

    def __contains__(self, subject: object) -> bool:
        return any(subject in counts for counts in self._by_rule.values())

    def __iter__(self) -> Iterator[Episode]:
        """All, in an order that does not depend on how they came about."""
        return iter([self._all[key] for key in sorted(self._all)])

    def __len__(self) -> int:
        return len(self._all)

    def open_count(self) -> int:
        """How many stand."""
        return sum(not each.over and not each.quiet for each in self._all.values())

    def stages(self) -> Counter[tuple[str, bool]]:
        """By indicator and whether it has tripped or only warns, how many have not ended with their day."""
        return Counter((each.indicator, each.level > 0) for each in self._all.values() if not each.over)

    def changed(self) -> list[tuple[Key, Episode | None]]:
        """What changed since the last call; None where one is gone."""
        changed, self._changed = self._changed, {}
        return list(changed.items())

    def load(self, episodes: Iterable[Episode]) -> None:
        """Takes back what a snapshot holds."""
        for each in episodes:
            self.put(each)
        self._changed.clear()


def ripens(episode: Episode, verdict: Verdict, tuned: Tuned, moment: Moment) -> bool:
    """Whether what a quiet episode stands on has held for long enough; `unsure` does not interrupt it."""
    return verdict.troubled and moment.end_ms - episode.began_ms >= tuned.fires_after // MS


def worsen(episode: Episode, verdict: Verdict, severity: Severity, moment: Moment) -> bool:
    """A verdict that an episode stands on; whether there is something new to tell."""
    news = False
    episode.began_ms = min(episode.began_ms, moment.end_ms)
    if verdict.level:
        if episode.tripped_ms is None or moment.end_ms < episode.tripped_ms:
            news = episode.tripped_ms is None
            episode.tripped_ms = moment.end_ms
        if verdict.level > episode.level:
            episode.level, news = verdict.level, True
        if _RANK[severity] > _RANK[episode.severity]:
            episode.severity, news = severity, True
    if moment.closing:
        episode.calm_ms = None
    return news


def ease(episode: Episode, verdict: Verdict, tuned: Tuned, moment: Moment) -> bool:
    """Whether the episode ends, having been clear long enough; only where a pane closes, and never on `unsure`.

    In a catch-up the panes before its beginning may close after it has begun: they do not count.
    """
    if not moment.closing or moment.end_ms < episode.began_ms:
        return False
    under = verdict.begins_at * tuned.clearing.below
    if verdict.verdict == "unsure" or verdict.value >= under:
        episode.calm_ms = None
        return False
    if episode.calm_ms is None:
        episode.calm_ms = moment.end_ms
    return moment.end_ms - episode.calm_ms >= tuned.clearing.hold // MS


def new_orders(episode: Episode, wanted: Iterable[Order]) -> tuple[Order, ...]:
    """The orders that have not been given in this episode; from now on they have."""
    fresh = []
    for order in wanted:
        given = (order.action, order.target, order.level)
        if given not in episode.given:
            episode.given.append(given)
            fresh.append(order)
    return tuple(fresh)
