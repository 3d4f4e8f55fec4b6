"""What a form changes in a document is all that differs in it, and its comments stay."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.indicators.registry import all_rules, one_of_each
from services.policies.differences import changes
from services.policies.documents import Document
from services.policies.editing import CannotEditError, put, written
from services.policies.reading import check

DEFAULT = (Path(__file__).parents[3] / "deploy/policy.yaml").read_text("utf-8")
BARE = "version: 1"
SPARSE = """version: 3   # the third
indicators:
  complaint_rate: {maturity: {throttle: approve}}  # as agreed
  complaint_volume:
    # watch douyin
    overrides: {"channel:douyin": {thresholds: {warn_share: 0.5}}}
# the end
"""
FIGURES = [(rule, name) for rule in one_of_each(all_rules()) for name in rule.limits.model_fields]
COMMENT = re.compile(r"#.*")


@settings(max_examples=25, deadline=None)
@given(
    text=st.sampled_from([DEFAULT, BARE, SPARSE]),
    figure=st.sampled_from(FIGURES),
    factor=st.sampled_from([0.5, 2]),
    subject=st.sampled_from(["", "x", "a b", "抖音：1"]),
)
def test_one_figure_is_changed_and_nothing_else(
    text: str, figure: tuple[Any, str], factor: float, subject: str
) -> None:
    rule, name = figure
    before, _ = check(text)
    default = rule.limits().model_dump()[name]
    value = type(default)(default * factor) if type(default) in (int, float) and default else default
    place = ["overrides", f"{rule.subject}:{subject}"] if subject else []
    edited = put(text, ["indicators", rule.id, *place, "thresholds", name], value)
    after, problems = check(edited)
    assert set(COMMENT.findall(text)) <= set(COMMENT.findall(edited))
    if after is not None and before is not None:
        found = changes(before, after)
        assert {(each.indicator, each.name.split(".")[1]) for each in found} <= {(rule.id, name)}
        assert bool(found) or value == default or subject
        assert all(each.subject == (f"{rule.subject}:{subject}" if subject else "") for each in found)
    else:
        assert problems, "a figure that the rule refuses is told, not kept quiet"


def test_what_stands_around_a_figure_stays() -> None:
    edited = put(
        SPARSE, ["indicators", "complaint_volume", "overrides", "channel:douyin", "thresholds", "complaints"], 40
    )
    assert edited == SPARSE.replace("warn_share: 0.5}", "warn_share: 0.5, complaints: 40}")
    line = "      complaints: 20            # the channel is paused"
    edited = put(DEFAULT, ["indicators", "complaint_volume", "thresholds", "complaints"], 30)
    assert edited == DEFAULT.replace(line, line.replace("20 ", "30 ").replace("20", "30"), 1)


def test_what_was_not_there_stands_behind_the_rest_of_its_part() -> None:
    assert put(BARE, ["indicators", "complaint_rate", "enabled"], False) == (
        "version: 1\nindicators: {complaint_rate: {enabled: false}}"
    )
    assert put("version: 1\nindicators:\n", ["indicators", "x"], 1) == "version: 1\nindicators: {x: 1}\n"
    lines = put(SPARSE, ["indicators", "click_fraud", "maturity"], "notify").splitlines()
    assert lines[-2:] == ["  click_fraud: {maturity: notify}", "# the end"]


@pytest.mark.parametrize(
    "text",
    [
        "version: [1",
        "",
        "version: 1\nindicators: &a {}\nplatforms: *a",
        "version: 1\nindicators: {a: |-\n  text\n}",
        "version: 1\nindicators: {a: 1,}",
    ],
)
def test_what_only_a_person_can_write_is_left_alone(text: str) -> None:
    try:
        edited = put(text, ["indicators", "b"], 2)
    except CannotEditError:
        return
    assert Document(edited).value == {
        **Document(text).value,
        "indicators": {**Document(text).value["indicators"], "b": 2},
    }


SIGNS = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=8)


@given(st.recursive(st.none() | st.booleans() | st.integers() | SIGNS, lambda each: st.lists(each)))
def test_what_is_written_reads_as_it_was(value: Any) -> None:
    assert Document(f"a: {written(value)}").value == {"a": value}
