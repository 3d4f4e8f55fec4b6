"""The stories of the demonstration, played through the machines without a broker: what trips and what does not."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.demo.incidents import KINDS
from deploy.demo.naming import OPENING, STEPS, named_policy, story_policy
from deploy.demo.routine import readings, routine
from deploy.demo.scenes import EASING
from deploy.demo.stories import CHANNELS, Event, Source
from deploy.demo.story import BURST, SHANGHAI, SLOWED, tell, tell_all
from deploy.launcher.standard import ROOT
from schemas.alerts import AlertFact
from schemas.commands import Command
from schemas.events import EVENT, TOPIC_OF
from schemas.policy import Policy
from services.policies.reading import read_policy
from tests.support.indicator_log import commands, easings, facts
from tests.support.simulation import outputs_of
from tests.support.twelve import ADDED, TWELVE
from tests.unit.indicators.world import MINUTE, World

MIDNIGHT = datetime(2026, 11, 25, tzinfo=SHANGHAI)
TRIPS = {
    "complaints": "complaint_volume",
    "clicks": "click_fraud",
    "rate": "complaint_rate",
    "flood": "complaint_flood",
    "content": "content_violation",
    "sentiment": "negative_sentiment",
    "gdp": "market_volatility",
    "lpr": "market_volatility",
    "policy_change": "market_volatility",
}


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    return read_policy(story_policy(tmp_path_factory.mktemp("demo")))


def played(events: list[Event], policy: Policy) -> tuple[list[AlertFact], list[Command]]:
    outputs = outputs_of(events, policy)
    return [fact for fact in facts(outputs) if fact.indicator not in ADDED], commands(outputs)


def tripped(told: list[AlertFact]) -> dict[str, set[str | None]]:
    """By indicator, the subjects of its alerts that reached a level."""
    found: dict[str, set[str | None]] = {}
    for fact in told:
        if fact.level:
            found.setdefault(fact.indicator or "", set()).add(fact.subject)
    return found


def test_in_the_long_story_every_indicator_trips_once_and_clears(policy: Policy) -> None:
    day = tell_all(MIDNIGHT, "test")
    told, given = played(day.before + day.events, policy)
    assert tripped(told).keys() == TWELVE
    burst = {f"channel:{name}" for name in BURST}
    opened, resolved = (
        Counter((f.indicator, f.subject) for f in told if f.status == status) for status in ("open", "resolved")
    )
    of_burst = {("complaint_volume", subject) for subject in burst}
    rates = {("complaint_rate", subject) for subject in burst}
    assert of_burst <= opened.keys() and set(opened.values()) == {1}
    assert opened - resolved == Counter(opened.keys() & rates), "the rate of a day does not fall by midnight"
    twice = {"market_volatility": "growth, and the news of a policy change", "complaint_rate": "eased, and a guardrail"}
    once = Counter(indicator for indicator, _ in opened.keys() - of_burst - rates)
    assert once == dict.fromkeys(TWELVE, 1) | dict.fromkeys(twice, 2)
    assert {command.issued_by.removeprefix("indicator:") for command in given} == TWELVE - {"engagement_drop"}


def test_in_the_short_story_three_indicators_trip(policy: Policy) -> None:
    outputs = outputs_of(tell(MIDNIGHT, "test").events, policy)
    told, given = facts(outputs), commands(outputs)
    assert tripped(told).keys() == {"complaint_volume", "click_fraud", "complaint_rate"}
    assert [(each.command, each.maturity) for each in given if each.target == "channel:weibo"] == [
        ("throttle", "approve"),
        ("pause", "auto"),
    ]
    slowed = [(each.command, each.maturity) for each in given if each.target == f"channel:{SLOWED}"]
    assert slowed == [("throttle", "approve")]
    eased = [each.event_time for each in easings(outputs) if each.target == f"channel:{SLOWED}"]
    assert len(eased) == 1 and eased[0] is not None and eased[0] < MIDNIGHT + timedelta(hours=EASING.until)


def calm(hours: float, rate: float) -> list[Event]:
    """What `make run` sends."""
    source, start = Source("calm", random.Random(3)), MIDNIGHT + timedelta(hours=6)
    seconds = hours * 3600
    return [*readings(source, start), *source.calm(start, seconds, rate), *routine(source, start, seconds)]


def test_calm_traffic_has_all_types_of_events_and_nothing_trips(policy: Policy) -> None:
    events = calm(hours=11, rate=3.0)
    quiet = {"complaint_closed", "content_removed", "policy_change"}
    assert {event["type"] for event in events} == TOPIC_OF.keys() - quiet
    assert {event["channel_id"] for event in events if event["type"] == "complaint_opened"} == set(CHANNELS)
    assert played(events, policy) == ([], [])


def test_days_of_what_happens_by_the_clock_trip_nothing(policy: Policy) -> None:
    events = list(routine(Source("calm", random.Random(3)), MIDNIGHT, 2.5 * 86_400))
    assert played(events, policy) == ([], [])


@pytest.mark.parametrize("kind", TRIPS)
def test_an_incident_trips_its_indicator_at_once(kind: str, policy: Policy) -> None:
    source, now = Source("incident", random.Random(1)), MIDNIGHT + timedelta(hours=12)
    events = [*source.calm(now - timedelta(minutes=30), 1800, 1.0), *KINDS[kind](source, now, "douyin")]
    told, _ = played(events, policy)
    assert tripped(told).keys() == {TRIPS[kind]}


def test_a_complaint_that_is_reported_too_late_trips_at_once() -> None:
    world, now = World("complaint"), datetime.fromtimestamp(0, UTC)
    world.mark(-MINUTE)
    (event,) = KINDS["sla"](Source("incident", random.Random(1)), now, "douyin")
    fields: dict[str, Any] = {name: value for name, value in event.items() if name not in ("event_id", "occurred_at")}
    ago_ms = -(now - datetime.fromisoformat(event["occurred_at"])) / timedelta(milliseconds=1)
    world.raw(fields.pop("type"), ago_ms, **fields)
    world.mark(2 * MINUTE)
    assert [(fact.indicator, fact.level) for fact in world.facts] == [("complaint_sla", 1)]


def test_every_kind_of_incident_is_of_valid_events() -> None:
    for kind in KINDS.values():
        for event in kind(Source("incident", random.Random(1)), datetime.now(UTC), "douyin"):
            EVENT.validate_python(event)


def test_the_storys_policy_is_the_default_one_with_a_directory_and_short_waits(tmp_path: Path) -> None:
    named, default = read_policy(story_policy(tmp_path)), read_policy(ROOT / "deploy" / "policy.yaml")
    resumed = {name: named.indicators[name].resume for name in OPENING}
    assert all(each.steps == STEPS and each.watch == timedelta(seconds=2) for each in resumed.values())
    assert resumed["complaint_rate"].auto == {"throttle": True, "pause": False}
    assert named.model_copy(
        update={"indicators": {}, "directory": default.directory, "governor": default.governor}
    ) == default.model_copy(update={"indicators": {}})
    assert named.directory.high_risk() == ["growth-fund"]
    assert set(named.directory.channels) == set(CHANNELS)


def test_what_runs_on_this_machine_calls_its_channels_by_their_names_and_judges_as_the_default(tmp_path: Path) -> None:
    named, default = read_policy(named_policy(tmp_path)), read_policy(ROOT / "deploy" / "policy.yaml")
    assert named.directory.label("channel:douyin") is not None
    assert named.model_copy(update={"directory": default.directory}) == default
