"""One order after the other, and what is written down of each."""

import json
from typing import Any

import pytest

from schemas.commands import Command
from services.channel_control.decision import MAX_NOTE
from services.channel_control.machine import MAX_COMMAND_BYTES, ControlMachine
from services.runtime.machines.machine import Record
from services.runtime.murmur import partition_of
from tests.unit.channel_control.one_log import HOUR_MS, MINUTE_MS, Log, actions, outcome
from tests.unit.channel_control.orders import (
    CHANNEL,
    NOW_MS,
    hex_id,
    order,
    persons,
    record,
    said,
)


def test_an_indicators_pause_becomes_state_audit_and_a_fact_for_its_alert() -> None:
    log = Log()
    outputs = log.give(order(1))
    (state,) = said(outputs, "channel-state")
    assert (state["generation"], state["status"], state["factor"]) == (1, "paused", 0.0)
    assert state["platform"] == {
        "wanted": "paused",
        "confirmed": None,
        "confirmed_generation": None,
        "confirmed_at": None,
        "error": None,
        "error_zh": None,
        "drift": None,
    }
    assert outcome(outputs) == ("done", "20 complaints today")
    assert actions(outputs) == [(hex_id(0xA), "pause", "ordered")]
    assert {output.topic: output.key for output in outputs} == {
        "channel-state": CHANNEL.encode(),
        "audit": CHANNEL.encode(),
        "alerts": hex_id(0xA).encode(),
    }


def test_what_needs_approval_waits_and_changes_no_status() -> None:
    log = Log()
    outputs = log.give(order(1, maturity="approve"))
    assert outcome(outputs)[0] == "waiting"
    assert actions(outputs) == [(hex_id(0xA), "pause", "waiting")]
    assert (log.channel.generation, log.channel.wanted().status) == (1, "running")
    assert log.channel.settled(), "a platform that was never stopped is not told to run"


def test_the_audit_keeps_the_evidence_without_the_trace() -> None:
    evidence = {
        "indicator": "complaint_volume",
        "subject": CHANNEL,
        "value": 20.0,
        "threshold": 20.0,
        "window": {"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T01:00:00Z"},
        "policy": {"name": "default", "version": 3},
        "sources": [{"topic": "complaint-events", "partition": 0, "from": 3, "to": 90}],
        "detail": {"accounts": ["x" * 1000]},
    }
    (audit,) = said(Log().give(order(1, evidence=evidence)), "audit")
    kept = audit["detail"]["evidence"]
    assert (kept["value"], kept["policy"], kept["sources"]) == (20.0, evidence["policy"], evidence["sources"])
    assert "detail" not in kept


def test_an_indicators_repeated_order_leaves_no_trace() -> None:
    log = Log()
    log.give(order(1))
    assert log.give(order(1)) == []
    assert log.channel.generation == 1


def test_a_persons_repeated_order_is_answered_and_changes_nothing() -> None:
    log = Log()
    log.give(persons(1, "pause"))
    outputs = log.give(persons(1, "pause"))
    assert [output.topic for output in outputs] == ["audit"]
    assert outcome(outputs)[0] == "repeated"
    assert log.channel.generation == 1


def test_an_order_on_another_partition_than_its_keys_is_refused_in_the_audit() -> None:
    """Its target is decided on elsewhere: two machines would each think that they own it."""
    home = partition_of(CHANNEL.encode(), 3)
    for partition in range(3):
        machine = ControlMachine(partition, 3)
        assert machine.apply(Record(0, NOW_MS, b"policy", b"{}"))  # read: a policy is on every partition
        result, why = outcome(outputs := machine.apply(record(1, order(1))))
        if partition == home:
            assert (result, machine.target(CHANNEL).generation) == ("done", 1)
        else:
            assert (result, [output.topic for output in outputs]) == ("refused", ["audit"])
            assert f"on partition {partition}, its key belongs on {home}" in why
            assert machine.target(CHANNEL).generation == 0


def test_the_audit_of_a_persons_order_tells_it_from_any_other() -> None:
    """Whoever gave it again, under the same id, can see whether it was the same."""
    bodies: list[dict[str, Any]] = [{}, {"note": "x"}, {"expected_generation": 2}, {"hold_ids": [hex_id(1)]}]
    found = set()
    for body in bodies:
        (audit,) = said(Log().give(persons(1, "resume", **body)), "audit")
        later = persons(1, "resume", issued_at="2026-01-01T00:00:09Z", **body)
        assert audit["detail"]["fingerprint"] == Command.model_validate_json(json.dumps(later)).fingerprint()
        found.add(audit["detail"]["fingerprint"])
    assert len(found) == len(bodies)


def test_a_person_lifts_what_they_saw() -> None:
    log = Log()
    log.give(order(1))
    outputs = log.give(persons(2, "resume", expected_generation=1, note="it was a test"))
    assert outcome(outputs) == ("done", "it was a test")
    assert actions(outputs) == [(hex_id(0xA), "pause", "lifted")]
    assert (log.channel.generation, log.channel.wanted().status, log.channel.holds) == (2, "running", ())


