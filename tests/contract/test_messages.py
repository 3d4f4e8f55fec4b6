"""The names that others rely on stay: a field may be added, never renamed or dropped within version 1."""

import json

import pytest
from pydantic import BaseModel, ValidationError

from schemas import export
from schemas.alerts import AlertFact, AlertState, WebhookMessage
from schemas.audit import AuditRecord
from schemas.channels import ChannelState, Hold, Platform, WantedState
from schemas.commands import Command, Evidence
from schemas.dead_letters import DeadLetter, Problem
from schemas.policy import IndicatorPolicy, Policy, PolicyInForce, PolicyRef
from schemas.readings import READINGS_MESSAGE, Reading, Tally

CONTRACT: dict[type[BaseModel], str] = {
    Command: "v command_id command target factor level hold_ids expected_generation issued_by alert_id issued_at "
    "event_time maturity reason evidence expires_at note",
    Evidence: "indicator subject value threshold window samples policy sources detail",
    AlertFact: "v alert_id writer seq status severity indicator subject title summary opened_at event_time value "
    "threshold evidence actions team acknowledged_by labels runbook",
    AlertState: "v alert_id status severity indicator subject title summary opened_at event_time value threshold "
    "evidence actions team acknowledged_by labels runbook",
    ChannelState: "v target generation status factor holds platform",
    Hold: "hold_id kind factor indicator alert_id since by until approval decide_by decided_by",
    Platform: "wanted confirmed confirmed_at error",
    DeadLetter: "topic partition offset at errors size raw",
    Problem: "field problem",
    Reading: "v kind writer subject_kind at values counts left_out",
    Tally: "v kind writer hour sums left_out",
}
WORDS = {
    "pause", "throttle", "freeze", "take_down", "escalate", "resume", "approve", "reject", "acknowledge", "silence",
    "override", "withdraw", "merge", "split", "automation_off", "automation_on", "eased", "claim", "release", "figures",
    "gathered",
    "granted", "declined", "confirmed", "failed", "expired", "due", "drifted", "away", "back",
    "sign_in", "sign_out", "sign_in_failed",
}  # fmt: skip


@pytest.mark.parametrize("model", CONTRACT, ids=lambda model: str(model.__name__))
def test_every_field_of_the_contract_is_there(model: type[BaseModel]) -> None:
    assert set(CONTRACT[model].split()) <= model.model_fields.keys()


@pytest.mark.parametrize(
    "model",
    [Command, AlertFact, AlertState, ChannelState, WantedState, AuditRecord, DeadLetter, PolicyRef, Reading, Tally],
)
def test_every_message_says_its_version(model: type[BaseModel]) -> None:
    assert model.model_fields["v"].default == 1


def test_every_word_of_the_contract_is_a_command() -> None:
    schema = Command.model_json_schema()["properties"]["command"]
    assert {word for part in schema["anyOf"] for word in part.get("enum", [part.get("const")])} == WORDS


EVIDENCE = {
    "indicator": "complaint_volume",
    "subject": "channel:douyin",
    "value": 20,
    "threshold": 20,
    "window": {"from": "2026-11-22T16:00:00Z", "to": "2026-11-23T02:05:00Z"},
    "samples": {"complaints": 23},
    "policy": {"name": "default", "version": 1},
    "sources": [{"topic": "complaint-events", "partition": 0, "from": 3, "to": 30}],
    "detail": {},
}
COMMAND = {
    "v": 1,
    "command_id": "0" * 32,
    "command": "pause",
    "target": "channel:douyin",
    "factor": None,
    "level": 1,
    "issued_by": "indicator:complaint_volume",
    "issued_at": "2026-11-23T02:00:00Z",
    "event_time": "2026-11-23T02:05:00Z",
    "maturity": "auto",
    "reason": {"en": "20 complaints", "zh": "投诉 20 件"},
    "evidence": EVIDENCE,
}


def test_a_command_survives_the_wire_with_the_contracts_spelling() -> None:
    written = json.loads(Command.model_validate_json(json.dumps(COMMAND)).model_dump_json())
    assert written["evidence"]["window"] == EVIDENCE["window"]
    assert written["evidence"]["sources"] == EVIDENCE["sources"]
    assert written["hold_ids"] is None
    assert {name: written[name] for name in COMMAND if name != "evidence"} == {
        name: value for name, value in COMMAND.items() if name != "evidence"
    }


