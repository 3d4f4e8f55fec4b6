"""The registry knows every rule, and says what is wrong with a policy before anything is judged by it."""

from pathlib import Path

import pytest

from schemas.policy import IndicatorPolicy, Policy
from schemas.topics import SUBJECTS
from services.indicators import rules
from services.indicators.machine import STORES
from services.indicators.registry import all_rules, code_of, flaws_of, found_in, rules_of
from services.indicators.rule import AnyRule
from services.indicators.rules.cac_spike import CacFall
from services.indicators.verdicts.tuning import PolicyRefusedError, tune, tuning_of
from services.policies.reading import read_policy
from tests.support.twelve import TWELVE, the_twelve

ROOT = Path(__file__).parents[3]
RULES = pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: str(rule.name))


def test_the_rules_of_this_release() -> None:
    assert [(rule.name, rule.subject) for rule in the_twelve()] == [
        ("cac_spike", "channel"),
        ("cac_spike/fall", "channel"),
        ("click_fraud", "actor"),
        ("complaint_flood", "actor"),
        ("complaint_rate", "channel"),
        ("complaint_sla", "complaint"),
        ("complaint_volume", "channel"),
        ("content_violation", "content"),
        ("conversion_drop", "channel"),
        ("engagement_drop", "channel"),
        ("market_volatility", "market"),
        ("negative_sentiment", "brand"),
        ("search_divergence", "product"),
    ]
    assert {"click_fraud", "complaint_flood"} <= {rule.id for rule in rules_of("actor")}
    assert {rule.id for rule in the_twelve()} == TWELVE


@RULES
def test_a_rule_fits_the_runtime(rule: AnyRule) -> None:
    assert type(rule).__module__.endswith(f".{rule.id}"), "the file is called as the rule"
    assert rule.subject in SUBJECTS
    assert set(rule.reads) <= STORES[rule.subject].inputs
    assert rule.limits()  # every figure has a default


@pytest.mark.parametrize("rule", the_twelve(), ids=lambda rule: str(rule.name))
def test_a_rule_of_this_release_has_its_place_in_the_runbook(rule: AnyRule) -> None:
    page, _, anchor = rule.runbook.partition("#")
    assert f"\n## {anchor}\n" in (ROOT / page).read_text("utf-8")


def test_the_default_policy_says_what_the_rules_say() -> None:
    written = read_policy(ROOT / "deploy/policy.yaml")
    assert written.model_copy(update={"indicators": {}}) == Policy(version=1)
    assert written.indicators.keys() >= TWELVE
    for rule in all_rules():
        said = written.indicators.get(rule.id)
        if said is None:
            continue
        assert said.thresholds == rule.limits().model_dump()
        assert tuning_of(rule, said) == tuning_of(rule, IndicatorPolicy())
        assert (said.maturity is not None) == bool(rule.actions)
        assert None not in (said.clear.below, said.clear.hold)


def test_the_code_of_a_rule_has_a_digest_of_its_file() -> None:
    code = code_of(rules_of("actor")[0])
    assert code.rule == "click_fraud"
    assert len(code.digest) == 12
    assert len({code_of(rule).digest for rule in all_rules()}) == len({rule.id for rule in all_rules()})


@pytest.mark.parametrize(
    ("indicators", "problem"),
    [
        ({"click_frod": {}}, "indicators.click_frod: no indicator is called so; there are cac_spike, "),
        ({"click_fraud": {"thresholds": {"click": 5}}}, "indicators.click_fraud.thresholds.click: "),
        ({"click_fraud": {"thresholds": {"clicks": "5"}}}, "indicators.click_fraud.thresholds.clicks: "),
        ({"click_fraud": {"thresholds": {"clicks": 0}}}, "indicators.click_fraud.thresholds.clicks: "),
        (
            {"click_fraud": {"maturity": {"pause": "auto"}}},
            "indicators.click_fraud.maturity.pause: click_fraud gives",
        ),
        ({"complaint_rate": {"thresholds": {"slow_at": 0.06}}}, "indicators.complaint_rate.thresholds: pause_at must"),
        (
            {"complaint_rate": {"overrides": {"product:fund": {}}}},
            "indicators.complaint_rate.overrides.product:fund: complaint_rate judges each channel",
        ),
        (
            {"complaint_rate": {"overrides": {"channel:a": {"thresholds": {"slow": 1}}}}},
            "indicators.complaint_rate.overrides.channel:a.thresholds.slow: ",
        ),
        (
            {"complaint_rate": {"overrides": {"channel:a": {"thresholds": {"pause_at": 0.01}}}}},
            "indicators.complaint_rate.overrides.channel:a.thresholds: pause_at must",
        ),
        (
            {"complaint_rate": {"overrides": {"channel:a": {"maturity": {"freeze": "auto"}}}}},
            "indicators.complaint_rate.overrides.channel:a.maturity.freeze: complaint_rate gives no",
        ),
        (
            {"complaint_rate": {"thresholds": {"slow": 1}, "overrides": {"channel:a": {}}}},
            "indicators.complaint_rate.thresholds.slow: ",
        ),
        *(
            ({name: {"fire": {"hold": "5m"}}}, f"indicators.{name}.fire.hold: {name} is no ratio")
            for name in ("complaint_volume", "negative_sentiment", "complaint_sla")
        ),
    ],
)
def test_what_is_wrong_with_a_policy_is_named(indicators: dict[str, object], problem: str) -> None:
    (found,) = flaws_of(Policy.model_validate({"version": 1, "indicators": indicators}).indicators)
    assert str(found).startswith(problem)


def test_all_problems_come_at_once() -> None:
    wrong = IndicatorPolicy(thresholds={"a": 1, "b": 2})
    assert len(flaws_of({"click_fraud": wrong, "complaint_rate": wrong})) == 4


def test_both_kinds_of_episodes_of_an_indicator_follow_one_part_of_the_policy() -> None:
    wrong = Policy(version=1, indicators={"cac_spike": IndicatorPolicy(thresholds={"rise": 0})})
    with pytest.raises(PolicyRefusedError) as refused:
        tune(wrong.model_dump_json().encode(), rules_of("channel"))
    assert str(refused.value).count("cac_spike") == 1
    good = Policy(version=1, indicators={"cac_spike": IndicatorPolicy(thresholds={"fall": 0.1}, maturity="shadow")})
    tuned = tune(good.model_dump_json().encode(), rules_of("channel"))
    for strand in ("", "fall"):
        found = tuned.find("cac_spike", strand, "channel:douyin")
        assert found is not None and found.shadow and found.limits.model_dump()["fall"] == 0.1


def test_two_rules_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CacFall, "strand", "")
    with pytest.raises(ValueError, match="a second rule is called cac_spike"):
        list(found_in(rules))