def test_a_person_lifts_one_hold_and_the_other_stands() -> None:
    log = Log()
    log.give(order(1))
    log.give(order(2, alert_id=hex_id(0xB)))
    first = log.channel.holds[0].hold_id
    outputs = log.give(persons(3, "resume", expected_generation=2, hold_ids=[first]))
    (audit,) = said(outputs, "audit")
    assert (audit["outcome"], audit["holds"], audit["detail"]["status"]) == ("done", [first], "paused")
    assert [hold.alert_id for hold in log.channel.holds] == [hex_id(0xB)]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"expected_generation": 1}, "the target has changed: it is at generation 2, not 1"),
        ({"expected_generation": 3}, "the target has changed: it is at generation 2, not 3"),
        ({}, "resume does not say which generation it saw"),
        ({"expected_generation": 2, "hold_ids": [hex_id(7)]}, "resume names a hold that does not stand"),
        ({"expected_generation": 2, "hold_ids": []}, "resume names no hold"),
        ({"target": "channel:other", "expected_generation": 0}, "no hold stands on this target"),
        ({"expected_generation": 2, "expires_at": "2026-01-01T00:00:00Z"}, "resume takes no expiry"),
    ],
)
def test_a_resume_that_is_not_about_what_stands_is_refused_visibly(fields: dict[str, Any], problem: str) -> None:
    log = Log()
    log.give(order(1))
    log.give(order(2, level=2))
    outputs = log.give(persons(3, "resume", **fields))
    assert [output.topic for output in outputs] == ["audit"]
    assert outcome(outputs) == ("refused", problem)
    assert (log.channel.generation, log.channel.wanted().status) == (2, "paused")


def test_a_channel_that_was_resumed_by_hand_stops_again_at_the_next_level() -> None:
    log = Log()
    log.give(order(1))
    log.give(persons(2, "resume", expected_generation=1))
    assert log.give(order(1)) == [], "the old level does not stop it again"
    outputs = log.give(order(3, level=2))
    assert outcome(outputs)[0] == "done"
    assert (log.channel.generation, log.channel.wanted().status) == (3, "paused")


def test_acknowledge_is_passed_on_to_the_alert() -> None:
    outputs = Log().give(persons(1, "acknowledge", alert_id=hex_id(0xA)))
    assert outcome(outputs)[0] == "done"
    (fact,) = said(outputs, "alerts")
    assert (fact["alert_id"], fact["acknowledged_by"], fact["status"], fact["actions"]) == (
        hex_id(0xA),
        "li",
        None,
        [],
    )


def test_acknowledge_without_an_alert_is_refused() -> None:
    outputs = Log().give(persons(1, "acknowledge"))
    assert outcome(outputs) == ("refused", "acknowledge does not say which alert")


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        (persons(1, "silence", note=None, expires_at="2026-01-02T00:00:00Z"), "silence without a reason"),
        (persons(1, "silence", expires_at="2026-01-01T00:00:00Z"), "silence was over when it arrived"),
        (
            persons(1, "silence", expires_at="2027-01-01T00:00:00Z"),
            "a silence lasts at most 7 days; the policy has longer ones",
        ),
        (order(1, "silence"), "silence is not for indicator to say"),
        (order(1, "approve"), "approve is not for indicator to say"),
        (persons(1, "expired"), "expired is not for person to say"),
        (persons(1, "override"), "override does not say until when"),
        (order(1, "override"), "override is not for indicator to say"),
        (order(1, expires_at="2026-01-02T00:00:00Z"), "an expiry is for people to give"),
        (persons(1, "pause", note=" "), "pause without a reason"),
        (persons(1, "pause", expires_at="2026-01-01T00:00:00Z"), "pause was over when it arrived"),
        (order(1, "resume"), "resume is not for indicator to say"),
        (order(1, "confirmed"), "confirmed is not for indicator to say"),
        (persons(1, "confirmed", issued_by="reconciler"), "a report without the generation that it is about"),
        (persons(1, "confirmed"), "confirmed is not for person to say"),
        (order(1, issued_by="reconciler"), "pause is not for reconciler to say"),
        (order(1, "throttle"), "throttle without a factor"),
        (order(1, maturity="notify"), "an indicator's order without the maturity approve or auto"),
        (order(1, maturity=None), "an indicator's order without the maturity approve or auto"),
    ],
)
def test_who_may_say_what(fields: dict[str, Any], problem: str) -> None:
    log = Log()
    outputs = log.give(fields)
    assert outcome(outputs) == ("refused", problem)
    assert log.channel.generation == 0


