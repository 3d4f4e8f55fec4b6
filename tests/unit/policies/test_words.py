"""What the checks say is said in both languages, and what others must agree to is marked where it stands."""

import re
from typing import Any

import pytest

from schemas import problem_words
from schemas.policy import Policy
from services.policies.changed_words import changed_rows
from services.policies.differences import asks_fewer, becomes_auto
from services.policies.meaning import Meaning, meanings
from services.policies.reading import check
from services.policies.words import looser
from tests.support.twelve import TWELVE


def policy(**fields: Any) -> Policy:
    return Policy.model_validate({"version": 1, **fields})


@pytest.mark.parametrize(
    "text",
    [
        "version: 0",
        "versio: 1",
        "version: [1",
        "version: 1\nname: a\nname: b",
        "version: 1\nmax_silence: 2 hours",
        "version: 1\ntime_zone: Mars",
        "version: 1\nname: a/b",
        "version: 1\nindicators: {no_such: {}}",
        "version: 1\nindicators: {complaint_rate: {maturity: often}}",
        "version: 1\nindicators: {complaint_rate: {maturity: {freeze: auto}}}",
        "version: 1\nindicators: {complaint_volume: {fire: {hold: 1h}}}",
        "version: 1\nindicators: {complaint_volume: {overrides: {'actor:x': {}}}}",
        "version: 1\nindicators: {complaint_volume: {thresholds: {complaints: many}}}",
        "version: 1\nindicators: {complaint_volume: {enabled: 7}}",
        "version: 1\nindicators: []",
        "version: 1\napprovals: {expire: 90d}",
    ],
)
def test_every_problem_has_its_words_in_chinese(text: str) -> None:
    found, problems = check(text)
    assert found is None
    for each in problems:
        both = problem_words.both(each.flaw.problem)
        assert both.zh != both.en


@pytest.mark.parametrize("each", meanings(Policy(version=1)), ids=lambda each: each.id)
def test_an_indicator_and_its_figures_are_explained_in_both_languages(each: Meaning) -> None:
    said = [each.about, *(figure.meaning for figure in each.figures)]
    assert [both for both in said if not re.search(r"[\u4e00-\u9fff]", both.zh)] == []
    assert [both for both in said if re.search(r"[\u4e00-\u9fff]|^$", both.en)] == []


def test_what_is_not_known_stays_as_it_is() -> None:
    assert problem_words.both("is odd").zh == "is odd"
    assert looser("something: else").zh == "something: else"


FREER = policy(
    governor={"channels_at_once": 50},
    four_eyes={"orders": ["guardrail", "policy"], "approvals": 1},
    indicators={
        "complaint_rate": {"maturity": {"throttle": "auto"}, "resume": {"auto": {"pause": True}}},
        "cac_spike": {"overrides": {"channel:douyin": {"maturity": {"throttle": "auto"}}}},
    },
)


def test_what_others_must_agree_to_is_said_in_both_languages() -> None:
    lines = [*becomes_auto(policy(), FREER), *asks_fewer(policy(), FREER)]
    assert len(lines) >= 7
    assert all(looser(line).en != line and looser(line).zh != looser(line).en for line in lines)
    assert looser("governor: off").zh == "总闸被关闭"


def test_the_rows_of_what_others_must_agree_to_are_marked() -> None:
    marked = {row.path for row in changed_rows(policy(), FREER) if row.needs_others}
    assert marked == {
        "governor.channels_at_once",
        "four_eyes.orders",
        "four_eyes.approvals",
        "indicators.complaint_rate.maturity.throttle",
        "indicators.complaint_rate.resume.pause.auto",
        "indicators.cac_spike.overrides.channel:douyin.maturity.throttle",
    }
    assert not any(row.needs_others for row in changed_rows(FREER, policy()))


def test_a_number_of_its_own_is_no_difference() -> None:
    assert changed_rows(policy(), policy().model_copy(update={"version": 2})) == []


def test_every_figure_of_every_indicator_can_be_read() -> None:
    own = {"maturity": "shadow", "thresholds": {"complaints": 30}, "overrides": {"channel:a": {"enabled": False}}}
    found = {each.id: each for each in meanings(policy(indicators={"complaint_volume": own}))}
    assert found.keys() >= TWELVE
    volume = found["complaint_volume"]
    assert [figure.name for figure in volume.figures if figure.own] == ["complaints"]
    assert (volume.maturity, volume.told) == ({"pause": "shadow"}, "shadow")
    assert [(each.subject, list(each.figures)) for each in volume.exceptions] == [
        ("channel:a", [("enabled", True, False)])
    ]
