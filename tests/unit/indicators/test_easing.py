"""What the targets of an episode are told when it is over, so that what holds them may be resumed."""

from tests.support.indicator_log import easings, policy
from tests.unit.indicators.test_divergence import hour, panicking
from tests.unit.indicators.world import HOUR, MINUTE, World

BOT = "actor:bot"


def test_an_episode_that_is_over_says_so_to_each_target_that_it_held_once() -> None:
    world = panicking()
    (pause,) = [each for each in world.commands if each.command == "pause"]
    assert easings(world.outputs) == []
    for number in range(26, 60):
        hour(world, number, 10, 3)
    (eased,) = easings(world.outputs)
    assert (eased.target, eased.alert_id, eased.issued_by) == (pause.target, pause.alert_id, pause.issued_by)
    assert (eased.level, eased.maturity, eased.evidence) == (None, None, None)
    ended = [fact for fact in world.facts if fact.status == "resolved"]
    assert [fact.event_time for fact in ended] == [eased.event_time]


def test_midnight_says_so_too_and_leaves_it_to_the_policy() -> None:
    world = World("channel")
    world.complaints(20, at=13.5 * HOUR)
    world.mark(15 * HOUR)
    assert [each.target for each in easings(world.outputs)] == ["channel:douyin"]


def test_to_call_people_is_nothing_to_resume_and_each_burst_eases_by_itself() -> None:
    world = World("actor")
    world.clicks(120, at=0)
    world.clicks(120, at=HOUR)
    world.mark(3 * HOUR)
    found = easings(world.outputs)
    assert [each.target for each in found] == [target for word, target, _ in world.ordered() if word == "freeze"]
    assert len({each.command_id for each in found}) == 2


def test_an_episode_that_ordered_nothing_or_was_switched_off_eases_nothing() -> None:
    only_told = policy(complaint_volume={"maturity": "notify"})
    world = World("channel", only_told)
    world.complaints(20, at=13.5 * HOUR)
    world.mark(15 * HOUR)
    assert [fact.status for fact in world.facts] == ["open", "resolved"] and easings(world.outputs) == []
    world = World("channel")
    world.complaints(20, at=0)
    world.mark(MINUTE, in_force=policy(2, complaint_volume={"enabled": False}))
    assert [fact.status for fact in world.facts] == ["open", "resolved"] and easings(world.outputs) == []
