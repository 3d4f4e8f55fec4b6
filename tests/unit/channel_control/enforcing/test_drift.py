"""A platform that had confirmed and shows something else: told once, corrected or left as the policy says."""

import json
from typing import Any

import pytest

from schemas import automation
from schemas.base import from_ms
from schemas.channels import TargetStatus, WantedState
from schemas.policy import Policy
from schemas.topics import ALERTS, AUDIT, CHANNEL_STATE
from services.channel_control.enforcing.drift import corrected, is_looser
from services.channel_control.machine import ControlMachine
from services.runtime.machines.machine import Output, Record
from tests.unit.channel_control.orders import CHANNEL, NOW_MS, SIGNAL, confirmed, hex_id, order, persons, record, said

NO_ALERT = {"alert_id": None}


class Log:
    """A machine and its log."""

    def __init__(self, **drift: str) -> None:
        self.machine = ControlMachine(0)
        self.offset = 0
        if drift:
            self.under(**drift)

    def under(self, **drift: str) -> None:
        """From here on under this policy."""
        policy = {"v": 1, "policy": {"version": 2, "governor": {"enabled": False}, "platforms": {"drift": drift}}}
        self._apply(Record(self.offset, NOW_MS, b"policy", json.dumps(policy).encode()))

    def switch(self, number: int, word: str) -> None:
        """A person's word to all of automation."""
        fields = persons(number, word, target=automation.TARGET, note="it goes mad")
        self._apply(Record(self.offset, NOW_MS, automation.KEY, json.dumps(fields).encode()))

    def give(self, fields: dict[str, Any]) -> list[Output]:
        return self._apply(record(self.offset, fields))

    def _apply(self, record_: Record) -> list[Output]:
        self.offset += 1
        return self.machine.apply(record_)


def shown(generation: int, status: str | None, factor: float = 0.0) -> dict[str, Any] | None:
    if status is None:
        return None
    return {"v": 1, "target": CHANNEL, "status": status, "factor": factor, "generation": generation}


def drifted(number: int, generation: int, status: str | None, factor: float = 0.0) -> dict[str, Any]:
    seen = shown(generation, status, factor)
    return persons(number, "drifted", issued_by="reconciler", expected_generation=generation, observed=seen)


def paused(log: Log, **more: Any) -> None:
    log.give(order(1, **SIGNAL, **more))
    log.give(confirmed(2, 1, "paused", 0.0))
    assert CHANNEL in log.machine.watched


def test_a_hold_that_was_lifted_by_hand_is_put_again_with_its_generation() -> None:
    log = Log()
    paused(log)
    outputs = log.give(drifted(3, 1, "running", 1.0))
    (state,) = said(outputs, CHANNEL_STATE)
    assert (state["generation"], state["platform"]["confirmed"], state["platform"]["confirmed_generation"]) == (
        1, "running", None,
    )  # fmt: skip
    assert state["platform"]["drift"] == {
        "shown": shown(1, "running", 1.0), "since": "2026-01-01T00:00:00Z", "corrects": True, "alert_id": None,
    }  # fmt: skip
    assert state["platform"]["error"] == (
        "the platform shows running, though it had confirmed the order; it is put again"
    )
    (fact,) = said(outputs, ALERTS)
    assert fact["alert_id"] == hex_id(0xA)
    assert [(action["what"], action["state"], action["note"]) for action in fact["actions"]] == [
        ("pause", "failed", state["platform"]["error"])
    ]
    assert said(outputs, AUDIT)[0]["outcome"] == "failed"
    assert list(log.machine.unsettled) == [CHANNEL]
    assert log.machine.watched == {}


def test_a_correction_is_confirmed_and_told_to_the_same_alert() -> None:
    log = Log()
    paused(log)
    log.give(drifted(3, 1, "running", 1.0))
    outputs = log.give(confirmed(4, 1, "paused", 0.0))
    (state,) = said(outputs, CHANNEL_STATE)
    assert (state["platform"]["drift"], state["platform"]["error"]) == (None, None)
    assert [action["state"] for action in said(outputs, ALERTS)[0]["actions"]] == ["confirmed"]
    assert CHANNEL in log.machine.watched


