"""Number thirteen is one short file: found by walking its package, judged, told and ordered by the runtime."""

from pathlib import Path

import pytest

from schemas.base import Bilingual
from services.indicators.examples import Example
from services.indicators.machine import IndicatorMachine
from services.indicators.registry import code_of, found_in
from services.indicators.rule import AnyRule, Case, Rule, Verdict, Words, doubling
from services.indicators.subjects.channel import ChannelStore
from services.indicators.subjects.channel_view import ChannelView
from tests.support.indicator_log import policy
from tests.unit.indicators import thirteenth
from tests.unit.indicators.test_examples import trips
from tests.unit.indicators.thirteenth.idle_clicks import IdleClicks, IdleClicksLimits
from tests.unit.indicators.world import HOUR, MINUTE, SECOND, World


def test_a_rule_is_found_where_it_lies() -> None:
    (rule,) = found_in(thirteenth)
    assert isinstance(rule, IdleClicks)
    assert len(Path(thirteenth.__path__[0], "idle_clicks.py").read_text("utf-8").splitlines()) < 30


@pytest.mark.parametrize("example", IdleClicks.examples)
def test_its_examples_hold(example: Example) -> None:
    assert trips(IdleClicks(), example) == example.fires


def test_its_alert_is_complete_without_any_word_of_it_in_the_runtime() -> None:
    rule = IdleClicks()
    world = World("channel", machine=IndicatorMachine("channel", 0, ChannelStore(), [rule]))
    world.happenings(IdleClicks.examples[0].given)
    world.mark(HOUR)
    fact = world.facts[0]
    assert (fact.indicator, fact.severity, fact.level, fact.value) == ("idle_clicks", "critical", 1, 1000)
    assert fact.evidence is not None and fact.evidence.code == code_of(rule)
    assert {each.topic for each in fact.evidence.sources} == {"channel-events", "conversion-events"}
    assert fact.summary is not None and fact.summary.en.endswith("This indicator only tells; decide what to do.")


class ManyClicks(Rule[ChannelView, IdleClicksLimits]):
    """A count of a measure, judged at once: the runtime looks only when what it reads has come."""

    id, subject, judged, reads = "many_clicks", "channel", "at once", ("clicks",)
    limits = IdleClicksLimits

    def judge(self, view: ChannelView, limits: IdleClicksLimits, now_ms: int) -> Verdict:
        span = view.trailing(now_ms, hours=1)
        return doubling(view.total("clicks", span), 1000, span)

    def words(self, case: Case[ChannelView, IdleClicksLimits]) -> Words:
        text = Bilingual(en="Many clicks", zh="点击过多")
        return Words(text, text)


def test_a_count_of_any_measure_is_judged_with_the_event_that_completes_it() -> None:
    world = World("channel", machine=IndicatorMachine("channel", 0, ChannelStore(), [ManyClicks()]))
    world.happen(world.event("clicks", 0, count=999))
    world.happen(world.event("purchases", 0, count=5000))
    assert world.facts == []
    world.happen(world.event("clicks", 2 * HOUR, count=999))
    assert world.facts == []
    world.happen(world.event("clicks", 30 * MINUTE, count=1))
    assert [(fact.value, fact.level) for fact in world.facts] == [(1000, 1)]


def failing(where: str) -> AnyRule:
    """A rule that raises in one of its methods."""

    class Failing(IdleClicks):
        id = "failing"

    def explode(*_: object) -> None:
        raise ZeroDivisionError("of person-17")

    setattr(Failing, where, explode)
    return Failing()


@pytest.mark.parametrize("where", ["judge", "words", "orders", "severity", "detail"])
def test_a_rule_that_raises_is_told_once_and_its_siblings_go_on(where: str) -> None:
    rules: list[AnyRule] = [failing(where), IdleClicks()]
    world = World("channel", machine=IndicatorMachine("channel", 0, ChannelStore(), rules))
    world.happenings(IdleClicks.examples[0].given)
    world.mark(HOUR)
    world.mark(2 * HOUR)
    assert [(fact.indicator, fact.subject) for fact in world.facts] == [
        ("idle_clicks", "channel:douyin"),
        ("failing", "indicator:failing"),
    ]
    assert "person-17" not in str(world.outputs)
    assert world.machine.seen.failures["failing"] > 1
    world.mark(2 * HOUR + SECOND, in_force=policy(2))
    assert [fact.status for fact in world.facts if fact.indicator == "failing"] == ["open", "resolved"]


def test_a_failure_is_remembered_over_a_restart() -> None:
    world = World("channel", machine=IndicatorMachine("channel", 0, ChannelStore(), [failing("judge")]))
    world.happenings(IdleClicks.examples[0].given)
    world.mark(HOUR)
    successor = IndicatorMachine("channel", 0, ChannelStore(), [failing("judge")])
    successor.load([(key, value) for key, value in world.machine.changed() if value is not None])
    world.machine = successor
    world.mark(2 * HOUR)
    assert len(world.facts) == 1
