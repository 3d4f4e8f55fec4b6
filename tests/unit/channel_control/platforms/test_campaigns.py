"""Campaigns as carriers of our orders: whatever is ordered, a resume brings back what was there before."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.channels import TargetStatus, WantedState
from services.channel_control.enforcing.reconcile import CONFLICT, Trouble
from services.channel_control.platforms.campaigns import (
    Campaign,
    Change,
    Note,
    change,
    changes,
    is_note,
    read_note,
    share,
    shown,
)

TARGET = "channel:a"
UNIT = 100
STATES: st.SearchStrategy[tuple[TargetStatus, float]] = st.one_of(
    st.sampled_from([("paused", 0.0), ("frozen", 0.0), ("taken_down", 0.0), ("running", 1.0)]),
    st.floats(0, 1).map(lambda factor: ("throttled", factor)),
)


def order(generation: int, status: TargetStatus, factor: float) -> WantedState:
    return WantedState(target=TARGET, status=status, factor=factor, generation=generation)


def after(made: Change) -> Campaign:
    return replace(made.campaign, on=made.on, budget=made.budget, note=read_note(made.note.text()))


def carried_out(campaigns: list[Campaign], wanted: WantedState) -> list[Campaign]:
    made = changes(campaigns, wanted, UNIT)
    assert not isinstance(made, Trouble)
    return [after(each) for each in made]


before = st.builds(Campaign, st.just("1"), st.booleans(), st.integers(1, 1000).map(lambda n: n * UNIT))


@settings(max_examples=200)
@given(
    campaigns=st.lists(before, min_size=1, max_size=3),
    orders=st.lists(st.tuples(STATES, st.integers(1, 2)), max_size=8),
)
def test_what_was_there_comes_back(
    campaigns: list[Campaign], orders: list[tuple[tuple[TargetStatus, float], int]]
) -> None:
    now = campaigns
    for generation, ((status, factor), times) in enumerate(orders, 1):
        wanted = order(generation, status, factor)
        for _ in range(times):
            now = carried_out(now, wanted)
        assert shown(TARGET, now, UNIT).state == wanted
        assert all((now_.budget or 0) <= (then.budget or 0) for now_, then in zip(now, campaigns, strict=True))
        assert all(then.on or not now_.on for now_, then in zip(now, campaigns, strict=True)), "what was off stays off"
    now = carried_out(now, order(99, "running", 1.0))
    assert [(each.on, each.budget) for each in now] == [(each.on, each.budget) for each in campaigns]


@given(
    note=st.builds(
        Note,
        st.integers(0, 10**9),
        st.sampled_from(["running", "throttled", "paused", "frozen", "taken_down"]),
        st.floats(0, 1),
        st.booleans(),
        st.none() | st.integers(1, 10**14),
    )
)
def test_a_note_says_all_of_it_in_one_short_line(note: Note) -> None:
    assert read_note(note.text()) == note
    assert is_note(note.text())
    assert len(note.text()) <= 80
    assert note.text().isascii()


@pytest.mark.parametrize("text", ["", "spring", "tidegate", "tidegate 1 paused 0.0 on", "tidegate x paused 0.0 on 5"])
def test_what_a_person_made_of_a_note_is_none(text: str) -> None:
    assert read_note(text) is None


def test_a_newer_generation_stays() -> None:
    campaign = Campaign("1", False, 500, Note(5, "paused", 0.0, True, 500))
    trouble = change(campaign, order(4, "running", 1.0), UNIT)
    assert trouble == Trouble(CONFLICT, "campaign 1 has a newer generation")


def test_without_a_budget_of_its_own_it_can_be_stopped_but_not_slowed() -> None:
    campaign = Campaign("1", True, None)
    stopped = carried_out([campaign], order(1, "paused", 0.0))
    assert shown(TARGET, stopped, UNIT).state == order(1, "paused", 0.0)
    trouble = change(campaign, order(1, "throttled", 0.5), UNIT)
    assert isinstance(trouble, Trouble)
    assert trouble.text == "campaign 1 has no daily budget of its own that could be cut"


@pytest.mark.parametrize("ordered", [("paused", 0.0), ("running", 1.0), ("throttled", 0.5)])
def test_campaigns_that_differ_are_never_what_is_wanted(ordered: tuple[TargetStatus, float]) -> None:
    wanted = order(1, *ordered)
    for hand in ({"on": False}, {"on": True, "budget": 90_000}, {"on": True, "budget": 10_000}):
        one, two = carried_out([Campaign("1", True, 90_000), Campaign("2", True, 90_000)], wanted)
        moved = replace(two, **hand)
        if (moved.on, moved.budget) == (two.on, two.budget) or (wanted.status == "running" and moved.on):
            continue  # as it was; and the budget of what runs is its owner's affair
        if wanted.status == "paused" and not moved.on:
            continue
        assert shown(TARGET, [one, moved], UNIT).state != wanted


def test_a_budget_is_cut_to_whole_units_and_never_to_nothing() -> None:
    assert share(1_050, 0.5, UNIT) == 500
    assert share(100, 0.0, UNIT) == UNIT
