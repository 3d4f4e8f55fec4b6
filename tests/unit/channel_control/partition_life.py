"""One partition's life: what was said to its machine, what that answered, and what must hold after every step.

The numbers are those of `test_machine_properties.py`.
"""

import json
from datetime import timedelta
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine, invariant

from schemas.base import from_ms
from schemas.policy import FourEyes
from services.channel_control.holding.holds import STRENGTH, acts, counts, effective, is_record, waits
from services.channel_control.holding.masks import guard_of
from services.channel_control.holding.target import Target
from services.channel_control.machine import ControlMachine
from services.channel_control.people.four_eyes import guarded
from services.runtime.machines.machine import Output, Record
from tests.unit.channel_control.orders import NOW_MS, record, said

TARGETS = ("channel:douyin", "actor:00ff")
STATUS_STRENGTH = {"running": -1, "throttled": 0, "paused": 1, "frozen": 2, "taken_down": 3}


def strictness(target: Target) -> tuple[int, float]:
    """Larger is stricter."""
    status, factor = effective(target.holds)
    return STATUS_STRENGTH[status], -factor


def changeable(target: Target) -> tuple[Any, ...]:
    """What makes a generation."""
    return target.holds, target.override, target.requests


class Life(RuleBasedStateMachine):
    """Bookkeeping and invariants; what happens in it are the rules of whoever derives from it."""

    def __init__(self) -> None:
        super().__init__()
        self.machine = ControlMachine(0)
        self.log: list[Record] = []
        self.outputs: list[list[Output]] = []
        self.snapshot: dict[bytes, bytes] = {}
        self.snapshot_next = 0
        self.ids = 0
        self.now_ms = NOW_MS
        self.audits: set[str] = set()
        self.last_seq = -1
        self.ended: dict[str, str] = {}
        self.is_off = False

    def new_id(self) -> int:
        self.ids += 1
        return self.ids

    def give(self, fields: dict[str, Any]) -> list[Output]:
        """One order at the end of the log; checks what holds of every step."""
        self.now_ms += 1000
        entry = record(len(self.log), fields, self.now_ms)
        before = {name: self.machine.target(name) for name in TARGETS}
        outputs = self.append(entry)
        for name in TARGETS:
            after = self.machine.target(name)
            changed = changeable(after) != changeable(before[name])
            assert after.generation == before[name].generation + changed  # 3
            drifts = after.drifts - before[name].drifts
            if not drifts:
                assert (after.confirmed_generation or 0) >= (before[name].confirmed_generation or 0)  # 8
            if after.drift is not None and after.generation == before[name].generation and drifts:
                assert after.settled() is not after.drift.corrects  # 20
            if fields["issued_by"].startswith("indicator:"):
                assert strictness(after) >= strictness(before[name])  # 4
            is_asked = fields.get("maturity") == "approve" or (self.is_off and fields.get("maturity") == "auto")
            if is_asked or fields["command"] == "reject":
                assert strictness(after) == strictness(before[name])  # 12, 23
            self.guarded_holds_take_four_eyes(before[name], after, fields)
            if fields["command"] not in ("resume", "approve"):
                self.granted_holds_act_on(before[name], after)
            if fields["command"] not in ("override", "withdraw", "approve"):
                self.override_stands_on(before[name], after)
        return outputs

    def granted_holds_act_on(self, before: Target, after: Target) -> None:
        for hold in before.holds:
            if hold.approval == "granted":
                assert any(
                    (other.hold_id == hold.hold_id and other.approval == "granted")
                    or (
                        other.alert_id == hold.alert_id and STRENGTH[other.kind] > STRENGTH[hold.kind] and counts(other)
                    )
                    for other in after.holds
                )  # 13

    def guarded_holds_take_four_eyes(self, before: Target, after: Target, fields: dict[str, Any]) -> None:
        """Of a person's order: a guarded hold is neither lifted nor masked but by a request that all have agreed to."""
        if not fields["issued_by"].startswith("person:"):
            return
        acting = {hold.hold_id for hold in after.holds if acts(hold)}
        loosened = {hold.hold_id for hold in guarded(before.holds, FourEyes()) if acts(hold)} - acting
        if loosened:
            (request,) = [each for each in before.requests if [each.request_id] == fields.get("hold_ids")]
            people = {request.by, *request.approved_by, fields["issued_by"]}
            assert fields["command"] == "approve" and len(people) == 3  # 21
            assert loosened <= set(request.hold_ids)  # 23

    def override_stands_on(self, before: Target, after: Target) -> None:
        if after.override != before.override:
            assert before.override is not None and after.override is None
            assert from_ms(self.now_ms) >= before.override.until  # 17

    def append(self, entry: Record) -> list[Output]:
        outputs = self.machine.apply(entry)
        self.log.append(entry)
        self.outputs.append(outputs)
        for audit in said(outputs, "audit"):
            assert audit["audit_id"] not in self.audits  # 7
            self.audits.add(audit["audit_id"])
        for fact in said(outputs, "alerts"):
            assert fact["seq"] > self.last_seq  # 11
            self.last_seq = fact["seq"]
        return outputs

    @invariant()
    def every_hold_has_a_reason_and_stops_what_it_says(self) -> None:
        for name in TARGETS:
            target = self.machine.target(name)
            status, factor = effective(target.holds)
            for hold in target.holds:
                assert hold.reason and hold.by and hold.since  # 1
                if acts(hold):
                    assert STATUS_STRENGTH[status] >= STRENGTH[hold.kind]  # 2
                    assert hold.kind != "throttle" or factor <= (hold.factor or 0)
            assert len({hold.hold_id for hold in target.holds}) == len(target.holds)
            assert (target.confirmed_generation or 0) <= target.generation  # 8
            stopped = any(acts(hold) for hold in target.holds)
            due = target.confirmed_generation != target.generation
            assert (name in self.machine.unsettled) == (due and target.touched)
            assert target.touched or not stopped or status == "throttled"
            if name not in self.machine.watched and target.touched and not due:
                assert name.startswith("actor:") and changeable(target) == ((), None, ())  # 25
                assert target.confirmed_at and from_ms(self.now_ms) - target.confirmed_at >= timedelta(days=1)  # 25

    @invariant()
    def only_what_needs_no_approval_or_was_granted_it_acts(self) -> None:
        for name in TARGETS:
            target = self.machine.target(name)
            acting = [hold for hold in target.holds if hold.approval in ("none", "granted") and not hold.masked]
            wanted = target.wanted()
            strongest = max((STRENGTH[hold.kind] for hold in acting), default=-1)
            assert STATUS_STRENGTH[wanted.status] == strongest  # 12
            if not strongest:
                assert wanted.factor == min(hold.factor or 0.0 for hold in acting)  # 12
            waiting = bool(target.requests) or any(hold.approval == "waiting" for hold in target.holds)
            assert (name in self.machine.waiting) == waiting
            for hold in target.holds:
                assert hold.approval == self.ended.get(hold.hold_id, hold.approval)  # 14
                assert not waits(hold) or hold.decide_by is not None
                if is_record(hold):
                    self.ended[hold.hold_id] = hold.approval

    @invariant()
    def only_what_an_override_means_is_masked(self) -> None:
        for name in TARGETS:
            target = self.machine.target(name)
            override = target.override
            for hold in target.holds:
                meant = override is not None and override.indicators in (None, [hold.indicator])
                meant = meant and (override is None or guard_of(hold) not in override.spares or not hold.indicator)
                if hold.indicator is None:
                    before = override is not None and hold.since <= override.since
                    assert hold.masked == (meant and before)  # 18, 19
                else:
                    assert hold.masked == meant  # 18
            assert override is None or (override.reason and override.by and override.until > override.since)  # 1

    @invariant()
    def a_request_is_about_what_stands(self) -> None:
        for name in TARGETS:
            target = self.machine.target(name)
            standing = {hold.hold_id for hold in target.holds}
            for request in target.requests:
                assert request.hold_ids and standing.issuperset(request.hold_ids)  # 22
                assert request.reason and len(request.approved_by) < request.approvals_needed
                assert len({request.by, *request.approved_by}) == 1 + len(request.approved_by)  # 21

    @invariant()
    def the_last_word_on_a_target_is_its_state(self) -> None:
        last: dict[str, Any] = {}
        for offset, outputs in enumerate(self.outputs):
            for state in said(outputs, "channel-state"):
                last[state["target"]] = state
                assert state["seq"] == offset
        for name, state in last.items():
            assert state | {"seq": 0} == json.loads(self.machine.target(name).state().model_dump_json())  # 9

    def teardown(self) -> None:
        fresh = ControlMachine(0)
        assert [fresh.apply(entry) for entry in self.log] == self.outputs  # 10
