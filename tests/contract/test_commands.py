"""What channel_control makes of orders, in the words and forms that others rely on."""

import json
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from schemas.alerts import AlertFact
from schemas.audit import AuditRecord
from schemas.channels import ChannelState, WantedState
from schemas.commands import Command, Switch
from services.channel_control.enforcing.reconcile import Trouble, confirmation, drift, failure
from services.channel_control.holding.target import Target
from services.channel_control.machine import ControlMachine
from services.channel_control.orders import ACTIONS, ANSWERS, INDICATORS_WORDS, PERSONS_WORDS, REPORTS
from services.channel_control.people.entries import ENTRIES
from services.runtime.ids import derive
from services.runtime.machines.machine import Output
from tests.unit.channel_control.orders import CHANNEL, NOW, confirmed, hex_id, order, persons, record, said

MODELS: dict[str, type[BaseModel]] = {"channel-state": ChannelState, "audit": AuditRecord, "alerts": AlertFact}
REQUEST = derive(hex_id(6), "request")
STORY = [
    order(1, "throttle", factor=0.5, maturity="approve"),
    order(2, "pause", level=2),
    order(3, "escalate"),
    confirmed(4, 2, "paused", 0.0),
    persons(5, "acknowledge", alert_id="0" * 31 + "a"),
    persons(6, "resume", expected_generation=2, note="checked with compliance"),
    persons(7, "resume", expected_generation=1),
    persons(8, "approve", expected_generation=3, hold_ids=[REQUEST], issued_by="person:wang"),
    persons(9, "approve", expected_generation=4, hold_ids=[REQUEST], issued_by="person:chen"),
]


@pytest.fixture(scope="module")
def outputs() -> list[Output]:
    machine = ControlMachine(1, 3)
    return [output for offset, fields in enumerate(STORY) for output in machine.apply(record(offset, fields))]


def test_every_message_follows_its_model_and_is_keyed_as_the_contract_says(outputs: list[Output]) -> None:
    for output in outputs:
        message: Any = MODELS[output.topic].model_validate_json(output.value or b"")
        assert output.key == (message.alert_id if output.topic == "alerts" else message.target).encode()
        assert output.partition is None, "the key decides, as with any Kafka client"


def test_a_channels_state_reads_as_documented(outputs: list[Output]) -> None:
    states = said(outputs, "channel-state")
    assert [(state["generation"], state["status"]) for state in states] == [
        (1, "running"),
        (2, "paused"),
        (2, "paused"),
        (3, "paused"),
        (4, "paused"),
        (5, "running"),
    ]
    waiting, _, in_force, asked, agreed, running = states
    assert waiting["holds"][0]["approval"] == "waiting"
    (hold,) = in_force["holds"]
    assert {name: hold[name] for name in ("kind", "factor", "indicator", "since", "by", "until", "approval")} == {
        "kind": "pause",
        "factor": None,
        "indicator": "complaint_volume",
        "since": NOW,
        "by": "indicator:complaint_volume",
        "until": None,
        "approval": "none",
    }
    assert in_force["platform"]["confirmed_at"] == NOW
    assert [request["approved_by"] for state in (asked, agreed) for request in state["requests"]] == [
        [],
        ["person:wang"],
    ]
    assert (running["platform"]["wanted"], running["platform"]["confirmed"]) == ("running", "paused")


def test_the_audit_tells_the_whole_story(outputs: list[Output]) -> None:
    story = [(audit["who"], audit["what"], audit["outcome"], audit["generation"]) for audit in said(outputs, "audit")]
    assert story == [
        ("indicator:complaint_volume", "throttle", "waiting", 1),
        ("indicator:complaint_volume", "pause", "done", 2),
        ("indicator:complaint_volume", "escalate", "recorded", 2),
        ("reconciler", "confirmed", "confirmed", 2),
        ("person:li", "acknowledge", "done", 2),
        ("person:li", "resume", "waiting", 3),
        ("person:li", "resume", "refused", 3),
        ("person:wang", "approve", "waiting", 4),
        ("person:chen", "approve", "done", 5),
    ]


def test_alerts_hear_what_became_of_their_orders(outputs: list[Output]) -> None:
    facts = said(outputs, "alerts")
    heard = [(action["what"], action["state"]) for fact in facts for action in fact["actions"]]
    assert heard == [
        ("throttle", "waiting"),
        ("throttle", "replaced"),
        ("pause", "ordered"),
        ("escalate", "done"),
        ("pause", "confirmed"),
        ("resume", "waiting"),
        ("resume", "granted"),
        ("pause", "lifted"),
    ]
    assert {fact["writer"] for fact in facts} == {"channel_control:1"}
    assert [fact["seq"] for fact in facts] == sorted({fact["seq"] for fact in facts})
    assert [fact["acknowledged_by"] for fact in facts if fact["acknowledged_by"]] == ["li"]


def test_every_word_of_the_contract_has_a_place() -> None:
    parts = Command.model_json_schema()["properties"]["command"]["anyOf"]
    words = {word for part in parts for word in part.get("enum", [part.get("const")])}
    governors = ANSWERS | {"claim", "release", "figures", "gathered"}
    assert words == ACTIONS | PERSONS_WORDS | INDICATORS_WORDS | REPORTS | governors | set(get_args(Switch)) | ENTRIES


def test_reports_are_commands_under_the_targets_key() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    seen = WantedState(target=CHANNEL, status="paused", factor=0.0, generation=1)
    target = Target(CHANNEL, 1)
    timeout = Trouble("timeout", "no answer")
    reports = [confirmation(target, seen, at), failure(target, timeout, at), drift(target, seen, at)]
    for report in reports:
        written = json.loads(report.model_dump_json())
        assert (written["target"], written["issued_by"], written["expected_generation"]) == (CHANNEL, "reconciler", 1)
        assert Command.model_validate_json(report.model_dump_json()) == report
