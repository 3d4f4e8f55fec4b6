"""What holds for every story of raw events: replays, other frames and repeats change nothing."""

from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.indicators.machine import build
from services.indicators.registry import all_rules
from services.runtime.machines.machine import Output, Record
from tests.support.replay import Plan, assert_replay_safe, plans
from tests.unit.indicators.raw_stories import TELLERS, RawStory, cut_raw, tell_raw
from tests.unit.indicators.stories import episodes

INDICATORS = {rule.id for rule in all_rules()}
SEEDS = st.integers(0, 2**32)
subjects = pytest.mark.parametrize("subject", sorted(TELLERS))


def applied(subject: str, log: list[Record]) -> list[Output]:
    machine = build(subject, 0)
    return [output for record in log for output in machine.apply(record)]


@subjects
@given(seeds=st.tuples(SEEDS, SEEDS), plan=plans(25))
@settings(deadline=None, max_examples=40)
def test_the_same_log_gives_the_same_outputs_wherever_it_is_interrupted(
    subject: str, seeds: tuple[int, int], plan: Plan
) -> None:
    log = cut_raw(tell_raw(subject, seeds[0]), seeds[1], repeats=True)
    assert_replay_safe(lambda: build(subject, 0), log, plan)


@subjects
@given(seeds=st.tuples(SEEDS, SEEDS, SEEDS))
@settings(deadline=None, max_examples=30)
def test_other_frames_and_repeats_give_the_same_episodes_and_levels(subject: str, seeds: tuple[int, int, int]) -> None:
    story: RawStory = tell_raw(subject, seeds[0])
    one = applied(subject, cut_raw(story, seeds[1]))
    other = applied(subject, cut_raw(story, seeds[2], repeats=True))
    assert episodes(one) == episodes(other)


@subjects
def test_the_stories_trip_often_enough_to_mean_something(subject: str) -> None:
    tripping = (
        n
        for n in range(200)
        if any(
            told[3] and told[0] in INDICATORS for told in episodes(applied(subject, cut_raw(tell_raw(subject, n), n)))
        )
    )
    assert len(list(islice(tripping, 10))) == 10
