"""Who hears of what and when: routes, ladders, silences, quiet hours, maintenance and inhibition."""

from typing import Any

import pytest

from schemas.policy import Policy
from services.alerting.groups.routing import Rules
from services.alerting.machine import build
from services.runtime.machines.machine import Record
from tests.unit.alerting.facts import T0_MS
from tests.unit.alerting.line import MINUTE, Line

HOUR = 3600.0
PAGE: dict[str, Any] = {"name": "page", "match": {"severity": ["critical"]}, "receivers": ["pager"]}
LADDER = [{"after": "10m", "receivers": ["boss"]}, {"after": "30m", "receivers": ["boss", "board"]}]
CLIMBING: dict[str, Any] = {"routes": [{"receivers": ["pager"], "ladder": LADDER, "repeat": "1h"}]}


def test_the_first_route_that_matches_is_taken_and_with_also_the_next() -> None:
    for also, expected in ((False, ["pager: opened"]), (True, ["pager: opened", "chat: opened"])):
        line = Line().policy(routes=[{**PAGE, "also": also}, {"name": "chat", "receivers": ["chat"]}])
        line.opens("one")
        assert sorted(line.told()) == sorted(expected)


def test_who_is_named_twice_is_told_once() -> None:
    line = Line().policy(routes=[{**PAGE, "also": True}, {"receivers": ["chat", "pager"]}])
    line.opens("one")
    line.ends("one")
    told = line.told()
    assert sorted(told) == ["chat: opened", "chat: resolved", "pager: opened", "pager: resolved"]


def test_what_becomes_critical_reaches_those_who_hear_of_critical_ones_only() -> None:
    line = Line().policy(routes=[{**PAGE, "also": True}, {"receivers": ["chat"]}])
    line.opens("one", severity="warning")
    assert line.told() == ["chat: opened"]
    line.goes_on("one", severity="critical")
    line.ends("one")
    assert line.told() == ["chat: updated", "pager: opened", "chat: resolved", "pager: resolved"]


@pytest.mark.parametrize(
    ("match", "matches"),
    [
        ({"indicator": ["complaint_*"]}, True),
        ({"indicator": ["click_fraud"]}, False),
        ({"channel": ["douyin", "a"]}, True),
        ({"product": ["*"], "channel": ["a"]}, False),
        ({"subject": ["channel:*"], "severity": ["critical", "warning"]}, True),
        ({"team": ["compliance"]}, False),
        ({}, True),
    ],
)
def test_a_matcher_holds_all_that_it_names(match: dict[str, Any], matches: bool) -> None:
    line = Line().policy(routes=[{"match": match, "receivers": ["chat"]}])
    line.opens("one")
    assert line.told() == (["chat: opened"] if matches else [])


def test_a_promotion_is_of_its_product_and_its_channel() -> None:
    line = Line().policy(routes=[{"match": {"product": ["fund"], "channel": ["douyin"]}, "receivers": ["chat"]}])
    line.opens("one", "promotion:fund@douyin")
    line.opens("two", "channel:douyin", labels={"product": "fund"})
    assert line.told() == ["chat: opened", "chat: opened"]


@pytest.mark.parametrize(
    ("hours", "at_s", "holds"),
    [
        # T0 is 00:00 on Tuesday, 25 November 2025, in Shanghai.
        ({"from": "22:00", "to": "07:00"}, 0, True),
        ({"from": "22:00", "to": "07:00"}, 7 * HOUR, False),
        ({"from": "09:00", "to": "18:00"}, 9 * HOUR, True),
        ({"from": "09:00", "to": "18:00"}, 18 * HOUR, False),
        ({"from": "00:00", "to": "00:00", "days": "free"}, 12 * HOUR, False),
        ({"from": "00:00", "to": "00:00", "days": "worked"}, 12 * HOUR, True),
        ({"from": "00:00", "to": "00:00", "days": "free"}, 4 * 24 * HOUR, True),
        ({"from": "22:00", "to": "07:00", "days": "worked"}, 4 * 24 * HOUR + 6 * HOUR, True),
        ({"from": "22:00", "to": "07:00", "days": "worked"}, 5 * 24 * HOUR + 6 * HOUR, False),
    ],
)
def test_a_route_may_be_of_some_hours_of_some_days(hours: dict[str, str], at_s: float, holds: bool) -> None:
    day = {"name": "shift", "hours": hours, "receivers": ["shift"]}
    line = Line().policy(routes=[day, {"receivers": ["else"]}])
    line.seconds = at_s
    line.opens("one")
    assert line.told() == ["shift: opened" if holds else "else: opened"]


