"""Whose text it is: reviewed, corrected, or tampered with."""

import pytest

from services.scanning.fingerprints import fingerprint
from tests.unit.indicators.subjects.test_content import (
    BAD,
    GOOD,
    PROMPTS,
    TAKE_DOWN,
    Restarts,
    publish,
    remove,
    statuses,
)
from tests.unit.indicators.world import HOUR, MINUTE, World

OTHER = f"全新升级！{PROMPTS}"


def kinds(world: World) -> list[str]:
    """Of the findings that were told last."""
    evidence = world.facts[-1].evidence
    return [] if evidence is None else [each["kind"] for each in evidence.detail["findings"]]


@pytest.mark.parametrize("channel", ["douyin", "weibo"])
@pytest.mark.parametrize("restart", [False, True])
def test_another_clean_text_under_the_same_id_is_tampered(channel: str, restart: bool) -> None:
    world = World("content")
    publish(world, GOOD)
    world.mark(HOUR)
    if restart:
        Restarts(world).restart()
    publish(world, OTHER, HOUR, channel)
    assert world.ordered() == [TAKE_DOWN]
    assert kinds(world) == ["tampered"]
    assert world.facts[0].title is not None and "文本自首次发布后被改动" in world.facts[0].title.zh


def test_the_same_text_as_platforms_write_it_is_the_same() -> None:
    world = World("content")
    publish(world, GOOD)
    publish(world, GOOD.replace("，", " ，\n"), MINUTE, "weibo")
    assert world.facts == []


def test_a_new_version_that_was_reviewed_is_none() -> None:
    world = World("content")
    publish(world, GOOD)
    publish(world, OTHER, MINUTE, reviewed_fingerprint=fingerprint(OTHER))
    publish(world, OTHER, 2 * MINUTE, "weibo")
    publish(world, GOOD, 3 * MINUTE)
    assert world.facts == [], "both are known from now on"


def test_a_text_that_its_reviewers_did_not_see_is_tampered_however_known() -> None:
    world = World("content")
    publish(world, GOOD)
    publish(world, GOOD, MINUTE, reviewed_fingerprint=fingerprint(OTHER))
    assert kinds(world) == ["tampered"]
    assert world.facts[0].title is not None and "not the one that its reviewers saw" in world.facts[0].title.en
    publish(world, GOOD, 2 * MINUTE)
    world.mark(10 * MINUTE)
    assert statuses(world) == ["open", "resolved"]


def test_a_tampered_text_stays_one_until_it_is_reviewed_or_put_back() -> None:
    world = World("content")
    publish(world, GOOD)
    publish(world, OTHER, MINUTE)
    publish(world, OTHER, 2 * MINUTE)
    world.mark(10 * MINUTE)
    assert "resolved" not in statuses(world), "saying it again is no correction"
    publish(world, OTHER, 11 * MINUTE, reviewed_fingerprint=fingerprint(OTHER))
    world.mark(20 * MINUTE)
    assert statuses(world)[-1] == "resolved"


def test_putting_the_reviewed_text_back_ends_it() -> None:
    world = World("content")
    publish(world, GOOD)
    publish(world, OTHER, MINUTE)
    publish(world, GOOD, 2 * MINUTE)
    world.mark(10 * MINUTE)
    assert statuses(world) == ["open", "resolved"]


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("taken_down", [False, True])
def test_the_correction_of_content_in_trouble_is_none_also_when_it_was_taken_down_before(
    taken_down: bool, restart: bool
) -> None:
    world = World("content")
    publish(world, BAD)
    if taken_down:
        remove(world, 5 * MINUTE)
        world.mark(15 * MINUTE)
        assert statuses(world) == ["open", "resolved"]
    if restart:
        Restarts(world).restart()
    publish(world, GOOD, 20 * MINUTE)
    world.mark(HOUR)
    assert statuses(world) == ["open", "resolved"]
    publish(world, OTHER, 2 * HOUR)
    assert kinds(world) == ["tampered"], "what comes after the correction is no correction"


def test_a_correction_needs_its_reviewers_as_any_text_does() -> None:
    world = World("content")
    publish(world, BAD)
    publish(world, GOOD, MINUTE, reviewers=["wang"])
    world.mark(10 * MINUTE)
    assert "resolved" not in statuses(world)
    publish(world, GOOD, 11 * MINUTE)
    world.mark(20 * MINUTE)
    assert statuses(world)[-1] == "resolved"


def test_clean_content_that_was_removed_may_not_come_back_as_another() -> None:
    world = World("content")
    publish(world, GOOD)
    remove(world, MINUTE)
    world.mark(HOUR)
    publish(world, OTHER, HOUR)
    assert kinds(world) == ["tampered"]


def test_other_content_is_none_of_its_business() -> None:
    world = World("content")
    publish(world, GOOD)
    publish(world, OTHER, MINUTE, content_id="c-2")
    assert world.facts == []
