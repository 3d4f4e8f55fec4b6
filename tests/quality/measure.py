"""The measurement: stories with incidents through the whole path, and calm days through the machines."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from schemas.policy import Policy
from services.indicators.registry import all_rules
from services.policies.reading import read_policy
from tests.quality import incidents, score
from tests.quality.calm import WARM_UP, Calm
from tests.quality.labels import Heard
from tests.quality.score import Scores
from tests.quality.story import Story

POLICY: Final = Path(__file__).parents[2] / "deploy" / "policy.yaml"
_NEW_YEAR: Final = date(2026, 1, 5)

Progress = Callable[[str], None]


@dataclass
class Measured:
    """What came of it. calm: subject-days by kind of subject; false: on these, trips by indicator."""

    stories: Scores = field(default_factory=score.scores)
    calm: dict[str, int] = field(default_factory=dict)
    false: Scores = field(default_factory=score.scores)

    def pauses(self) -> int:
        """How many calm days were disturbed by an order that stops something."""
        return sum(each.false[harm] for each in self.false.values() for harm in ("pause", "take_down", "freeze"))

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        return {
            "stories": {name: score.row(each) for name, each in sorted(self.stories.items())},
            "calm_days": self.calm,
            "calm": {name: score.row(each) for name, each in sorted(self.false.items())},
        }


def default_policy() -> Policy:
    """Everybody's, with the one thing that only they can know: which address is their office's."""
    return read_policy(POLICY).model_copy(update={"shared_addresses": [incidents.OFFICE]})


def served() -> frozenset[str]:
    """The indicators that there are."""
    return frozenset(rule.id for rule in all_rules())


def tell(into: Measured, seed: int, policy: Policy) -> None:
    """One story of twelve days, somewhere in 2026."""
    known = served()
    story = Story(seed, _NEW_YEAR + timedelta(days=seed * 17 % 330), incidents.DAYS)
    labels = [each for each in incidents.all_of(story) if each.indicator in known]
    heard = Heard(known)
    for now_ms, outputs in story.tell(policy, story.at(incidents.DAY - 1, 0)):
        heard.hear(now_ms, outputs)
    score.judge(into.stories, labels, heard.trips(), f"story {seed}")


def watch(into: Measured, seed: int, policy: Policy, number: int, days: int) -> None:
    """Calm on so many channels for so many days that count, somewhere in 2026: every trip is false."""
    first = _NEW_YEAR + timedelta(days=seed * 53 % 240)
    calm = Calm(seed, first, days + WARM_UP, number, policy)
    heard = Heard(served())
    for now_ms, outputs in calm.run():
        heard.hear(now_ms, outputs)
    score.judge(into.false, (), heard.trips(calm.counts_from()), f"calm {seed}")
    for subject, counted in calm.counted.items():
        into.calm[subject] = into.calm.get(subject, 0) + counted


def measure(
    stories: Iterable[int], calm: Iterable[int], number: int, days: int, told: Progress = lambda _: None
) -> Measured:
    """Stories with these seeds, and calm with those."""
    found, policy = Measured(), default_policy()
    for seed in stories:
        tell(found, seed, policy)
        told(f"story {seed}")
    for seed in calm:
        watch(found, seed, policy, number, days)
        told(f"calm {seed}: {found.calm['channel']:,} channel-days, {found.pauses()} false pauses")
    return found
