"""What is told of the targets when somebody asks."""

import gc
import json
from datetime import timedelta

from schemas import automation
from schemas.base import from_ms
from services.channel_control.machine import ControlMachine
from services.channel_control.metrics import ControlCollector
from services.runtime.machines.machine import Record
from tests.unit.channel_control.orders import NOW_MS, alone, order, persons, record


def told(collector: ControlCollector) -> dict[tuple[str, ...], float]:
    """Every sample, by its name without the prefix and the values of its labels."""
    return {
        (sample.name.removeprefix("tidegate_control_"), *sample.labels.values()): sample.value
        for family in collector.collect()
        for sample in family.samples
    }


def test_holds_are_told_by_what_they_are_on_their_kind_and_what_they_do() -> None:
    collector = ControlCollector()
    machine = collector.watch(0, ControlMachine(0))
    machine.apply(alone(0))
    machine.apply(record(1, order(1)))
    machine.apply(record(2, order(2, "throttle", target="channel:kuaishou", factor=0.5, maturity="approve")))
    found = told(collector)
    assert found["holds", "channel", "pause", "acting"] == 1
    assert found["holds", "channel", "throttle", "waiting"] == 1
    assert found["unconfirmed_targets", "0"] == 1
    assert found["waiting_targets", "0"] == 1
    assert found["policy_version", "0"] == 1
    until_one = {"expires_at": "2026-01-01T01:00:00Z", "expected_generation": 1}
    machine.apply(record(3, persons(3, "override", **until_one)))
    found = told(collector)
    assert found["holds", "channel", "pause", "masked"] == 1
    assert found["overridden_targets", "0"] == 1


def test_it_tells_whether_automation_is_off() -> None:
    collector = ControlCollector()
    machine = collector.watch(0, ControlMachine(0))
    assert told(collector)["automation_off", "0"] == 0
    off = persons(1, "automation_off", target=automation.TARGET, note="the feeds are wrong")
    machine.apply(Record(0, NOW_MS, automation.KEY, json.dumps(off).encode()))
    assert told(collector)["automation_off", "0"] == 1


def test_a_machine_that_was_given_up_is_told_of_no_more() -> None:
    collector = ControlCollector()
    machine = collector.watch(0, ControlMachine(0))
    assert ("waiting_targets", "0") in told(collector)
    del machine
    gc.collect()
    assert told(collector) == {}


def test_without_any_platform_nobody_is_called_because_it_confirms_nothing() -> None:
    collector = ControlCollector(confirmed=False)
    machine = collector.watch(0, ControlMachine(0))
    machine.apply(alone(0))
    machine.apply(record(1, order(1)))
    assert len(machine.unsettled) == 1
    assert ("unconfirmed_targets", "0") not in told(collector)
    assert told(collector)["holds", "channel", "pause", "acting"] == 1


def test_it_tells_of_what_does_not_open_because_an_indicator_sleeps() -> None:
    machine, asleep, at = ControlMachine(0), {"cac_spike"}, [from_ms(NOW_MS)]
    collector = ControlCollector(awake=lambda indicator, _: indicator not in asleep, now=lambda: at[0])
    collector.watch(0, machine)
    machine.apply(alone(0))
    machine.apply(record(1, order(1, issued_by="indicator:cac_spike")))
    machine.apply(record(2, persons(2, "eased", issued_by="indicator:cac_spike", alert_id=order(1)["alert_id"])))
    assert told(collector)["ramping_targets", "0"] == 1
    waiting = ("unwatched_targets", "cac_spike")
    assert waiting not in told(collector), "its first step is not due yet"
    at[0] += timedelta(hours=1)
    assert told(collector)[waiting] == 1
    asleep.clear()
    assert waiting not in told(collector)
    asleep.add("cac_spike")
    off = persons(3, "automation_off", target=automation.TARGET, note="on purpose")
    machine.apply(Record(3, NOW_MS, automation.KEY, json.dumps(off).encode()))
    assert waiting not in told(collector), "it waits for automation"
