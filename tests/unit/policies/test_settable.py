"""What the form changes is what differs, and nothing else."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.policy import Policy
from services.policies.differences import changes
from services.policies.editing import CannotEditError
from services.policies.reading import check
from services.policies.settable import Settable, put_figure, settable

DEFAULT = (Path(__file__).parents[3] / "deploy/policy.yaml").read_text("utf-8")
OWN = """version: 2
indicators:
  complaint_rate:
    maturity: approve  # both
    overrides:
      channel:douyin: {maturity: notify}
"""
FIGURES = list(settable(Policy(version=1)))
MATURITIES = ["shadow", "notify", "approve", "auto"]


def other(figure: Settable, maturity: str) -> str:
    """A value that the figure does not have by default, as somebody types it."""
    if figure.name.startswith("maturity"):
        return maturity
    if isinstance(figure.now, bool):
        return "true" if not figure.now else "false"
    return str(figure.now + 1) if isinstance(figure.now, int) else str(figure.now / 2)


@settings(max_examples=25, deadline=None)
@given(
    text=st.sampled_from([DEFAULT, "version: 1", OWN]),
    figure=st.sampled_from([each for each in FIGURES if each.now is not None]),
    subject=st.sampled_from(["", "douyin", "a b"]),
    maturity=st.sampled_from(MATURITIES),
)
def test_one_change_is_one_difference(text: str, figure: Settable, subject: str, maturity: str) -> None:
    if isinstance(figure.now, str) and not figure.name.startswith("maturity"):
        return
    before, _ = check(text)
    after, problems = check(put_figure(text, figure.indicator, figure.name, subject, other(figure, maturity)))
    assert before is not None
    if after is None:
        assert problems, "what the rule refuses is told"
        return
    found = changes(before, after)
    about = f"{figure.subject}:{subject}" if subject else ""
    assert {(each.indicator, each.subject, each.name) for each in found} <= {(figure.indicator, about, figure.name)}
    if not figure.name.startswith("maturity"):
        assert found or text == DEFAULT or figure.now in (0, 0.0)


def test_of_one_word_for_all_actions_the_others_keep_it() -> None:
    edited = put_figure(OWN, "complaint_rate", "maturity.pause", "", "auto")
    assert "maturity: {throttle: approve, pause: auto}  # both" in edited
    edited = put_figure(OWN, "complaint_rate", "maturity.pause", "channel:douyin", "auto")
    assert "channel:douyin: {maturity: {throttle: notify, pause: auto}}" in edited


@pytest.mark.parametrize(
    ("indicator", "name", "value"),
    [
        ("no_such", "enabled", "true"),
        ("complaint_rate", "overrides", "{}"),
        ("complaint_rate", "maturity.pause", "now"),
        ("complaint_rate", "thresholds.slow_at", ""),
        ("complaint_rate", "thresholds.slow_at", "[1"),
        ("complaint_rate", "thresholds.slow_at", "1\nversion: 9"),
    ],
)
def test_what_is_no_figure_changes_nothing(indicator: str, name: str, value: str) -> None:
    with pytest.raises(CannotEditError):
        put_figure(OWN, indicator, name, "", value)
