"""The charts of a trial say whose trips they show, and do not pile marks on each other."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schemas.policy import Policy
from services.console.jobs.trials import outcome_of
from services.console.pages.policy.trial_charts import TrialCharts
from services.indicators.windows.days import Span
from services.policies.meaning import titles
from tests.support.indicator_log import TEN
from tests.unit.cli.backtest.stories import HOUR, Story, over

ZONE = ZoneInfo("Asia/Shanghai")


def policy(version: int, complaints: int) -> Policy:
    volume: dict[str, Any] = {"maturity": "notify", "thresholds": {"complaints": complaints}}
    return Policy.model_validate({"version": version, "indicators": {"complaint_volume": volume}})


@pytest.mark.parametrize(("language", "title"), [("en", "Complaints of a day"), ("zh", "当日投诉量")])
def test_both_policies_have_a_row_of_marks(language: Any, title: str) -> None:
    story = Story()
    story.complaints(45)
    outcome = outcome_of(over(story.records(), policy(1, 20), policy(2, 30)))
    charts = TrialCharts(outcome, titles(), ZONE, language)
    for drawn in (charts.all_trips(), charts.one(outcome.drawings[0], ("default/1", "default/2"))):
        assert drawn.count('class="mark of-0"') == drawn.count('class="mark of-1"') == 1
        assert title in drawn
    assert charts.one(outcome.drawings[0], ("default/1", "default/2")).count('class="limit') == 2
    assert charts.title("unheard_of") == "unheard_of"


def test_of_many_trips_at_one_moment_one_is_marked() -> None:
    story = Story()
    for n in range(40):
        story.complaints(20, TEN, 1000, channel=f"c{n}")
    window = Span(TEN - 200 * HOUR, TEN + 2 * HOUR)
    outcome = outcome_of(over(story.records(), policy(1, 20), policy(2, 200), window=window))
    assert [len(side) for side in outcome.trips] == [40, 0]
    assert TrialCharts(outcome, titles(), ZONE, "en").all_trips().count('class="mark') == 1
    assert len(outcome.drawings) == 8