@pytest.mark.parametrize(
    ("fields", "age_ms", "stale"),
    [
        (order(1, issued_by="indicator:cac_spike"), 15 * MINUTE_MS, False),
        (order(1, issued_by="indicator:cac_spike"), 15 * MINUTE_MS + 1, True),
        (order(1, "freeze", issued_by="indicator:click_fraud"), HOUR_MS, True),
        (order(1, "throttle", factor=0.5, issued_by="indicator:complaint_rate"), HOUR_MS, True),
        (order(1), 24 * HOUR_MS, False),
        (order(1), 24 * HOUR_MS + 1, True),
        (order(1, issued_by="indicator:complaint_rate"), 24 * HOUR_MS, False),
        (order(1, "take_down", issued_by="indicator:content_violation"), 24 * HOUR_MS, False),
        (order(1, event_time=None), 99 * HOUR_MS, False),
    ],
)
def test_an_old_verdict_is_told_and_not_done(fields: dict[str, Any], age_ms: int, stale: bool) -> None:
    log = Log()
    outputs = log.give(fields, NOW_MS + age_ms)
    assert (outcome(outputs)[0] == "stale") == stale
    assert (len(log.channel.holds) == 0) == stale
    assert [state for *_, state in actions(outputs)] == ["stale" if stale else "ordered"]


def test_on_the_clock_of_events_nothing_is_stale() -> None:
    log = Log(stale_acts=True)
    assert outcome(log.give(order(1), NOW_MS + 9000 * HOUR_MS))[0] == "done"


def test_a_policy_on_the_log_says_how_old_a_verdict_may_be() -> None:
    log = Log()
    policy = {"v": 1, "policy": {"version": 2, "act_within": {"usual": "1m", "guardrail": "2m"}}}
    assert log.machine.apply(Record(0, NOW_MS, b"policy", json.dumps(policy).encode())) == []
    assert outcome(log.give(order(1), NOW_MS + 3 * MINUTE_MS))[0] == "stale"
    assert outcome(log.give(order(2), NOW_MS + 2 * MINUTE_MS))[0] == "done"


def test_a_policy_may_be_as_large_as_its_topic_takes() -> None:
    log, phrases = Log(), [{"text": f"{n}{'保本' * 20}"} for n in range(4_500)]
    policy = {"policy": {"version": 2, "act_within": {"usual": "1m"}, "content": {"phrases": phrases}}}
    value = json.dumps(policy, ensure_ascii=False).encode()
    assert len(value) > MAX_COMMAND_BYTES
    assert log.machine.apply(Record(0, NOW_MS, b"policy", value)) == []


def test_a_bad_policy_is_refused_and_the_last_one_stays() -> None:
    log = Log()
    audit = log.raw(b'{"policy": {"version": 0}}', b"policy")
    assert (audit["outcome"], audit["what"]) == ("refused", "policy")
    assert outcome(log.give(order(1), NOW_MS + 23 * HOUR_MS))[0] == "done"


def test_escalate_is_recorded_and_told() -> None:
    log = Log()
    outputs = log.give(order(1, "escalate", target="actor:ff"))
    assert outcome(outputs)[0] == "recorded"
    assert actions(outputs) == [(hex_id(0xA), "escalate", "done")]
    assert log.machine.target("actor:ff").generation == 0


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (b"", "the record is not valid JSON: EOF while parsing a value at line 1 column 0"),
        (b"[]", "the record is not a JSON object"),
        (json.dumps(order(1, target="douyin")).encode(), "target String should match pattern"),
        (json.dumps(order(1, issued_by="person:" + "x" * 500)).encode(), "issued_by String should have at most 200"),
        (b"x" * (MAX_COMMAND_BYTES + 1), f"larger than {MAX_COMMAND_BYTES} bytes"),
    ],
)
def test_what_is_no_order_is_refused_under_its_key(value: bytes, problem: str) -> None:
    audit = Log().raw(value)
    assert (audit["outcome"], audit["what"], audit["target"]) == ("refused", "unreadable", CHANNEL)
    assert audit["why"].startswith(problem)


def test_a_record_without_any_target_has_a_place_in_the_audit_too() -> None:
    assert Log().raw(b"?", key=b"\xff")["target"] == "unknown:target"
    assert Log().raw(b"?", key=None)["target"] == "unknown:target"


def test_an_order_under_another_key_is_refused() -> None:
    audit = Log().raw(json.dumps(order(1)).encode(), key=b"channel:other")
    assert (audit["outcome"], audit["why"]) == ("refused", "the record's key is not the order's target")


def test_a_snapshot_of_another_format_is_refused() -> None:
    log = Log()
    log.give(order(1))
    records = {key: value for key, value in log.machine.changed() if value is not None}
    broken = {key: value.replace(b'"format":1', b'"format":2') for key, value in records.items()}
    with pytest.raises(ValueError, match="format"):
        ControlMachine(0).load(broken.items())
    with pytest.raises(ValueError, match="does not know"):
        ControlMachine(0).load([(b"override/x", b"{}")])


def test_of_a_persons_long_words_an_alert_gets_the_beginning_and_the_audit_all() -> None:
    log, note = Log(), "已核实" * 6000
    log.give(order(1))
    outputs = log.give(persons(2, "resume", expected_generation=1, note=note))
    (fact,), (audit,) = said(outputs, "alerts"), said(outputs, "audit")
    assert fact["actions"][0]["note"] == note[:MAX_NOTE]
    assert audit["detail"]["note"] == note
