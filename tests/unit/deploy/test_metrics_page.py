"""The registry of metrics: what the docs say of it, its names and its labels."""

import re

import pytest

from deploy import metrics_page
from deploy.metrics_page import LABELS, UNITS, Told

ALL = metrics_page.registry()
WORDS = (
    "target_up",
    "kafka_up",
    "platform_up",
    "part_ok",
    "partition_paused",
    "automation_off",
    "unconfirmed",
    "policy_version",
    "indicator_value",
    "indicator_threshold",
    "indicator_verdict",
    "business_goal",
    "info",
)
"""How the name of a gauge without a unit may end: what is 0 or 1, or a number of its own."""


def test_the_page_is_current() -> None:
    assert metrics_page.PAGE.read_text("utf-8") == metrics_page.page()


def test_no_name_is_told_twice() -> None:
    names = [told.name for told in ALL]
    assert len(names) == len(set(names)) > 40


@pytest.mark.parametrize("told", ALL, ids=lambda told: str(told.name))
def test_names_follow_the_conventions(told: Told) -> None:
    assert re.fullmatch(r"tidegate_[a-z]+(_[a-z]+)*", told.name)
    assert told.name.endswith("_total") == (told.type == "counter")
    assert told.says.endswith(".")
    if told.type == "histogram":
        assert told.unit == "seconds"
    if told.type in ("gauge", "info"):
        assert told.unit in UNITS or told.name.endswith(WORDS)


def test_every_label_is_bounded() -> None:
    assert {label for told in ALL for label in told.labels} == set(LABELS)


def test_no_label_can_name_a_person_or_one_of_many() -> None:
    assert not set(LABELS) & {"ip", "account", "account_id", "id", "alert_id", "event_id", "actor", "text", "person"}
