"""Rows for people outside: nothing left out, nothing that a spreadsheet would run, and whose approval it was."""

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.audit import AuditRecord
from services.auditing.rows import COLUMNS, Approvals, csv_line, json_line, row_of
from tests.unit.channel_control.orders import hex_id
from tests.unit.cli.audit.logs import AT
from tests.unit.cli.audit.logs import record as document

EVIDENCE = {
    "indicator": "complaint_volume",
    "subject": "channel:a",
    "value": 20.0,
    "threshold": 20,
    "window": {"from": "2026-11-26T00:00:00Z", "to": "2026-11-26T10:00:00Z"},
    "samples": {"complaints": 20},
    "policy": {"name": "default", "version": 3},
    "sources": [{"topic": "complaint-events", "partition": 1, "from": 5, "to": 30}],
}


def record(minute: int = 0, **fields: Any) -> AuditRecord:
    said = document(minute, **fields) | {"at": (AT + timedelta(minutes=minute)).isoformat()}
    return AuditRecord.model_validate_json(json.dumps(said))


def read(line: bytes) -> list[str]:
    (cells,) = csv.reader(io.StringIO(line.decode(), newline=""))
    return cells


def test_a_row_says_who_what_when_why_and_on_which_evidence() -> None:
    pause = record(who="indicator:complaint_volume", detail={"level": 1, "note": "as agreed", "evidence": EVIDENCE})
    row = row_of(pause, 1, 17, ["person:li", "person:wang"])
    assert tuple(row) == COLUMNS
    assert {name: value for name, value in row.items() if value is not None} == {
        "at": "2026-11-26T12:00:00Z",
        "who": "indicator:complaint_volume",
        "what": "pause",
        "target": "channel:a",
        "outcome": "done",
        "why": "for reason 0",
        "note": "as agreed",
        "approved_by": "person:li person:wang",
        "indicator": "complaint_volume",
        "value": 20.0,
        "threshold": 20,
        "window_from": "2026-11-26T00:00:00Z",
        "window_to": "2026-11-26T10:00:00Z",
        "policy": "default/3",
        "sources": "complaint-events/1:5-30",
        "detail": '{"level": 1}',
        "writer": "channel_control:0",
        "partition": 1,
        "offset": 17,
        "audit_id": pause.audit_id,
    }
    assert json.loads(json_line(row)) == row


@pytest.mark.parametrize("detail", [{}, {"evidence": {"left_out": "too large"}}, {"evidence": None}, {"note": 3}])
def test_what_a_record_does_not_say_is_empty(detail: dict[str, Any]) -> None:
    row = row_of(record(detail=detail), 0, 0, [])
    assert (row["indicator"], row["policy"], row["sources"], row["approved_by"]) == (None, None, None, None)


def test_an_order_is_approved_by_those_who_did_so_after_it_asked() -> None:
    approvals, hold = Approvals(), hex_id(7)
    order = record(5, outcome="waiting", holds=[hold])
    for minute, who, outcome, holds in (
        (1, "person:early", "done", [hold]),
        (6, "person:li", "waiting", [hold]),
        (7, "person:stranger", "refused", [hold]),
        (8, "person:wang", "done", [hex_id(8), hold]),
        (9, "person:other", "done", [hex_id(8)]),
    ):
        approvals.add(record(minute, what="approve", who=who, outcome=outcome, holds=holds))
    assert approvals.of(order) == ["person:li", "person:wang"]
    assert approvals.of(record(6, what="approve", who="person:li", holds=[hold])) == ["person:li"]
    assert approvals.of(record(9, what="resume", holds=[hold])) == [], "what needs nobody's approval has none"


def test_a_policy_is_approved_by_its_label() -> None:
    approvals = Approvals()
    approvals.add(record(2, what="approve_policy", who="person:li", target="policy:default/2"))
    assert approvals.of(record(1, what="apply_policy", outcome="waiting", target="policy:default/2")) == ["person:li"]
    assert approvals.of(record(1, what="apply_policy", outcome="waiting", target="policy:default/3")) == []


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r=1", "＝1", "\n-1"])
def test_no_text_becomes_a_formula(text: str) -> None:
    assert read(csv_line([text])) == [f"'{text}"]


def test_a_negative_number_stays_a_number() -> None:
    assert csv_line([-0.5, None, "a;b"]) == b'"-0.5","","a;b"\r\n'


@settings(max_examples=40)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4))
def test_every_text_can_be_read_back(texts: list[str]) -> None:
    found = read(csv_line(texts))
    assert [each.removeprefix("'") for each in found] == [each.removeprefix("'") for each in texts]
    assert not any(each.lstrip().startswith(("=", "+", "-", "@")) for each in found)