def test_each_drift_has_reports_of_its_own() -> None:
    """Ids that a log has seen are passed over, so the second correction of one generation must not have the first's."""
    log = Log()
    paused(log)
    target = log.machine.target(CHANNEL)
    log.give(drifted(3, 1, "running", 1.0))
    assert log.machine.target(CHANNEL).drifts == target.drifts + 1


def test_where_no_alert_stands_behind_a_hold_it_has_one_of_its_own() -> None:
    log = Log()
    paused(log, **NO_ALERT)
    (opened,) = said(log.give(drifted(3, 1, "running", 1.0)), ALERTS)
    assert (opened["status"], opened["severity"], opened["indicator"], opened["subject"]) == (
        "open", "warning", "platform_drift", CHANNEL,
    )  # fmt: skip
    assert opened["title"]["en"] == f"{CHANNEL} was changed on the platform"
    assert "投放中" in opened["summary"]["zh"]
    (closed,) = said(log.give(confirmed(4, 1, "paused", 0.0)), ALERTS)
    assert (closed["alert_id"], closed["status"]) == (opened["alert_id"], "resolved")


def running_again(log: Log) -> None:
    paused(log)
    log.give(persons(3, "resume", expected_generation=1))
    log.give(confirmed(4, 2, "running", 1.0))


def test_what_somebody_stopped_there_is_told_and_left() -> None:
    log = Log()
    running_again(log)
    outputs = log.give(drifted(5, 2, "paused"))
    (state,) = said(outputs, CHANNEL_STATE)
    assert state["platform"]["drift"]["corrects"] is False
    assert (state["platform"]["confirmed"], state["platform"]["error"]) == ("running", None)
    (opened,) = said(outputs, ALERTS)
    assert (opened["status"], opened["severity"]) == ("open", "info")
    assert log.machine.unsettled == {}
    assert CHANNEL in log.machine.watched
    (again,) = said(log.give(drifted(6, 2, "paused")), AUDIT)
    assert again["why"] == "told before"


def test_what_is_told_and_left_ends_when_the_platform_shows_what_is_wanted() -> None:
    log = Log()
    running_again(log)
    (opened,) = said(log.give(drifted(5, 2, "paused")), ALERTS)
    outputs = log.give(confirmed(6, 2, "running", 1.0))
    assert said(outputs, CHANNEL_STATE)[0]["platform"]["drift"] is None
    assert [(fact["alert_id"], fact["status"]) for fact in said(outputs, ALERTS)] == [(opened["alert_id"], "resolved")]
    (repeated,) = said(log.give(confirmed(7, 2, "running", 1.0)), AUDIT)
    assert repeated["outcome"] == "recorded"


def test_another_drift_on_top_of_one_that_was_left_updates_its_alert() -> None:
    log = Log()
    running_again(log)
    (opened,) = said(log.give(drifted(5, 2, "paused")), ALERTS)
    (more,) = said(log.give(drifted(6, 2, "throttled", 0.5)), ALERTS)
    assert (more["alert_id"], more["status"]) == (opened["alert_id"], "updated")
    assert "throttled to 50%" in more["summary"]["en"]


def test_a_new_order_ends_a_drift_once_it_is_confirmed() -> None:
    log = Log()
    running_again(log)
    (opened,) = said(log.give(drifted(5, 2, "paused")), ALERTS)
    log.give(order(6, alert_id=hex_id(0xB)))
    assert log.machine.target(CHANNEL).drift is not None
    facts = said(log.give(confirmed(7, 3, "paused", 0.0)), ALERTS)
    assert ("resolved" in [fact["status"] for fact in facts if fact["alert_id"] == opened["alert_id"]]) is True
    assert log.machine.target(CHANNEL).drift is None