def test_a_later_field_does_not_break_an_older_reader() -> None:
    assert Command.model_validate_json(json.dumps(COMMAND | {"colour": "red"})).command == "pause"


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"command": "stop"},
        {"command_id": "xyz"},
        {"target": "douyin"},
        {"factor": 1.5},
        {"level": "1"},
        {"issued_by": "somebody"},
        {"issued_at": "2026-11-23T02:00:00"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_command_that_breaks_the_contract_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Command.model_validate_json(json.dumps(COMMAND | change))


def test_a_webhook_carries_the_whole_alert() -> None:
    at = "2026-11-23T02:00:00Z"
    ordered = {"what": "pause", "target": "channel:x", "state": "ordered", "by": "indicator:x", "at": at}
    document = {
        "alert_id": "a" * 32,
        "status": "open",
        "severity": "critical",
        "indicator": "click_fraud",
        "subject": "actor:1",
        "level": 1,
        "title": {"en": "t", "zh": "标题"},
        "summary": {"en": "s", "zh": "摘要"},
        "opened_at": at,
        "event_time": None,
        "value": 1.0,
        "threshold": 1.0,
        "evidence": EVIDENCE,
        "actions": [ordered],
    }
    state = AlertState.model_validate_json(json.dumps(document))
    message = WebhookMessage(type="alert.opened", timestamp=state.opened_at, data=state)
    assert WebhookMessage.model_validate_json(message.model_dump_json()) == message


READING = {
    "v": 1,
    "kind": "reading",
    "writer": "indicators:channel:0",
    "subject_kind": "channel",
    "at": "2026-11-23T02:05:00Z",
    "indicators": ["cac_spike"],
    "values": {"cac_spike": {"channel:douyin": [0.25, 0.2, "breach"], "channel:baidu": [None, None, "unsure"]}},
    "counts": {},
    "left_out": 0,
}
TALLY = {
    "v": 1,
    "kind": "tally",
    "writer": "indicators:channel:0",
    "hour": "2026-11-23T02:00:00Z",
    "sums": {"channel": {"douyin": {"clicks": 40.0, "spend": 12.5}}, "segment": {"young": {"clicks": 3.0}}},
    "left_out": 0,
}


@pytest.mark.parametrize("document", [READING, TALLY], ids=lambda document: str(document["kind"]))
def test_a_reading_and_a_tally_survive_the_wire(document: dict[str, object]) -> None:
    read = READINGS_MESSAGE.validate_json(json.dumps(document))
    assert json.loads(read.model_dump_json()) == document


@pytest.mark.parametrize(
    "document",
    [
        READING | {"values": {"cac_spike": {"channel:douyin": [0.25, 0.2, "fine"]}}},
        READING | {"kind": "tally"},
        TALLY | {"sums": {"city": {}}},
        TALLY | {"sums": {"channel": {"douyin": {"likes": 1}}}},
    ],
    ids=["verdict", "kind", "scope", "measure"],
)
def test_a_reading_that_breaks_the_contract_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        READINGS_MESSAGE.validate_json(json.dumps(document))


def test_a_policy_round_trips_with_durations_people_can_read() -> None:
    policy = Policy.model_validate({"version": 1, "max_silence": "90m", "act_within": {"usual": "15m"}})
    written = policy.model_dump_json()
    assert json.loads(written)["max_silence"] == "90m"
    assert Policy.model_validate_json(written) == policy
    assert PolicyInForce.model_validate_json(PolicyInForce(policy=policy).model_dump_json()).policy == policy


@pytest.mark.parametrize(
    "document",
    [
        {"version": 1, "max_silense": "2h"},
        {"version": 1, "max_silence": "2 hours"},
        {"version": 1, "time_zone": "Mars/Base"},
        {"version": 0},
        {"version": 1, "indicators": {"x": {"maturity": "sometimes"}}},
    ],
    ids=["unknown key", "duration", "zone", "version", "maturity"],
)
def test_a_policy_with_a_mistake_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Policy.model_validate(document)


def test_maturity_is_one_for_all_or_by_action() -> None:
    assert IndicatorPolicy.model_validate({"maturity": "auto"}).maturity == "auto"
    by_action = IndicatorPolicy.model_validate({"maturity": {"pause": "auto", "throttle": "approve"}})
    assert by_action.maturity == {"pause": "auto", "throttle": "approve"}


def test_the_json_schemas_on_disk_are_current() -> None:
    assert export.stale() == []
