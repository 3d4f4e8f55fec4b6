"""What holds for every story: replays, other frames and repeats change nothing, and the counts are the plain ones."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from schemas.base import to_ms
from schemas.commands import Evidence
from schemas.frames import MEASURES, source_name
from services.indicators.machine import build
from services.indicators.subjects.store import Surroundings
from services.indicators.windows.days import Span
from services.runtime.machines.machine import Output, Record
from tests.support.indicator_log import Event, actor, facts, policy
from tests.support.replay import Plan, assert_replay_safe, plans
from tests.unit.indicators.stories import Segment, Story, cut, episodes, stories

SUBJECTS = ("channel", "actor")
SEEDS = st.integers(0, 2**32)
AROUND = Surroundings.under(policy())


def applied(subject: str, log: Sequence[Record]) -> list[Output]:
    machine = build(subject, 0)
    return [output for record in log for output in machine.apply(record)]


@pytest.mark.parametrize("subject", SUBJECTS)
@given(data=st.data(), seed=SEEDS, plan=plans(25))
@settings(deadline=None, max_examples=200)
def test_the_same_log_gives_the_same_outputs_wherever_it_is_interrupted(
    subject: str, data: st.DataObject, seed: int, plan: Plan
) -> None:
    log = cut(data.draw(stories(subject)), seed, repeats=True, changes=True)
    assert_replay_safe(lambda: build(subject, 0), log, plan)


@pytest.mark.parametrize("subject", SUBJECTS)
@given(data=st.data(), seeds=st.tuples(SEEDS, SEEDS))
@settings(deadline=None, max_examples=60)
def test_the_same_events_in_other_frames_give_the_same_episodes_and_levels(
    subject: str, data: st.DataObject, seeds: tuple[int, int]
) -> None:
    story = data.draw(stories(subject))
    one, other = (applied(subject, cut(story, seed)) for seed in seeds)
    assert episodes(one) == episodes(other)


@pytest.mark.parametrize("subject", SUBJECTS)
@given(data=st.data(), seeds=st.tuples(SEEDS, SEEDS))
@settings(deadline=None, max_examples=60)
def test_what_is_sent_again_changes_nothing(subject: str, data: st.DataObject, seeds: tuple[int, int]) -> None:
    story = data.draw(stories(subject))
    machine = build(subject, 0)
    again = [output for record in cut(story, seeds[1], repeats=True) for output in machine.apply(record)]
    assert episodes(applied(subject, cut(story, seeds[0]))) == episodes(again)
    assert sum(machine.ledger.totals()) == len(story.events)


@given(story=stories("channel"), seed=SEEDS, span=st.tuples(st.integers(-400, 400), st.integers(1, 400)))
@settings(deadline=None, max_examples=60)
def test_totals_are_the_plain_sums(story: Story, seed: int, span: tuple[int, int]) -> None:
    machine = build("channel", 0)
    for record in cut(story, seed):
        machine.apply(record)
    events = [event for event in story.events if event.what != "complaints"]
    assume(events)
    pane = 300_000
    start = (events[0].at_ms // pane + span[0]) * pane
    window = Span(start, start + span[1] * pane)
    plain: Counter[tuple[str, str]] = Counter()
    for event in events:
        if window.start <= event.at_ms < window.end:
            plain[event.channel, event.what] += event.count
    for channel in ("douyin", "weibo", "unknown"):
        view = machine._store.view(f"channel:{channel}", AROUND)
        for measure in MEASURES:
            assert view.total(measure, window) == plain[channel, measure]  # type: ignore[attr-defined]


def plain_count(complaints: list[Event], limit: int) -> int:
    """Counted by hand: per person at most three, and of the anonymous the `limit` that add most."""

    def capped(chosen: list[Event], who: str) -> int:
        people = Counter(getattr(event, who) for event in chosen)
        nobody = people.pop(None, 0)
        return nobody + sum(min(3, number) for number in people.values())

    anonymous = [event for event in complaints if event.one_click and event.account is None]
    named = [event for event in complaints if event not in anonymous]
    sums = []
    for who in ("account", "ip"):
        chosen, left = list(named), limit
        for event in anonymous:
            if left and capped([*chosen, event], who) > capped(chosen, who):
                chosen.append(event)
                left -= 1
        sums.append(capped(chosen, who))
    return min(sums)


@given(story=stories("channel"), seed=SEEDS)
@settings(deadline=None, max_examples=60)
def test_levels_of_complaint_volume_are_the_plain_ones(story: Story, seed: int) -> None:
    days: dict[tuple[str, object], list[Event]] = defaultdict(list)
    for event in story.events:
        if event.what == "complaints":
            local = datetime.fromtimestamp(event.at_ms / 1000, AROUND.days.zone)
            days[f"channel:{event.channel}", local.date()].append(event)
    levels: Counter[tuple[str, int]] = Counter()
    for (subject, _), complaints in days.items():
        count = plain_count(complaints, limit=2)
        levels.update((subject, level) for level in range(1, 9) if count >= 4 * 2 ** (level - 1))
    ordered = [
        (subject, level)
        for indicator, subject, orders, *_ in episodes(applied("channel", cut(story, seed)))
        if indicator == "complaint_volume"
        for _, _, level in orders
    ]
    assert Counter(ordered) == levels


@given(story=stories("actor"), seed=SEEDS)
@settings(deadline=None, max_examples=60)
def test_levels_of_click_fraud_are_the_plain_ones(story: Story, seed: int) -> None:
    pane = 5000
    wanted = {}
    for ip in ("1.1.1.1", "2.2.2.2"):
        mine = [event for event in story.events if event.ip == ip]
        ends = {event.at_ms // pane for event in mine}
        most = max((sum(e.count for e in mine if end - 12 <= e.at_ms // pane <= end) for end in ends), default=0)
        if most >= 8:
            wanted[actor(ip)] = max(level for level in range(1, 9) if most >= 8 * 2 ** (level - 1))
    found = {str(fact.subject): fact.level for fact in facts(applied("actor", cut(one_stretch(story), seed)))}
    assert found == wanted


def one_stretch(story: Story) -> Story:
    """The same between two marks, so that nothing clears and nothing is late."""
    return Story(story.subject, (Segment(tuple(story.events), 0),))


@pytest.mark.parametrize("subject", SUBJECTS)
@given(data=st.data(), seed=SEEDS)
@settings(deadline=None, max_examples=60)
def test_the_value_can_be_derived_again_from_the_offsets_in_the_evidence(
    subject: str, data: st.DataObject, seed: int
) -> None:
    story = data.draw(stories(subject))
    if subject == "actor":
        story = one_stretch(story)
    for fact in facts(applied(subject, cut(story, seed))):
        if fact.evidence is not None:
            assert fact.evidence.value == pytest.approx(derived_again(story, fact.evidence))


def derived_again(story: Story, evidence: Evidence) -> float:
    """The value from the raw events alone: those at the named offsets, of the subject, within the window."""
    offsets = {(each.topic, each.partition): range(each.from_, each.to) for each in evidence.sources}
    start, end = to_ms(evidence.window.from_), to_ms(evidence.window.to)
    found = [
        event
        for event in story.events
        if event.offset in offsets.get(source_name(event.source), ())
        and start <= event.at_ms < end
        and evidence.subject in (f"channel:{event.channel}", actor(event.ip or ""))
    ]
    complaints = [event for event in found if event.what == "complaints"]
    if evidence.indicator == "complaint_volume":
        return plain_count(complaints, limit=2)
    if evidence.indicator == "click_fraud":
        return sum(event.count for event in found)
    purchases = sum(event.count for event in found if event.what == "purchases")
    return plain_count(complaints, limit=int(Fraction(purchases, 10))) / purchases