@pytest.mark.parametrize(
    ("policy", "status", "factor", "corrects"),
    [
        ({}, "running", 1.0, True),
        ({}, "throttled", 0.5, True),
        ({}, "frozen", 0.0, False),
        ({}, None, 0.0, True),
        ({"looser": "tell"}, "running", 1.0, False),
        ({"stricter": "correct"}, "frozen", 0.0, True),
    ],
)
def test_the_policy_says_what_follows(policy: dict[str, str], status: str, factor: float, corrects: bool) -> None:
    log = Log(**policy)
    paused(log)
    log.give(drifted(3, 1, status, factor))
    drift = log.machine.target(CHANNEL).drift
    assert drift is not None
    assert drift.corrects is corrects
    assert (CHANNEL in log.machine.unsettled) is corrects


def test_what_was_left_is_put_right_once_the_policy_says_so() -> None:
    log = Log(looser="tell")
    paused(log)
    log.give(drifted(3, 1, "running", 1.0))
    assert log.machine.unsettled == {}
    log.under(looser="correct")
    log.give(drifted(4, 1, "running", 1.0))
    assert list(log.machine.unsettled) == [CHANNEL]


def test_while_automation_is_off_nobody_is_fought() -> None:
    log = Log()
    paused(log)
    target = log.machine.target(CHANNEL)
    seen = WantedState(target=CHANNEL, status="running", factor=1.0, generation=1)
    assert corrected(seen, target.wanted(), Policy(version=1), asks=False)
    assert not corrected(seen, target.wanted(), Policy(version=1), asks=True)
    log.switch(90, "automation_off")
    log.give(drifted(3, 1, "running", 1.0))
    assert (log.machine.unsettled, log.machine.watched[CHANNEL].drift is None) == ({}, False)
    log.switch(91, "automation_on")
    assert log.machine.corrects(log.machine.target(CHANNEL), seen, from_ms(NOW_MS))
    log.give(drifted(4, 1, "running", 1.0))
    assert list(log.machine.unsettled) == [CHANNEL]


def test_an_order_that_we_know_nothing_of_is_told_not_fought() -> None:
    log = Log()
    paused(log)
    log.give(drifted(3, 1, "running", 1.0) | {"observed": shown(7, "running", 1.0)})
    drift = log.machine.target(CHANNEL).drift
    assert drift is not None
    assert drift.corrects is False


def test_a_late_reading_undoes_nothing() -> None:
    """Of an old worker, or from before a newer order."""
    log = Log()
    paused(log)
    log.give(order(3, level=2))
    (audit,) = said(log.give(drifted(4, 1, "running", 1.0)), AUDIT)
    assert audit["why"] == "a reading of what has changed since"
    log.give(confirmed(5, 2, "paused", 0.0))
    before = log.machine.target(CHANNEL)
    log.give(drifted(6, 1, "running", 1.0))
    assert log.machine.target(CHANNEL) == before


def test_a_drift_outlives_a_restart() -> None:
    log = Log()
    running_again(log)
    log.give(drifted(5, 2, "paused"))
    again = ControlMachine(0)
    again.load([(key, value) for key, value in log.machine.changed() if value is not None])
    assert again.target(CHANNEL) == log.machine.target(CHANNEL)
    assert again.target(CHANNEL).drifts == 1


@pytest.mark.parametrize(
    ("seen", "wanted", "looser"),
    [
        (("running", 1.0), ("throttled", 0.5), True),
        (("throttled", 0.6), ("throttled", 0.5), True),
        (("throttled", 0.4), ("throttled", 0.5), False),
        (("paused", 0.0), ("throttled", 0.5), False),
        (("paused", 0.0), ("taken_down", 0.0), True),
        (("paused", 0.0), ("paused", 0.0), True),  # of an older generation: it forgot, and learns it again
    ],
)
def test_which_lets_more_through(
    seen: tuple[TargetStatus, float], wanted: tuple[TargetStatus, float], looser: bool
) -> None:
    one, other = (
        WantedState(target=CHANNEL, status=status, factor=factor, generation=1) for status, factor in (seen, wanted)
    )
    assert is_looser(one, other) is looser