def test_what_nobody_acknowledges_goes_up_the_ladder() -> None:
    line = Line().policy(**CLIMBING)
    line.opens("one")
    line.wait(9 * MINUTE)
    assert line.told() == ["pager: opened"]
    line.wait(MINUTE)
    assert line.told() == ["boss: opened escalated"]
    line.wait(20 * MINUTE)
    assert line.told() == ["board: opened escalated", "boss: updated reminder"]
    line.ends("one")
    line.wait(5 * HOUR)
    assert line.told() == ["board: resolved", "boss: resolved", "pager: resolved"]


def test_an_acknowledgement_stops_the_ladder_and_what_still_fires_rings_again_when_the_policy_says() -> None:
    line = Line().policy(**CLIMBING)
    line.opens("one")
    line.wait(5 * MINUTE)
    line.acknowledged("one")
    line.wait(59 * MINUTE)
    assert line.told() == ["pager: opened"]
    line.wait(MINUTE)
    assert line.told() == ["pager: updated reminder"]
    line.wait(10 * MINUTE)
    assert line.told() == ["boss: opened escalated"]
    line.acknowledged("one")
    line.ends("one")
    line.wait(5 * HOUR)
    assert line.told() == ["boss: resolved", "pager: resolved"]


def test_what_is_acknowledged_and_becomes_worse_reaches_others_but_climbs_no_ladder() -> None:
    line = Line().policy(routes=[{**PAGE, "also": True, "ladder": LADDER}, {"receivers": ["chat"]}])
    line.opens("one", severity="warning")
    line.acknowledged("one")
    line.goes_on("one", severity="critical")
    line.wait(HOUR)
    assert line.told() == ["chat: opened", "chat: updated", "pager: opened"]


def test_a_call_that_was_on_its_way_when_it_was_acknowledged_ends_properly() -> None:
    line = Line(away={"boss"}).policy(**CLIMBING)
    line.opens("one")
    line.wait(10 * MINUTE)
    line.acknowledged("one")
    line.ends("one")
    line.wait(HOUR)
    line.away.clear()
    line.deliver()
    line.wait(HOUR)
    assert line.told() == ["pager: opened", "pager: resolved", "boss: opened escalated", "boss: resolved"]
    assert line.machine.next_look() is None


def test_an_acknowledgement_is_of_all_that_stood_in_the_message() -> None:
    line = Line().policy(**CLIMBING)
    line.opens("one")
    line.opens("two")
    line.wait(MINUTE)
    line.acknowledged("two")
    line.wait(30 * MINUTE)
    assert line.told() == ["pager: opened", "pager: opened x1"]
    line.opens("three")
    line.wait(10 * MINUTE)
    assert line.told() == ["pager: opened x1", "boss: opened escalated"]


def test_what_is_silenced_is_not_told_but_what_still_fires_afterwards_is() -> None:
    line = Line().policy(**CLIMBING)
    line.silenced(until=HOUR)
    line.opens("one")
    line.opens("other", "channel:b")
    line.opens("brief")
    line.ends("brief")
    line.wait(HOUR - 1)
    assert line.told() == [
        "pager: opened",
        "boss: opened escalated",
        "board: opened escalated",
        "boss: updated reminder",
    ]
    line.wait(1)
    assert line.told() == ["pager: opened"]


def test_the_end_of_what_was_told_before_it_was_silenced_is_told_when_the_silence_ends() -> None:
    line = Line()
    line.opens("one")
    line.silenced(until=HOUR, alert="one")
    line.goes_on("one", level=2)
    line.ends("one")
    assert line.told() == ["default: opened"]
    line.silenced(until=None, alert="one")
    assert line.told() == ["default: resolved"]


def test_quiet_hours_end_with_one_message_of_what_still_stands() -> None:
    line = Line().policy(quiet_hours=[{"severity": ["warning"], "from": "22:00", "to": "07:00"}])
    for number in range(8):
        line.opens(f"alert {number}", f"channel:{number}", severity="warning")
    line.ends("alert 0")
    line.opens("critical", "channel:c")
    assert line.told() == ["default: opened"]
    line.wait(7 * HOUR)
    assert line.told() == ["default: opened summary x7"]


