"""What receivers of webhooks and readers of `alert-state` rely on, in the bytes that alerting writes."""

import json
from typing import Any

import pytest

from schemas.alerts import AlertFact, AlertState
from schemas.base import from_ms
from services.alerting.machine import build
from services.alerting.telling import Due
from services.runtime.machines.machine import Record
from tests.contract.test_messages import CONTRACT

EVIDENCE = {
    "indicator": "complaint_volume",
    "subject": "channel:douyin",
    "value": 20,
    "threshold": 20,
    "window": {"from": "2026-11-22T16:00:00Z", "to": "2026-11-23T02:05:00Z"},
    "samples": {"complaints": 23},
    "policy": {"name": "default", "version": 1},
    "sources": [{"topic": "complaint-events", "partition": 0, "from": 10, "to": 33}],
    "detail": {"anonymous": 3},
}
FACT = {
    "v": 1,
    "alert_id": "0123456789abcdef" * 2,
    "writer": "indicators:channel:0",
    "seq": 0,
    "at": "2026-11-23T10:05:01+08:00",
    "status": "open",
    "severity": "critical",
    "indicator": "complaint_volume",
    "subject": "channel:douyin",
    "level": 1,
    "title": {"en": "20 complaints on douyin", "zh": "抖音渠道 20 起投诉"},
    "summary": {"en": "20 complaints since midnight", "zh": "零点以来 20 起投诉"},
    "opened_at": "2026-11-23T02:05:00Z",
    "event_time": "2026-11-23T02:05:00Z",
    "value": 20,
    "threshold": 20,
    "evidence": EVIDENCE,
    "team": "compliance",
    "labels": {"region": "cn"},
    "runbook": "complaint-volume",
    "a_field_of_the_future": True,
}
ACTION = {
    "what": "pause",
    "target": "channel:douyin",
    "state": "confirmed",
    "by": "indicator:complaint_volume",
    "at": "2026-11-23T02:05:01Z",
}


def run(*facts: dict[str, Any]) -> tuple[list[dict[str, Any]], list[Due]]:
    """What is written to `alert-state`, and the messages that become due."""
    machine = build(0)
    written = []
    for offset, one in enumerate(facts):
        key = str(one.get("alert_id")).encode()
        outputs = machine.apply(Record(offset, 1_763_863_501_000, key, json.dumps(one).encode()))
        written += [json.loads(output.value or b"") for output in outputs if output.topic == "alert-state"]
    return written, list(machine.heads())


def report(seq: int, said: str | None = None) -> dict[str, Any]:
    return {
        "v": 1,
        "alert_id": FACT["alert_id"],
        "writer": "channel_control:0",
        "seq": seq,
        "at": FACT["at"],
        **({"acknowledged_by": said} if said else {"actions": [ACTION]}),
    }


def test_the_state_has_every_field_of_the_contract() -> None:
    (state,), _ = run(FACT)
    assert state.keys() >= set(CONTRACT[AlertState].split())
    for name in ("title", "summary", "team", "labels", "runbook", "severity", "subject", "value", "evidence"):
        said = FACT[name]
        assert state[name] == ({**EVIDENCE, "code": None} if name == "evidence" else said)


def test_what_has_no_value_is_null_and_not_absent() -> None:
    bare = {name: value for name, value in FACT.items() if name not in ("value", "evidence", "team", "runbook")}
    (state,), _ = run(bare)
    assert [state[name] for name in ("value", "evidence", "team", "runbook", "acknowledged_by")] == [None] * 5


def test_reports_of_others_become_part_of_the_whole() -> None:
    states, _ = run(FACT, report(0), report(1, "li"))
    assert states[-1]["actions"] == [{**ACTION, "note": None, "note_zh": None}]
    assert states[-1]["acknowledged_by"] == "li"
    assert states[-1]["status"] == "open"


def test_a_webhook_is_type_time_and_the_whole_alert() -> None:
    (state,), (due,) = run(FACT)
    message = json.loads(due.body)
    assert message == {"type": "alert.opened", "timestamp": "2026-11-23T02:05:01Z", "data": state}
    assert message["data"]["evidence"]["window"] == EVIDENCE["window"]
    assert "抖音" in due.body


@pytest.mark.parametrize("missing", ["alert_id", "writer", "seq", "at"])
def test_a_fact_without_its_sender_place_or_time_is_none(missing: str) -> None:
    states, due = run({name: value for name, value in FACT.items() if name != missing})
    assert (states, due) == ([], [])


def test_times_are_written_in_utc() -> None:
    fact = AlertFact.model_validate_json(json.dumps(FACT))
    assert fact.at == from_ms(1_795_399_501_000)
    (state,), _ = run(FACT)
    assert state["opened_at"] == "2026-11-23T02:05:00Z"
