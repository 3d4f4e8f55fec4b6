"""The kill switch and maintenance windows: where automation is off, it asks."""

import json
from typing import Any

import pytest

from schemas import automation
from schemas.base import from_ms
from services.channel_control.holding.deadlines import overdue
from services.channel_control.machine import ControlMachine
from services.runtime.machines.machine import Output, Record
from services.runtime.murmur import partition_of
from tests.unit.channel_control.one_log import Log, actions, outcome
from tests.unit.channel_control.orders import CHANNEL, NOW_MS, SIGNAL, hex_id, order, persons, record, said

HOUR_MS = 3_600_000


def switch(number: int, state: str, **fields: Any) -> dict[str, Any]:
    """A person's word to all of automation."""
    known = {"target": automation.TARGET, "note": "the feeds are wrong"}
    return persons(number, f"automation_{state}", **known | fields)


def flip(machine: ControlMachine, offset: int, fields: dict[str, Any]) -> list[Output]:
    return machine.apply(Record(offset, NOW_MS, automation.KEY, json.dumps(fields).encode()))


def off(log: Log) -> Log:
    """The log, on which automation was switched off."""
    assert outcome(flip(log.machine, 100, switch(90, "off")))[0] == "done"
    return log


WHY = "automation is off, by person:li: the feeds are wrong"


@pytest.mark.parametrize("word", ["pause", "throttle", "freeze", "take_down"])
def test_what_would_act_asks_instead_and_says_why(word: str) -> None:
    log = off(Log())
    outputs = log.give(order(1, word, factor=0.5))
    assert outcome(outputs) == ("waiting", f"20 complaints today; asked of a person, since {WHY}")
    assert [action["note"] for fact in said(outputs, "alerts") for action in fact["actions"]] == [WHY]
    (hold,) = log.channel.holds
    assert (hold.approval, hold.reason) == ("waiting", "20 complaints today")
    assert log.channel.wanted().status == "running"
    log.give(persons(2, "approve", hold_ids=[hold.hold_id], expected_generation=1))
    assert log.channel.wanted().status != "running", "a person may still say yes"


def test_people_act_and_experts_are_called_all_the_same() -> None:
    log = off(Log())
    assert outcome(log.give(persons(1, "pause")))[0] == "done"
    assert actions(log.give(order(2, "escalate"))) == [(hex_id(0xA), "escalate", "done")]


def test_what_stands_goes_on_and_only_more_is_asked_for() -> None:
    log = Log()
    log.give(order(1, "throttle", factor=0.5))
    off(log)
    assert outcome(log.give(order(2, "throttle", factor=0.2, level=2)))[0] == "waiting"
    assert (log.channel.wanted().status, log.channel.wanted().factor) == ("throttled", 0.5)


def test_switched_on_again_it_acts_by_itself() -> None:
    log = off(Log())
    log.give(order(1))
    assert outcome(flip(log.machine, 101, switch(91, "on", note="mended"))) == ("done", "mended")
    assert [hold.approval for hold in log.channel.holds] == ["waiting"], "what was asked for waits on"
    assert outcome(log.give(order(2, alert_id=hex_id(0xB))))[0] == "done"


def test_every_partition_audits_it_and_one_shows_it() -> None:
    home = partition_of(automation.TARGET.encode(), 3)
    for partition in range(3):
        outputs = flip(ControlMachine(partition, 3), 0, switch(1, "off"))
        (audit,) = said(outputs, "audit")
        assert (audit["who"], audit["what"], audit["target"]) == ("person:li", "automation_off", "automation:all")
        states = [(state["target"], state["status"]) for state in said(outputs, "channel-state")]
        assert states == [("automation:all", "paused")] * (partition == home)


