"""Stories of one machine whose policy changes, and of subjects that have a policy of their own."""

from typing import Any

import pytest

from schemas.base import Maturity
from schemas.policy import Policy
from services.indicators.machine import build
from tests.support.indicator_log import policy
from tests.support.replay import Plan, assert_replay_safe
from tests.unit.indicators.world import DOUYIN, HOUR, MINUTE, World


def volume(version: int = 1, **says: Any) -> Policy:
    """A policy that says something of complaint_volume."""
    return policy(version, complaint_volume=says)


def rate(version: int = 1, **says: Any) -> Policy:
    """A policy of complaint_rate alone."""
    return policy(version, complaint_rate=says, complaint_volume={"enabled": False})


def of_douyin(**says: Any) -> dict[str, Any]:
    """Said of one channel only."""
    return {"overrides": {DOUYIN: says}}


def rated(world: World, per_thousand: int, at: float = 0) -> None:
    """Complaints against a thousand purchases, and the pane's close."""
    world.happen(world.event("purchases", at, count=1000))
    world.complaints(per_thousand, at=at, every=10)
    world.mark(at + 6 * MINUTE)


def statuses(world: World) -> list[str | None]:
    return [fact.status for fact in world.facts]


def test_a_lower_figure_fires_what_did_not_and_repeats_nothing() -> None:
    world = World("channel")
    world.complaints(25, at=0)
    world.complaints(15, at=0, channel="weibo")
    before = len(world.commands)
    world.mark(MINUTE, in_force=volume(2, thresholds={"complaints": 10}))
    new = world.commands[before:]
    assert [(command.target, command.level) for command in new] == [("channel:weibo", 1)]
    assert new[0].evidence is not None and new[0].evidence.policy.version == 2
    world.complaints(14, at=2 * MINUTE)
    assert len(world.commands) == before + 1  # 39: the second doubling of ten was reached before
    world.complaints(1, at=3 * MINUTE)
    assert world.ordered()[-1] == ("pause", DOUYIN, 3)


def test_a_higher_figure_clears_at_the_next_close() -> None:
    world = World("channel")
    world.complaints(25, at=0)
    world.mark(MINUTE, in_force=volume(2, thresholds={"complaints": 100}))
    assert statuses(world) == ["open"]
    world.mark(10 * MINUTE)
    assert statuses(world) == ["open", "resolved"]
    assert world.ordered() == [("pause", DOUYIN, 1)], "and nothing that would lift the hold"
    assert world.facts[-1].summary is not None and "stays in force until it is lifted" in world.facts[-1].summary.en


@pytest.mark.parametrize("change", [{"enabled": False}, {"maturity": "shadow"}])
def test_an_indicator_that_is_switched_off_closes_its_alert(change: dict[str, Any]) -> None:
    world = World("channel")
    world.complaints(25, at=0)
    world.mark(MINUTE, in_force=volume(2, **change))
    assert statuses(world) == ["open", "resolved"]
    world.complaints(25, at=0, account=None)
    assert len(world.facts) == 2
    world.mark(MINUTE, in_force=policy(3))
    assert statuses(world) == ["open", "resolved", "open"]


# -- subjects of their own


def test_one_channel_may_have_figures_of_its_own() -> None:
    world = World("channel", volume(thresholds={"complaints": 10}, **of_douyin(thresholds={"complaints": 40})))
    world.complaints(20, at=0)
    assert world.ordered() == []
    world.complaints(10, at=0, channel="weibo")
    assert world.ordered() == [("pause", "channel:weibo", 1)]


def test_one_channel_may_be_left_alone_or_be_the_only_one() -> None:
    for general, own, paused in [(True, False, "channel:weibo"), (False, True, DOUYIN)]:
        world = World("channel", volume(enabled=general, **of_douyin(enabled=own)))
        world.complaints(20, at=0)
        world.complaints(20, at=0, channel="weibo")
        world.mark(HOUR)
        assert world.ordered() == [("pause", paused, 1)]
        assert {fact.subject for fact in world.facts} == {paused}


