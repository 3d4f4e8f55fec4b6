"""The machine is a function of its log, and tells nobody half a story."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import AlertFact, AlertState
from schemas.audit import AuditRecord
from services.alerting.groups.group_desk import MOST
from services.alerting.machine import KEEP_MS, MAX_FACT_BYTES, SWEEP_MS, AlertingMachine, build
from services.runtime.ids import derive
from services.runtime.machines.machine import Output, Record
from services.runtime.murmur import partition_of
from tests.unit.alerting.facts import ALERTS, PATIENT, T0_MS, fact, logs, opening, record, reported, run


def restarted(snapshot: dict[bytes, bytes], next_offset: int) -> AlertingMachine:
    machine = build(0)
    if snapshot:
        machine.load(sorted(snapshot.items()))  # by hashes, so in no order that it could rely on
    assert machine.rewind(next_offset) == next_offset
    return machine


def write(snapshot: dict[bytes, bytes], changed: Iterable[tuple[bytes, bytes | None]]) -> None:
    for key, value in changed:
        if value is None:
            snapshot.pop(key, None)
        else:
            snapshot[key] = value


@PATIENT
@given(st.data())
def test_the_same_log_gives_the_same_whatever_was_restarted(data: st.DataObject) -> None:
    log = data.draw(logs(steps_ms=(1, 1000, KEEP_MS)))
    straight = build(0)
    expected = [list(straight.apply(one)) for one in log]

    snapshot: dict[bytes, bytes] = {}
    machine, done, at = build(0), 0, 0
    while at < len(log):
        assert list(machine.apply(log[at])) == expected[at]
        at += 1
        event = data.draw(st.sampled_from(["go on", "go on", "snapshot", "die"]))
        if event == "snapshot":
            write(snapshot, machine.changed())
            machine.rewind(done := at)
        elif event == "die" and data.draw(st.booleans()):
            machine, at = restarted(snapshot, done), done
    assert sorted(machine.heads(), key=lambda due: due.webhook_id) == sorted(
        straight.heads(), key=lambda due: due.webhook_id
    )
    write(snapshot, machine.changed())
    assert dict(restarted({}, 0).changed()) == {}
    whole: dict[bytes, bytes] = {}
    write(whole, straight.changed())
    assert snapshot == whole


def outputs(made: list[Output], topic: str) -> list[dict[str, Any]]:
    return [json.loads(output.value or b"") for output in made if output.topic == topic]


def settle(machine: AlertingMachine, outcome: str) -> list[Output]:
    """The deliverer's report on the first message that is due."""
    due = next(machine.heads())
    return run(machine, [reported(machine, due.webhook_id, outcome, due.alert_id, due.number)])


def test_the_whole_is_published_when_it_changes_and_only_then() -> None:
    machine = build(0)
    made = run(machine, [opening(), opening(), fact(1, value=20.0), fact(2, value=20.0)])
    states = [AlertState.model_validate_json(one.value or b"") for one in made if one.topic == "alert-state"]
    assert [one.value for one in states] == [None, 20.0]
    assert [one.seq for one in states] == [0, 2]
    assert {one.key for one in made} == {ALERTS[0].encode()}


def test_a_delivery_ends_in_the_audit_once() -> None:
    machine = build(0)
    run(machine, [opening()])
    due = next(machine.heads())
    said = reported(machine, due.webhook_id, "delivered", due.alert_id, due.number)
    (audited,) = outputs(run(machine, [said, said, said]), "audit")
    record = AuditRecord.model_validate_json(json.dumps(audited))
    assert (record.outcome, record.target, record.alert_id) == ("delivered", "channel:douyin", ALERTS[0])
    assert record.detail["webhook_id"] == due.webhook_id
    assert not list(machine.heads())


@pytest.mark.parametrize("outcome", ["failed", "recorded"])
def test_after_a_lost_opening_what_is_worse_opens(outcome: str) -> None:
    machine = build(0)
    run(machine, [opening(), fact(1, level=2, at_ms=T0_MS + 1)])
    assert machine.waiting() == 1
    audited = outputs(settle(machine, outcome), "audit")
    assert [one["outcome"] for one in audited] == [outcome]
    (head,) = machine.heads()
    assert (head.change, head.rank, head.number) == ("alert.opened", (2, 2), 1)


def test_a_lost_opening_takes_the_resolve_with_it() -> None:
    machine = build(0)
    run(machine, [opening(), fact(1, status="resolved")])
    settle(machine, "failed")
    assert machine.waiting() == 0