ELSE = "only automation_off and automation_on are for every partition"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (switch(1, "off", note=" "), ("refused", "automation_off without a reason")),
        (switch(1, "on"), ("recorded", "automation is on already")),
        (switch(1, "off", issued_by="reconciler"), ("refused", "automation_off is for people to say")),
        (
            switch(1, "off", target=CHANNEL),
            ("refused", ELSE),
        ),
        (order(1), ("refused", ELSE)),
    ],
)
def test_what_is_no_switch_changes_nothing(fields: dict[str, Any], told: tuple[str, str]) -> None:
    machine = ControlMachine(0)
    assert outcome(flip(machine, 0, fields)) == told
    assert outcome(machine.apply(record(1, order(2))))[0] == "done"


def test_the_same_switch_again_counts_once_and_a_second_off_is_none() -> None:
    log = off(Log())
    assert outcome(flip(log.machine, 101, switch(90, "off")))[0] == "repeated"
    assert outcome(flip(log.machine, 102, switch(91, "off"))) == ("recorded", "automation is off already")
    assert outcome(flip(log.machine, 103, switch(92, "on")))[0] == "done"
    assert outcome(flip(log.machine, 104, switch(90, "off")))[0] == "repeated", "a late retry undoes nothing"
    assert outcome(log.give(order(1)))[0] == "done"


@pytest.mark.parametrize("fields", [switch(1, "off"), persons(1, "pause", target="automation:all"), order(1)])
def test_its_target_takes_nothing_else(fields: dict[str, Any]) -> None:
    log = Log()
    outputs = log.give(fields | {"target": automation.TARGET})
    assert outcome(outputs) == ("refused", "automation:all is switched on every partition, under the key automation")
    assert not log.machine.unsettled


def test_a_record_that_is_none_is_told() -> None:
    (audit,) = said(ControlMachine(0).apply(Record(0, NOW_MS, automation.KEY, b"{")), "audit")
    assert (audit["outcome"], audit["what"]) == ("refused", "unreadable")


def test_it_lives_on_in_a_snapshot() -> None:
    log = off(Log())
    fresh = ControlMachine(0)
    fresh.load([(key, value) for key, value in log.machine.changed() if value is not None])
    assert list(fresh.changed()) == []
    assert outcome(fresh.apply(record(1, order(1))))[0] == "waiting"


def test_a_hold_opens_no_further_while_automation_is_off() -> None:
    log = Log()
    log.give(order(1, **SIGNAL))
    log.give(order(2, "eased", **SIGNAL))
    off(log)
    (step,) = [json.loads(each.model_dump_json()) for each in overdue(log.machine.timed.values(), from_ms(2**41))[0]]
    late_ms = NOW_MS + 24 * HOUR_MS
    assert (step["command"], log.give(step, late_ms)) == ("due", [])
    flip(log.machine, 101, switch(91, "on"))
    assert outcome(log.give(step, late_ms))[0] == "done"
    assert log.channel.wanted().status == "throttled"


def maintained(**fields: Any) -> Log:
    log = Log()
    window = {
        "targets": ["channel:*"],
        "from": "2026-01-01T00:00:00Z",
        "to": "2026-01-01T09:00:00+08:00",
        "reason": "they move",
    }
    policy = {"v": 1, "policy": {"version": 2, "maintenance": [window | fields]}}
    log.machine.apply(Record(0, NOW_MS, b"policy", json.dumps(policy).encode()))
    return log


def test_during_maintenance_automation_asks_there() -> None:
    log = maintained()
    why = "20 complaints today; asked of a person, since maintenance until 2026-01-01 01:00:00 UTC: they move"
    assert outcome(log.give(order(1))) == ("waiting", why)
    assert outcome(log.give(order(2, target="actor:00ff")))[0] == "done"
    assert outcome(log.give(order(3, alert_id=hex_id(0xB), event_time=None), NOW_MS + HOUR_MS))[0] == "done"


def test_before_and_elsewhere_it_acts() -> None:
    log = maintained(targets=["channel:kuaishou"])
    assert outcome(log.give(order(1)))[0] == "done"
    log = maintained(**{"from": "2026-01-01T00:30:00Z"})
    assert outcome(log.give(order(1)))[0] == "done"
