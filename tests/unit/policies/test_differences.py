"""Two policies are compared by what they mean, and what may act by itself is found however it comes about."""

from typing import Any

import pytest

from schemas.policy import Policy
from services.policies.differences import becomes_auto, differences


def policy(**fields: Any) -> Policy:
    return Policy.model_validate({"version": 1, **fields})


def of_rate(**says: Any) -> Policy:
    return policy(indicators={"complaint_rate": says})


def test_a_value_that_is_the_default_makes_no_difference() -> None:
    written = of_rate(maturity={"pause": "auto"}, clear={"below": 0.9}, thresholds={"slow_at": 0.02})
    assert differences(policy(), written) == []
    assert differences(policy(), of_rate(overrides={"channel:douyin": {"thresholds": {"slow_at": 0.02}}})) == []


def test_each_difference_has_its_path() -> None:
    after = policy(
        time_zone="UTC",
        shared_addresses=["10.0.0.0/8"],
        directory={"channels": {"douyin": {"name": {"en": "Douyin", "zh": "抖音"}}}},
        indicators={
            "complaint_rate": {
                "maturity": {"throttle": "auto"},
                "clear": {"hold": "1h"},
                "fire": {"hold": "10m"},
                "overrides": {"channel:douyin": {"thresholds": {"slow_at": 0.03}}},
            },
            "click_fraud": {"enabled": False},
        },
    )
    found = differences(policy(), after)
    assert {
        "time_zone: Asia/Shanghai → UTC",
        "shared_addresses: + 10.0.0.0/8",
        "directory.channels.douyin.name.zh: + 抖音",
        "indicators.complaint_rate.maturity.throttle: approve → auto",
        "indicators.complaint_rate.clear.hold: 30m → 1h",
        "indicators.complaint_rate.fire.hold: 0s → 10m",
        "indicators.complaint_rate.overrides.channel:douyin.thresholds.slow_at: 0.02 → 0.03",
        "indicators.click_fraud.enabled: True → False",
    } <= set(found)
    assert not any("overrides.channel:douyin.clear" in line for line in found), "that follows from the line for all"
    assert "shared_addresses: - 10.0.0.0/8" in differences(after, policy())


def test_how_a_hold_is_resumed_is_compared_and_a_guardrail_that_opens_by_itself_needs_a_second_person() -> None:
    opens = of_rate(resume={"watch": "20m", "auto": True})
    assert set(differences(policy(), opens)) == {
        "indicators.complaint_rate.resume.pause.auto: False → True",
        "indicators.complaint_rate.resume.pause.watch: 10m → 20m",
        "indicators.complaint_rate.resume.throttle.watch: 10m → 20m",
    }
    assert becomes_auto(policy(), opens) == ["complaint_rate: resume after pause"]
    assert becomes_auto(opens, policy()) == []


def test_to_let_automation_stop_more_needs_a_second_person_and_less_does_not() -> None:
    wider = policy(governor={"channels_at_once": 6, "traffic_share_per_hour": 0.7})
    assert becomes_auto(policy(), wider) == ["governor: channels_at_once"]
    assert becomes_auto(wider, policy()) == ["governor: traffic_share_per_hour"]
    off = policy(governor={"enabled": False})
    assert becomes_auto(policy(), off) == ["governor: off"]
    assert becomes_auto(off, policy()) == []
    assert "governor.channels_at_once: 5 → 6" in differences(policy(), wider)


SHADOW = {"maturity": "shadow"}
DOUYIN = "channel:douyin"


def test_to_call_people_needs_no_approval() -> None:
    silent = policy(indicators={"click_fraud": {"maturity": "notify"}})
    assert becomes_auto(silent, policy(indicators={"click_fraud": {"maturity": "approve"}})) == []
    assert becomes_auto(silent, policy()) == ["click_fraud: freeze"]


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"maturity": "notify"}, {}, ["pause"]),
        (SHADOW, {"maturity": {"throttle": "auto"}}, ["throttle", "pause"]),
        ({}, {"maturity": "auto"}, ["throttle"]),
        ({"enabled": False}, {}, ["pause"]),
        (
            SHADOW,
            SHADOW | {"overrides": {DOUYIN: {"maturity": "auto"}}},
            [f"throttle on {DOUYIN}", f"pause on {DOUYIN}"],
        ),
        ({"overrides": {DOUYIN: {"maturity": "notify"}}}, {}, [f"pause on {DOUYIN}"]),
        ({"overrides": {DOUYIN: {"enabled": False}}}, {"overrides": {DOUYIN: {}}}, [f"pause on {DOUYIN}"]),
        ({"enabled": False}, {"enabled": False, "overrides": {DOUYIN: {"enabled": True}}}, [f"pause on {DOUYIN}"]),
        ({}, {"thresholds": {"pause_at": 0.03}}, []),
        ({}, {"maturity": "approve"}, []),
        ({"maturity": "auto"}, {"overrides": {DOUYIN: {"clear": {"hold": "1h"}}}, "maturity": "auto"}, []),
    ],
)
def test_what_becomes_auto_is_found_however_it_comes_about(
    before: dict[str, Any], after: dict[str, Any], found: list[str]
) -> None:
    assert becomes_auto(of_rate(**before), of_rate(**after)) == [f"complaint_rate: {each}" for each in found]
