"""People's merge and split: into the audit, and onto each alert as a label; nothing else changes."""

from typing import Any

import pytest

from services.incidents.regrouping import MOST
from tests.unit.channel_control.one_log import Log, outcome
from tests.unit.channel_control.orders import hex_id, order, persons, said

INCIDENT = f"incident:{hex_id(1)}"
PARTS = {hex_id(1): [hex_id(1), hex_id(3)], hex_id(2): [hex_id(2)]}


def test_a_split_labels_each_alert_and_is_in_the_audit() -> None:
    log = Log()
    outputs = log.give(persons(1, "split", target=INCIDENT, incidents=PARTS, note="two causes"))
    assert outcome(outputs) == ("done", "two causes")
    (audit,) = said(outputs, "audit")
    assert (audit["who"], audit["target"], audit["detail"]["incidents"]) == ("person:li", INCIDENT, PARTS)
    facts = said(outputs, "alerts")
    assert {fact["alert_id"]: fact["labels"] for fact in facts} == {
        hex_id(1): {"incident": hex_id(1)},
        hex_id(3): {"incident": hex_id(1)},
        hex_id(2): {"incident": hex_id(2)},
    }
    assert all(fact["status"] is None and fact["actions"] == [] for fact in facts), "nobody is called because of it"
    assert said(outputs, "channel-state") == []


def test_a_merge_is_one_incident() -> None:
    outputs = Log().give(persons(1, "merge", target=INCIDENT, incidents={hex_id(1): [hex_id(1), hex_id(2)]}))
    assert outcome(outputs)[0] == "done"
    assert len(said(outputs, "alerts")) == 2


@pytest.mark.parametrize(
    ("word", "fields", "problem"),
    [
        ("merge", {"incidents": PARTS}, "does not say which"),
        ("split", {"incidents": {hex_id(1): [hex_id(1)]}}, "does not say which"),
        ("split", {"incidents": {hex_id(1): [hex_id(1)], hex_id(2): []}}, "does not say which"),
        ("split", {"incidents": {hex_id(1): [hex_id(1)], hex_id(2): [hex_id(1)]}}, "twice"),
        ("merge", {}, "does not say which"),
        ("merge", {"incidents": {hex_id(1): [hex_id(n) for n in range(MOST + 1)]}}, "more than"),
        ("merge", {"incidents": {hex_id(1): [hex_id(1)]}, "target": "channel:a"}, "is about an incident"),
    ],
)
def test_what_does_not_say_what_belongs_together_is_refused(word: str, fields: dict[str, Any], problem: str) -> None:
    outputs = Log().give(persons(1, word, **{"target": INCIDENT} | fields))
    assert outcome(outputs)[0] == "refused"
    assert problem in outcome(outputs)[1]
    assert said(outputs, "alerts") == []


def test_only_people_may_say_it() -> None:
    outputs = Log().give(order(1, "merge", target=INCIDENT, incidents={hex_id(1): [hex_id(1)]}))
    assert outcome(outputs)[0] == "refused"
