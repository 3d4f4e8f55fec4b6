"""Readings of the market come late, twice and corrected."""

import random
import time

import pytest

from schemas.policy import Policy
from tests.unit.indicators.world import HOUR, MINUTE, World

DIRECTORY = {
    "products": {
        "stock-1": {"name": {"en": "Stock One", "zh": "股一"}, "kind": "equity", "risk": "high"},
        "bond-1": {"name": {"en": "Bond One", "zh": "债一"}, "kind": "bond", "risk": "low"},
    }
}
Reading = tuple[str, float]


def rates(world: World, *readings: Reading, series: str = "lpr_1y") -> None:
    for number, (month, percent) in enumerate(readings):
        world.raw("rate", number * MINUTE, series=series, month=month, percent=percent)


@pytest.mark.parametrize(
    ("readings", "trips"),
    [
        ([("2026-03", 3.51), ("2026-01", 3.0), ("2026-02", 3.2)], True),  # in any order
        ([("2025-12", 3.0), ("2026-01", 3.0), ("2026-02", 3.51)], True),  # over a year's end
        ([("2026-01", 3.0), ("2026-03", 3.6)], False),  # a month is missing
        ([("2026-01", 3.0), ("2026-02", 3.0), ("2026-03", 3.6), ("2026-05", 4.0)], True),  # when it came
        ([("2026-01", 3.0), ("2026-02", 3.0), ("2026-02", 3.2), ("2026-03", 3.5)], False),  # 50 bp are not more than 50
        ([("2026-01", 3.0), ("2026-01", 3.2), ("2026-02", 3.2), ("2026-03", 3.6)], False),  # corrected before
        ([("2026-01", 3.2), ("2026-01", 3.0), ("2026-02", 3.2), ("2026-03", 3.6)], True),
        ([("2026-01", 3.6), ("2026-02", 3.2), ("2026-03", 3.0)], False),  # it falls
    ],
)
def test_a_rate_rises_over_three_consecutive_months(readings: list[Reading], trips: bool) -> None:
    world = World("market")
    rates(world, *readings)
    assert [command.command for command in world.commands] == ["escalate"] * trips


def test_a_series_that_the_policy_does_not_name_is_kept_only() -> None:
    world = World("market")
    rates(world, ("2026-01", 3.0), ("2026-02", 3.2), ("2026-03", 9.0), series="shibor")
    assert world.facts == []


def test_a_correction_ends_the_episode() -> None:
    world = World("market")
    rates(world, ("2026-01", 3.0), ("2026-02", 3.2), ("2026-03", 3.6))
    world.raw("rate", 20 * MINUTE, series="lpr_1y", month="2026-03", percent=3.3)
    world.mark(HOUR)
    assert world.told() == [("open", "warning", 1), ("resolved", None, None)]


def test_high_risk_products_wait_to_be_slowed_and_safer_ones_are_named() -> None:
    world = World("market", Policy.model_validate({"version": 1, "directory": DIRECTORY}))
    world.raw("gdp_growth", 0, quarter="2026-Q2", percent=4.8)
    assert [(each.command, each.target, each.maturity, each.factor) for each in world.commands] == [
        ("escalate", "market:gdp", "auto", None),
        ("throttle", "product:stock-1", "approve", 0.5),
    ]
    (fact,) = world.facts
    assert fact.title is not None and fact.summary is not None
    assert fact.title.en == "Growth 2026-Q2 was 4.8 %, under 5 %"
    assert "bond-1" in fact.summary.en and "bond-1" in fact.summary.zh


def test_each_change_of_policy_is_told_and_nothing_is_ordered() -> None:
    world = World("market")
    world.raw("policy_change", 0, title="Cooling-off period", url="https://example.org/notice")
    world.raw_events([("policy_change", at, {"title": f"Another, {at}"}) for at in (0, 4 * MINUTE, 9 * MINUTE)])
    world.mark(HOUR)
    assert [fact.status for fact in world.facts] == ["open", "updated", "updated", "updated", "resolved"]
    assert [fact.title.en for fact in world.facts if fact.title is not None] == [
        "Policy change: Cooling-off period",
        "Policy change: Another, 0 and 1 more",
        "Policy change: Another, 240000 and 2 more",
        "Policy change: Another, 540000",
    ]
    assert {fact.severity for fact in world.facts} == {"info", None}
    assert world.commands == []


def test_the_evidence_of_many_changes_of_policy_stays_short() -> None:
    world = World("market")
    world.raw_events([("policy_change", n, {"title": "长" * 2000, "url": "u" * 2000}) for n in range(100)])
    assert len(world.facts) == 100
    assert max(len(output.value or b"") for output in world.outputs) < 512 * 1024


@pytest.mark.parametrize("series", ["gdp", "policy"])
def test_a_rate_with_the_name_of_another_series_is_only_a_rate(series: str) -> None:
    world = World("market")
    rates(world, ("2026-01", 3.0), ("2026-02", 3.2), ("2026-03", 3.6), series=series)
    assert world.facts == []


def test_thousands_of_readings_in_disorder_keep_nobody_waiting() -> None:
    world = World("market")
    months = [f"{year}-{month:02}" for year in range(1800, 2000) for month in range(1, 13)]
    random.Random(1).shuffle(months)
    began = time.process_time()
    said = {"series": "lpr_1y", "percent": 3.0}
    world.raw_events([("rate", -n * MINUTE, {**said, "month": month}) for n, month in enumerate(months)])
    assert time.process_time() - began < 10