def test_silences_and_maintenance_of_the_policy() -> None:
    planned = {"from": "2025-11-24T16:00:00Z", "to": "2025-11-24T17:00:00Z", "reason": "the platform moves"}
    silence = {"match": {"channel": ["a"]}, "author": "li", **planned}
    for policy in ({"silences": [silence]}, {"maintenance": [{"targets": ["channel:a"], **planned}]}):
        line = Line().policy(**policy)
        line.opens("one")
        line.opens("other", "channel:b")
        assert line.told() == ["default: opened"]
        line.wait(HOUR)
        assert line.told() == ["default: opened"]


def test_of_a_dead_receiver_the_others_are_told() -> None:
    both = [{**PAGE, "receivers": ["pager", "mail"]}, {"receivers": ["chat"]}]
    for dead, expected in (("pager", ["mail: opened"]), ("chat", ["pager: opened", "mail: opened"])):
        line = Line().policy(routes=both)
        line.opens("one", f"receiver:{dead}", severity="critical" if dead == "pager" else "warning")
        assert sorted(line.told()) == sorted(expected)
    alone = Line()
    alone.opens("one", "receiver:default")
    assert alone.told() == ["default: opened"]


def test_a_policy_holds_from_its_record_on() -> None:
    line = Line().policy(silences=[])
    line.opens("one")
    away = {"match": {}, "author": "li", "reason": "x", "from": "2025-11-24T16:00:00Z", "to": "2026-11-24T17:00:00Z"}
    line.policy(silences=[away])
    line.ends("one")
    assert line.told() == ["default: opened"]
    line.policy()
    assert line.told() == ["default: resolved"]


INHIBIT: dict[str, Any] = {
    "source": {"indicator": ["dead_ingest"]},
    "target": {"indicator": ["complaint_*"]},
    "equal": [],
}


def test_one_alert_makes_others_needless_while_it_stands() -> None:
    line = Line().policy(inhibit=[INHIBIT])
    line.opens("source", "service:ingest", indicator="dead_ingest")
    line.opens("one", "channel:a")
    line.opens("brief", "channel:b")
    line.ends("brief")
    assert line.told() == ["default: opened"]
    line.ends("source")
    assert sorted(line.told()) == ["default: opened", "default: resolved"]


def test_only_what_has_the_same_is_inhibited_and_nothing_by_its_like() -> None:
    same = {"source": {"severity": ["critical"]}, "target": {}, "equal": ["channel"]}
    line = Line().policy(inhibit=[same])
    line.opens("one", "channel:a")
    line.opens("same", "channel:a", severity="warning")
    line.opens("other", "channel:b", severity="warning")
    line.opens("also critical", "channel:a")
    line.wait(MINUTE)
    assert line.told() == ["default: opened", "default: opened", "default: opened x1"]


def test_an_alert_of_one_partition_inhibits_those_of_another() -> None:
    line = Line(machine=build(0, 1)).policy(inhibit=[INHIBIT])
    elsewhere = Line(machine=build(0, 1)).policy(inhibit=[INHIBIT])
    line.machine._muting._others = [1]
    line.opens("source", "service:ingest", indicator="dead_ingest")
    (said,) = [one for one in line.outputs if one.key == b"standing"]
    assert (said.topic, said.partition) == ("alerts", 1)
    elsewhere.put(b"standing", said.value or b"")
    elsewhere.opens("one")
    assert elsewhere.told() == []
    line.ends("source")
    over = [one for one in line.outputs if one.key == b"standing"][-1]
    elsewhere.put(b"standing", over.value or b"")
    assert elsewhere.told() == ["default: opened"]
    assert not elsewhere.machine.waiting()


def test_the_default_is_one_receiver_for_everything() -> None:
    (route,) = Rules(None).alerting.routes
    assert (route.receivers, route.ladder, route.repeat) == (["default"], [], None)
    machine = build(0)
    record = Record(0, T0_MS, b"policy", b'{"policy":{"version":1}}')
    assert list(machine.apply(record)) == []
    assert Rules(Policy(version=1)).alerting == Rules(None).alerting