@pytest.mark.parametrize(
    ("maturity", "orders", "alerts"), [("shadow", 0, 0), ("notify", 0, 1), ("approve", 1, 1), ("auto", 1, 1)]
)
def test_one_channel_may_have_a_maturity_of_its_own(maturity: Maturity, orders: int, alerts: int) -> None:
    world = World("channel", volume(**of_douyin(maturity={"pause": maturity})))
    world.complaints(20, at=0)
    assert (len(world.commands), len(world.facts)) == (orders, alerts)
    assert all(command.maturity == maturity for command in world.commands)
    world.complaints(20, at=0, channel="weibo")
    assert [each.maturity for each in world.commands if each.target == "channel:weibo"] == ["auto"]


def test_one_channel_may_clear_in_its_own_time() -> None:
    world = World("channel", rate(clear={"hold": "10m"}, **of_douyin(clear={"hold": "1h"})))
    for channel in ("douyin", "weibo"):
        world.happen(world.event("purchases", 0, count=400, channel=channel))
        world.complaints(8, at=0, every=10, channel=channel)
    world.mark(6 * MINUTE)
    for channel in ("douyin", "weibo"):
        world.happen(world.event("purchases", 7 * MINUTE, count=400, channel=channel))
    world.mark(HOUR)
    assert [fact.subject for fact in world.facts if fact.status == "resolved"] == ["channel:weibo"]
    world.mark(1.5 * HOUR)
    assert world.facts[-1].subject == DOUYIN and world.facts[-1].status == "resolved"


# -- figures that change while an episode stands


def test_lower_figures_of_one_channel_repeat_nothing() -> None:
    world = World("channel")
    world.complaints(25, at=0)
    world.mark(MINUTE, in_force=volume(2, **of_douyin(thresholds={"complaints": 10})))
    world.mark(HOUR)
    assert (statuses(world), len(world.commands)) == (["open"], 1)


def test_higher_figures_of_one_channel_clear_its_alert_and_lift_nothing() -> None:
    world = World("channel")
    world.complaints(25, at=0)
    world.complaints(25, at=0, channel="weibo")
    world.mark(MINUTE, in_force=volume(2, **of_douyin(thresholds={"complaints": 100})))
    world.mark(10 * MINUTE)
    assert [(fact.subject, fact.status) for fact in world.facts][2:] == [(DOUYIN, "resolved")]
    assert {command.command for command in world.commands} == {"pause"}


def test_a_lower_figure_of_a_ratio_does_not_slow_again() -> None:
    world = World("channel", rate())
    rated(world, 30)
    assert world.ordered() == [("throttle", DOUYIN, 1)]
    world.mark(7 * MINUTE, in_force=rate(2, thresholds={"slow_at": 0.01}))
    world.mark(HOUR)
    assert (statuses(world), len(world.commands)) == (["open"], 1)


def test_a_lower_figure_of_a_ratio_brings_the_stronger_action_once_in_the_same_episode() -> None:
    world = World("channel", rate())
    rated(world, 35)
    world.mark(7 * MINUTE, in_force=rate(2, **of_douyin(thresholds={"pause_at": 0.025})))
    world.mark(HOUR)
    assert world.ordered() == [("throttle", DOUYIN, 1), ("pause", DOUYIN, 2)]
    assert statuses(world) == ["open", "updated"]
    assert len({fact.alert_id for fact in world.facts}) == 1
    assert [command.evidence.policy.version for command in world.commands if command.evidence] == [1, 2]


def test_a_higher_figure_of_a_ratio_clears_in_due_time_and_lifts_nothing() -> None:
    world = World("channel", rate())
    rated(world, 30)
    world.mark(7 * MINUTE, in_force=rate(2, thresholds={"slow_at": 0.04}))
    world.mark(30 * MINUTE)
    assert statuses(world) == ["open"]
    world.mark(HOUR)
    assert statuses(world) == ["open", "resolved"]
    assert len(world.commands) == 1


# -- maturity that changes while an episode stands


@pytest.mark.parametrize("before", ["notify", "approve"])
def test_what_was_told_before_is_not_done_when_more_may_be_done_but_the_next_level_is(before: str) -> None:
    world = World("channel", volume(maturity=before))
    world.complaints(25, at=0)
    told = len(world.commands)
    world.mark(MINUTE, in_force=volume(2, maturity="auto"))
    world.mark(HOUR)
    assert (len(world.commands), statuses(world)) == (told, ["open"])
    world.complaints(15, at=HOUR)
    assert (world.commands[-1].maturity, world.commands[-1].level) == ("auto", 2)