def test_after_a_lost_update_the_end_is_still_told() -> None:
    machine = build(0)
    run(machine, [opening(), fact(1, level=2)])
    settle(machine, "delivered")
    run(machine, [fact(2, status="resolved")])
    assert [due.change for due in machine.heads()] == ["alert.updated"]
    settle(machine, "failed")
    assert [due.change for due in machine.heads()] == ["alert.resolved"]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (b"", "the fact is not valid JSON"),
        (b"{}", "alert_id is required"),
        (b"[" * 10_000, "the fact is not valid JSON"),
        (b" " * (MAX_FACT_BYTES + 1), "larger than"),
        (opening().model_dump_json().replace('"open"', '"no secret"').encode(), "status Input should be 'open'"),
    ],
)
def test_what_is_no_fact_is_told_to_the_audit_and_not_quoted(value: bytes, why: str) -> None:
    machine = AlertingMachine(3, 4)
    (audited,) = outputs(list(machine.apply(Record(17, T0_MS, b"x", value))), "audit")
    assert why in audited["why"]
    assert "no secret" not in json.dumps(audited)
    assert (audited["outcome"], audited["target"]) == ("refused", "log:alerts/3/17")
    assert list(machine.apply(record(18, opening())))


def test_a_fact_that_belongs_elsewhere_is_told_to_the_audit_and_merged_nowhere() -> None:
    """By its key, which is the alert, and by the partition, which is the key's."""
    home = partition_of(ALERTS[0].encode(), 3)
    for partition in range(3):
        machine = build(partition, 3)
        made = list(machine.apply(record(0, opening())))
        if partition == home:
            assert outputs(made, "alert-state")
        else:
            (audited,) = outputs(made, "audit")
            assert f"on partition {partition}, its key belongs on {home}" in audited["why"]
    stray = Record(1, T0_MS, ALERTS[1].encode(), opening().model_dump_json().encode())
    (audited,) = outputs(list(build(0).apply(stray)), "audit")
    assert (audited["outcome"], audited["why"]) == ("refused", "the record's key is not the fact's alert_id")


@pytest.mark.parametrize("key", [b"policy", b"silence", b"standing"])
def test_a_policy_or_silence_that_is_none_is_told_to_the_audit(key: bytes) -> None:
    (audited,) = outputs(list(build(0).apply(Record(0, T0_MS, key, b"{}"))), "audit")
    assert audited["outcome"] == "refused"


def repeat_after(facts: list[AlertFact], later_ms: int) -> list[Output]:
    """What comes of the first fact once more, that much later."""
    machine = build(0)
    for one in facts:
        run(machine, [one])
        while machine.waiting():
            settle(machine, "delivered")
    return list(machine.apply(record(99, facts[0], T0_MS + later_ms)))


def test_a_repeat_is_known_for_as_long_as_the_log_is_kept_and_then_forgotten() -> None:
    ended = [opening(), fact(1, status="resolved")]
    assert not repeat_after(ended, KEEP_MS - 60_000)
    assert [one.value is None for one in repeat_after(ended, KEEP_MS + 60_000)] == [True, False]


def test_a_storm_of_any_size_fits_into_snapshots_and_is_told_whole() -> None:
    machine, alerts = AlertingMachine(0), [derive("alert", str(number)) for number in range(2 * MOST + 100)]
    run(machine, (opening(alert_id=alert) for alert in alerts))
    hour = T0_MS + SWEEP_MS
    machine.apply(record(machine.next_offset, fact(1, alert_id=alerts[0]), hour))
    assert sum(due.group.count for due in machine.heads() if due.group) == len(alerts)
    snapshot = {key: value for key, value in machine.changed() if value is not None}
    assert max(map(len, snapshot.values())) < 500 * MOST
    last = record(machine.next_offset, opening(alert_id=derive("one more")), 2 * hour)
    fresh = restarted(snapshot, machine.next_offset)
    assert list(machine.apply(last)) == list(fresh.apply(last))
    assert {due.body for due in machine.heads()} == {due.body for due in fresh.heads()}


def test_an_open_alert_is_never_forgotten() -> None:
    assert not repeat_after([opening()], 10 * KEEP_MS)


def test_what_is_long_over_leaves_the_snapshot_and_the_topic() -> None:
    """Whatever moves time: here a policy. What was never opened is on no topic."""
    machine = build(0)
    run(machine, [opening(status="resolved"), fact(alert_id=ALERTS[1], acknowledged_by="li"), opening(0, ALERTS[2])])
    snapshot: dict[bytes, bytes] = {}
    write(snapshot, machine.changed())
    assert sum(key.startswith(b"alert:") for key in snapshot) == 3
    later = Record(50, T0_MS + KEEP_MS + SWEEP_MS, b"policy", b'{"policy":{"version":1}}')
    assert list(machine.apply(later)) == [Output("alert-state", ALERTS[0].encode(), None)]
    write(snapshot, machine.changed())
    assert {key for key in snapshot if key.startswith(b"alert:")} == {b"alert:" + ALERTS[2].encode()}
    assert list(restarted(snapshot, 51).apply(later)) == [], "told once"


def test_it_knows_where_it_is_in_the_log() -> None:
    machine = restarted({}, 41)
    assert machine.next_offset == 41
    list(machine.apply(record(41, opening())))
    assert machine.next_offset == 42
