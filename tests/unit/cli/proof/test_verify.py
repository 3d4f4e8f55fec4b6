"""Every command that the rules give can be derived again from the log, and none that was altered."""

from typing import Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.base import from_ms
from schemas.commands import Command
from schemas.policy import Policy
from services.cli.proof.verify import exit_code, unverifiable
from services.indicators.examples import Example
from services.indicators.registry import all_rules
from services.indicators.rule import AnyRule
from tests.support.indicator_log import TEN
from tests.unit.cli.alterations import alterations, altered
from tests.unit.cli.proving import MINUTE, Past, raw_events
from tests.unit.cli.raw_channels import CHANNEL_TELLER
from tests.unit.indicators.raw_stories import TELLERS, Teller, tell_raw

SEEDS = st.integers(0, 2**32)
HIGH_RISK: Final = {
    "products": {name: {"name": {"en": name, "zh": name}, "risk": "high"} for name in ("fund-a", "fund-b")}
}
ALL: Final[dict[str, Teller]] = {**TELLERS, "channel": CHANNEL_TELLER}
ACTING: Final = [rule for rule in all_rules() if rule.actions]
FIRING: Final = [
    pytest.param(rule, each, id=f"{rule.name}-{n}")
    for rule in ACTING
    for n, each in enumerate(rule.examples)
    if each.fires
]


def played(rule: AnyRule, example: Example, seed: int = 0) -> Past:
    """What comes of an example."""
    past = Past(Policy.model_validate({"version": 1, "directory": HIGH_RISK}), [rule.subject], seed)
    events = raw_events(rule.subject, example.given)
    past.send(events, events[-1][0])
    past.mark(max(events[-1][0], TEN) + 60 * MINUTE)
    return past


def of_rule(past: Past, rule: AnyRule) -> list[Command]:
    """The commands of one indicator."""
    return [each for each in past.commands if each.issued_by == f"indicator:{rule.id}"]


def is_apart(command: Command) -> bool:
    """Whether the order in which it was read matters, and lies in no log: content in several partitions."""
    evidence = command.evidence
    return evidence is not None and evidence.subject.startswith("content:") and len(evidence.sources) > 1


def told(teller: str, seed: int) -> Past:
    """What comes of a random story."""
    past = Past(Policy.model_validate({"version": 1, "indicators": ALL[teller].figures}), [teller], seed)
    past.mark(TEN - 1)
    now = TEN
    for happened, until in tell_raw(teller, seed, ALL[teller]).segments:
        now = max(now, until)
        past.mark(now - 1)
        past.send([(each.at_ms, each.what, each.fields) for each in happened], now)
        past.mark(now)
    return past


@pytest.mark.parametrize(("rule", "example"), FIRING)
def test_a_command_of_an_example_is_proved(rule: AnyRule, example: Example) -> None:
    past = played(rule, example)
    findings = past.find_all()
    assert [each for each in findings if each.outcome != "proved"] == []
    assert exit_code(findings) == 0


@pytest.mark.parametrize("teller", sorted(ALL))
@given(seed=SEEDS)
@settings(deadline=None, max_examples=20)
def test_every_command_of_a_story_is_proved(teller: str, seed: int) -> None:
    found = told(teller, seed).find_all()
    assert [each for each in found if each.outcome == "differs"] == []
    assert all(each.outcome == "proved" or is_apart(each.command) for each in found)


@pytest.mark.parametrize("teller", sorted(ALL))
def test_the_stories_give_commands_enough_to_mean_something(teller: str) -> None:
    assert sum(len(told(teller, seed).commands) for seed in range(15)) >= 10


# -- what was altered is found


@pytest.mark.parametrize(("rule", "example"), FIRING)
def test_each_field_that_is_altered_is_found(rule: AnyRule, example: Example) -> None:
    past = played(rule, example)
    documents = {past.policy.label: past.policy.model_dump_json().encode()}
    documents["default/2"] = past.policy.model_copy(update={"version": 2}).model_dump_json().encode()
    for command in past.commands[-1:]:
        for what, other in alterations(command):
            assert past.find(other, documents).outcome == "differs", what


@pytest.mark.parametrize("teller", sorted(ALL))
@given(seed=SEEDS, which=SEEDS)
@example(seed=74, which=45)
@settings(deadline=None, max_examples=20)
def test_in_a_story_too(teller: str, seed: int, which: int) -> None:
    past = told(teller, seed)
    if not past.commands:
        return
    command = past.commands[which % len(past.commands)]
    choices = list(alterations(command))
    what, other = choices[which % len(choices)]
    if teller not in ("brand", "complaint") and "sources" in what:
        return  # what is said more than once, such as one complaint, may be known by the rest of the ranges as well
    if what == "level" and is_apart(command):
        return  # how often a content was published by then depends on that order: another one bears another level out
    if other not in past.commands:
        outcome = past.find(other).outcome
        assert outcome == "differs" or (outcome == "not available" and is_apart(command)), what


def test_an_id_that_is_not_the_orders_is_found() -> None:
    past = told("brand", 3)
    command = past.commands[0]
    forged = altered(command, "alert_id", lambda value: value[::-1], signed=False)
    (difference,) = past.find(forged).differences
    assert difference.field == "command_id"


def test_other_code_that_says_the_same_is_named() -> None:
    past = told("brand", 3)
    found = past.find(altered(past.commands[0], "evidence/code/digest", lambda _: "0123456789ab"))
    assert found.outcome == "proved"
    assert "0123456789ab" in found.notes[0].en


def test_orders_of_people_are_no_decisions_of_a_machine() -> None:
    resume = Command(
        command_id="0" * 32,
        command="resume",
        target="channel:douyin",
        issued_by="person:li",
        issued_at=from_ms(TEN),
    )
    assert "person:li" in str(unverifiable(resume))
    assert unverifiable(resume.model_copy(update={"issued_by": "reconciler"}))