def test_what_was_ordered_is_still_said_to_be_in_force_when_less_may_be_done() -> None:
    world = World("channel")
    world.complaints(25, at=0)
    world.mark(MINUTE, in_force=volume(2, **of_douyin(maturity="notify")))
    world.complaints(15, at=HOUR)
    world.mark(15 * HOUR)
    assert len(world.commands) == 1
    assert statuses(world) == ["open", "updated", "resolved"]
    assert world.facts[-1].summary is not None and "stays in force until it is lifted" in world.facts[-1].summary.en


def test_a_channel_that_goes_into_the_shadow_closes_its_alert_and_others_keep_theirs() -> None:
    world = World("channel")
    world.complaints(25, at=0)
    world.complaints(25, at=0, channel="weibo")
    world.mark(MINUTE, in_force=volume(2, **of_douyin(maturity="shadow")))
    assert [(fact.subject, fact.status) for fact in world.facts][2:] == [(DOUYIN, "resolved")]
    assert world.facts[-1].summary is not None and "stays in force" in world.facts[-1].summary.en
    world.complaints(15, at=HOUR)
    world.mark(HOUR)
    assert len(world.facts) == 3
    assert world.machine.open_episodes == 2, "it goes on in the shadow"


def test_a_channel_that_comes_out_of_the_shadow_tells_and_acts_at_once() -> None:
    world = World("channel", volume(**of_douyin(maturity="shadow")))
    world.complaints(25, at=0)
    assert world.outputs == []
    world.mark(MINUTE, in_force=volume(2))
    assert (statuses(world), world.ordered()) == (["open"], [("pause", DOUYIN, 1)])


def test_a_day_that_is_over_is_remembered_through_the_shadow() -> None:
    world = World("channel")
    world.complaints(25, at=13 * HOUR)
    world.mark(15 * HOUR)
    world.mark(15 * HOUR + MINUTE, in_force=volume(2, maturity="shadow"))
    world.mark(15 * HOUR + 2 * MINUTE, in_force=volume(3))
    world.complaints(1, at=13.9 * HOUR, account="late")
    assert (statuses(world), len(world.commands)) == (["open", "resolved"], 1)


# -- a breach that has to hold


def held() -> World:
    return World("channel", rate(fire={"hold": "20m"}))


def test_a_breach_that_has_to_hold_is_told_when_it_has() -> None:
    world = held()
    rated(world, 30)
    world.mark(24 * MINUTE)
    assert (world.outputs, world.machine.open_episodes) == ([], 0)
    world.mark(26 * MINUTE)
    assert (statuses(world), world.ordered()) == (["open"], [("throttle", DOUYIN, 1)])


def test_a_breach_that_does_not_hold_leaves_no_trace() -> None:
    world = held()
    rated(world, 30)
    world.happen(world.event("purchases", 10 * MINUTE, count=1000))
    world.mark(17 * MINUTE)
    world.complaints(30, at=18 * MINUTE, every=10)
    world.mark(38 * MINUTE)
    assert world.outputs == [], "the twenty minutes begin anew"
    world.mark(42 * MINUTE)
    assert statuses(world) == ["open"]


def test_a_policy_that_no_longer_waits_tells_at_the_next_close() -> None:
    world = held()
    rated(world, 30)
    world.mark(7 * MINUTE, in_force=rate(2))
    assert world.outputs == []
    world.mark(11 * MINUTE)
    assert statuses(world) == ["open"]


@pytest.mark.parametrize("change", [{"enabled": False}, {"maturity": "shadow"}])
def test_a_breach_that_was_not_told_is_not_closed_either(change: dict[str, Any]) -> None:
    world = held()
    rated(world, 30)
    world.mark(7 * MINUTE, in_force=rate(2, **change))
    world.mark(HOUR)
    assert world.outputs == []


def test_a_restart_while_a_breach_holds_changes_nothing() -> None:
    world = held()
    rated(world, 30)
    world.mark(15 * MINUTE)
    world.mark(16 * MINUTE, in_force=rate(2, fire={"hold": "30m"}, **of_douyin(maturity="auto")))
    world.mark(HOUR)
    assert [command.maturity for command in world.commands] == ["auto"]
    for place in range(len(world.log.records)):
        assert_replay_safe(lambda: build("channel", 0), world.log.records, Plan((place,), (place, place + 1), ()))
