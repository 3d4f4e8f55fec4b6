"""What must hold whatever is ordered, in whatever order, and wherever the process dies.

Written down once, here:

1.  No hold without a reason, an author and a time.
2.  Nothing runs that a standing hold stops, unless an override masks it: the status is at least as strict as each hold
    that acts.
3.  The generation rises by exactly one with every change of the holds, the override or the requests, and else stays.
4.  An indicator's order never loosens a target.
5.  The same order again changes nothing; a person is told so, a machine is not.
6.  A person's order about a generation that has passed is refused, visibly, and changes nothing.
7.  Every readable order that was not seen before leaves exactly one audit record; ids of audit records never repeat.
8.  What the platform has confirmed is never newer than what is wanted, and never goes back, unless it has drifted.
9.  The newest `channel-state` of a target is what the machine holds.
10. The same log gives the same outputs, with snapshots and restarts anywhere.
11. The numbers of facts rise.
12. Nothing that waits for approval acts: what is wanted comes from the holds that need none or were granted it, and an
    order that has to ask, a rejection or an expiry changes nothing of it.
13. What was granted acts until a person lifts it, it opens once its trouble has eased, or a stronger hold of its alert
    acts in its place.
14. What was rejected or has expired neither acts nor waits again.
15. A request past its time can be neither approved nor rejected; one in time always can, if its generation was seen.
16. An expiry never comes early, and once its time has come one report ends the wait, the hold or the override.
17. An override is never undone by automation: until its time it goes only by a person's word.
18. Each hold says whether it is masked, and none is without an override that means it; one person's spares what
    takes several.
19. A person's stop that came after an override is not masked by it.
20. Drift changes nothing of what is wanted. Where it is corrected the target waits for the platform again; once what is
    wanted is confirmed there is none.

21. No request is fulfilled by fewer people than it takes, by the same twice, or by the one who asked; what four eyes
    guard goes in no other way: it is lifted, or masked, only by the last of those who agree.
22. Each hold that a request names stands; a request that ends otherwise ends by a person's word or at its time.
23. A request lifts no hold that landed after it.
24. While automation is off none of its orders stops or slows anything; people's do.
25. What the platform has confirmed is read again, for ever, unless it is an address that has run for a day; a restart
    changes nothing of that.

5 does not hold for an expiry that came too early: it is no order yet.
"""

import json

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from schemas import automation
from schemas.base import from_ms
from schemas.channels import Hold
from schemas.policy import FourEyes
from services.channel_control.holding.deadlines import deadlines, overdue
from services.channel_control.holding.holds import STRENGTH, acts, counts, is_record, waits
from services.channel_control.holding.target import Target
from services.channel_control.machine import ControlMachine
from services.channel_control.people.four_eyes import guarded
from services.runtime.machines.machine import Record
from tests.unit.channel_control.orders import confirmed, expired, failed, hex_id, order, persons, said
from tests.unit.channel_control.partition_life import STATUS_STRENGTH, TARGETS, Life, changeable, strictness

HOUR_MS = 3_600_000

targets = st.sampled_from(TARGETS)
kinds = st.sampled_from(sorted(STRENGTH))
alerts = st.sampled_from([None, hex_id(0xA), hex_id(0xB)])
factors = st.sampled_from([0.0, 0.25, 0.5, 1.0])
levels = st.integers(1, 4)
askers = st.sampled_from(["person:li", "person:wang"])
words = st.sampled_from(["approve", "approve", "approve", "reject", "withdraw"])


def masked_by(target: Target, scope: list[str] | None) -> list[Hold]:
    """The holds that an override of this scope would mask."""
    return [hold for hold in target.holds if scope is None or hold.indicator in scope]


class Control(Life):
    """Orders, reports, rubbish, snapshots, deaths."""

    @rule(
        name=targets,
        kind=kinds,
        alert=alerts,
        level=levels,
        factor=factors,
        maturity=st.sampled_from(["auto", "approve"]),
        age=st.sampled_from([0, 600, 3600, 90_000]),
    )
    def indicator_orders(
        self, name: str, kind: str, alert: str | None, level: int, factor: float, maturity: str, age: int
    ) -> None:
        event_time = from_ms(self.now_ms - age * 1000).isoformat()
        fields = order(self.new_id(), kind, target=name, alert_id=alert, level=level, factor=factor)
        outputs = self.give(fields | {"maturity": maturity, "event_time": event_time})
        assert len(said(outputs, "audit")) == 1  # 7

    @rule(name=targets, kind=kinds, factor=factors, alert=alerts, hours=st.sampled_from([None, 1, 6]))
    def person_stops(self, name: str, kind: str, factor: float, alert: str | None, hours: int | None) -> None:
        fields = persons(self.new_id(), kind, target=name, factor=factor, alert_id=alert)
        outputs = self.give(fields | {"expires_at": self.in_hours(hours)})
        assert said(outputs, "audit")[0]["outcome"] == "done"  # 19
        assert STATUS_STRENGTH[self.machine.target(name).wanted().status] >= STRENGTH[kind]  # type: ignore[index]

    def in_hours(self, hours: int | None) -> str | None:
        return None if hours is None else from_ms(self.now_ms + hours * HOUR_MS).isoformat()

    @rule(name=targets, hours=st.integers(0, 13), scope=st.sampled_from([None, ["complaint_volume"], ["cac_spike"]]))
    def person_overrides(self, name: str, hours: int, scope: list[str] | None) -> None:
        before = self.machine.target(name)
        fields = persons(self.new_id(), "override", target=name, expected_generation=before.generation)
        (audit,) = said(self.give(fields | {"expires_at": self.in_hours(hours), "indicators": scope}), "audit")
        after = self.machine.target(name)
        if guarded(masked_by(before, scope), FourEyes()) and 1 <= hours <= 12:
            assert audit["outcome"] in ("waiting", "refused")
            assert (after.holds, after.override) == (before.holds, before.override)
        elif 1 <= hours <= 12:
            assert (audit["outcome"], after.override and after.override.by) == ("done", "person:li")
            assert scope != ["complaint_volume"] or not any(acts(hold) for hold in after.holds if hold.indicator)
            assert scope is not None or after.wanted().status == "running"
        else:
            assert (audit["outcome"], after) == ("refused", before)

    @rule(name=targets, who=st.sampled_from(["li", "wang", "chen"]), word=words, data=st.data())
    def people_answer_a_request(self, name: str, who: str, word: str, data: st.DataObject) -> None:
        before = self.machine.target(name)
        if not before.requests:
            return
        request = data.draw(st.sampled_from(before.requests))
        fields = persons(self.new_id(), word, target=name, hold_ids=[request.request_id], issued_by=f"person:{who}")
        (audit,) = said(self.give(fields | {"expected_generation": before.generation}), "audit")
        after = self.machine.target(name)
        left = {each.request_id: each for each in after.requests}
        person = f"person:{who}"
        in_time = from_ms(self.now_ms) < request.decide_by
        if word == "approve":
            allowed = in_time and person not in (request.by, *request.approved_by)
        else:
            allowed = person == request.by if word == "withdraw" else in_time
        if not allowed:
            assert (audit["outcome"], after) == ("refused", before)  # 21
        elif word == "approve" and not request.approved_by:
            assert (audit["outcome"], left[request.request_id].approved_by) == ("waiting", [person])
            assert after.holds == before.holds
        else:
            assert audit["outcome"] == "done" and request.request_id not in left
            if word == "approve" and request.override is None:
                lifted = [hold for hold in before.holds if hold not in after.holds]
                assert [hold.hold_id for hold in lifted] == request.hold_ids  # 23
            elif word != "approve":
                assert (after.holds, after.override) == (before.holds, before.override)

    @rule(name=targets, seen=st.booleans())
    def person_withdraws(self, name: str, seen: bool) -> None:
        before = self.machine.target(name)
        named = [before.override.override_id if before.override is not None else hex_id(9)]
        fields = persons(self.new_id(), "withdraw", target=name, hold_ids=named)
        (audit,) = said(self.give(fields | {"expected_generation": before.generation - (not seen)}), "audit")
        after = self.machine.target(name)
        if seen and before.override is not None:
            assert (audit["outcome"], after.override) == ("done", None)
            assert strictness(after) >= strictness(before)
        else:
            assert (audit["outcome"], after) == ("refused", before)

    @rule(name=targets, some=st.booleans(), data=st.data())
    def person_resumes(self, name: str, some: bool, data: st.DataObject) -> None:
        before = self.machine.target(name)
        named = [hold.hold_id for hold in before.holds][:1] if some else None
        fields = persons(self.new_id(), "resume", target=name, expected_generation=before.generation, hold_ids=named)
        fields["issued_by"] = data.draw(askers)
        (audit,) = said(self.give(fields), "audit")
        if guarded(before.holds[:1] if some else before.holds, FourEyes()):
            assert audit["outcome"] in ("waiting", "refused")
            assert self.machine.target(name).holds == before.holds
        elif before.holds:
            assert audit["outcome"] == "done"
            assert len(self.machine.target(name).holds) == (len(before.holds) - 1 if some else 0)
        else:
            assert audit["outcome"] == "refused"

    @rule(name=targets, behind=st.integers(1, 3))
    def person_is_too_late(self, name: str, behind: int) -> None:
        before = self.machine.target(name)
        saw = before.generation - behind
        outputs = self.give(persons(self.new_id(), "resume", target=name, expected_generation=saw))
        assert [audit["outcome"] for audit in said(outputs, "audit")] == ["refused"]  # 6
        assert self.machine.target(name) == before

    @rule(name=targets, word=st.sampled_from(["approve", "reject"]), data=st.data(), saw=st.integers(-1, 0))
    def person_decides(self, name: str, word: str, data: st.DataObject, saw: int) -> None:
        before = self.machine.target(name)
        if not before.holds:
            return
        hold = data.draw(st.sampled_from(before.holds))
        in_time = hold.decide_by is not None and from_ms(self.now_ms + 1000) < hold.decide_by
        fields = persons(self.new_id(), word, target=name, hold_ids=[hold.hold_id])
        outputs = self.give(fields | {"expected_generation": before.generation + saw})
        (audit,) = said(outputs, "audit")
        after = {each.hold_id: each for each in self.machine.target(name).holds}[hold.hold_id]
        if waits(hold) and in_time and not saw:
            assert audit["outcome"] == ("masked" if word == "approve" and hold.masked else "done")  # 15
            assert after.decided_by == "person:li"
            assert counts(after) == (word == "approve") and is_record(after) == (word == "reject")
        else:
            assert audit["outcome"] == "refused"  # 6, 15
            assert self.machine.target(name) == before

    @rule(state=st.sampled_from(["off", "on"]))
    def person_switches_automation(self, state: str) -> None:
        fields = persons(self.new_id(), f"automation_{state}", target=automation.TARGET, note="the feeds are wrong")
        self.now_ms += 1000
        entry = Record(len(self.log), self.now_ms, automation.KEY, json.dumps(fields).encode())
        (audit,) = said(self.append(entry), "audit")
        assert audit["outcome"] == ("recorded" if self.is_off == (state == "off") else "done")
        self.is_off = state == "off"

    @rule(minutes=st.sampled_from([1, 60, 239, 240]))
    def time_passes(self, minutes: int) -> None:
        self.now_ms += minutes * 60_000

    @rule(ahead_s=st.sampled_from([0, 0, 3600]))
    def companion_looks(self, ahead_s: int) -> None:
        """Its clock may be fast."""
        reports, _ = overdue(self.machine.timed.values(), from_ms(self.now_ms + ahead_s * 1000))
        for report in reports:
            target, (id_,) = self.machine.target(report.target), report.hold_ids or [""]
            before = {each.id: each for each in deadlines(target)}
            deadline = before.get(id_)
            if deadline is None:  # a request that the report before has made void
                continue
            outputs = self.give(json.loads(report.model_dump_json()))
            early = from_ms(self.now_ms) < deadline.at
            assert [audit["outcome"] for audit in said(outputs, "audit")] == ["done"] * (not early)  # 16
            left = {each.id for each in deadlines(self.machine.target(report.target))}
            void = {each.request_id for each in target.requests if id_ in each.hold_ids}
            assert left == before.keys() - (set() if early else {id_, *void})

    @rule(name=targets, data=st.data())
    def somebody_says_expired(self, name: str, data: st.DataObject) -> None:
        """About anything that stands, at any time."""
        before = self.machine.target(name)
        named = data.draw(st.lists(st.sampled_from(before.holds or [None]), max_size=2))
        self.give(expired(self.new_id(), *(hold.hold_id for hold in named if hold is not None), target=name))
        after = {hold.hold_id: hold for hold in self.machine.target(name).holds}
        over = {each.id for each in deadlines(before) if each.at <= from_ms(self.now_ms)}
        for old in before.holds:
            new = after.get(old.hold_id)
            assert new == old or (old.hold_id in over and (new is None or new.approval == "expired"))  # 16

    @rule(name=targets, behind=st.integers(0, 2), ahead=st.booleans())
    def platform_confirms(self, name: str, behind: int, ahead: bool) -> None:
        wanted = self.machine.target(name).wanted()
        generation = wanted.generation + 1 if ahead else max(0, wanted.generation - behind)
        seen = wanted.model_dump(mode="json") | {"generation": generation}
        fields = confirmed(self.new_id(), generation, wanted.status, wanted.factor, target=name, observed=seen)
        outputs = self.give(fields)
        if ahead:
            assert said(outputs, "audit")[0]["outcome"] == "refused"
        elif not behind:
            assert name not in self.machine.unsettled

    @rule(name=targets, status=st.sampled_from(["running", "paused", None]))
    def drifts(self, name: str, status: str | None) -> None:
        before = self.machine.target(name)
        if name not in self.machine.watched:
            return
        seen = {"v": 1, "target": name, "status": status, "factor": float(status == "running")}
        observed = None if status is None else seen | {"generation": before.generation}
        said_ = {"issued_by": "reconciler", "expected_generation": before.generation, "observed": observed}
        self.give(persons(self.new_id(), "drifted", target=name, **said_))
        after = self.machine.target(name)
        assert after.wanted() == before.wanted()  # 20
        confirmation = confirmed(self.new_id(), after.generation, after.wanted().status, after.wanted().factor)
        self.give(confirmation | {"target": name, "observed": after.wanted().model_dump()})
        assert self.machine.target(name).drift is None  # 20
        assert self.machine.target(name).settled()

    @rule(name=targets, stops=st.booleans())
    def it_is_quiet_for_a_day(self, name: str, stops: bool) -> None:
        """A person may have stopped it for an hour before; the platform has confirmed what is wanted."""
        if stops:
            fields = persons(self.new_id(), "pause", target=name, alert_id=None)
            self.give(fields | {"expires_at": self.in_hours(1)})
            self.now_ms += HOUR_MS
            reports, _ = overdue(self.machine.timed.values(), from_ms(self.now_ms))
            for report in reports:
                self.give(json.loads(report.model_dump_json()))
        wanted = self.machine.target(name).wanted()
        seen = {"target": name, "observed": wanted.model_dump(mode="json")}
        self.give(confirmed(self.new_id(), wanted.generation, wanted.status, wanted.factor) | seen)
        self.now_ms += 24 * HOUR_MS
        self.give(failed(self.new_id(), 0, "timeout") | {"target": TARGETS[0]})
        target = self.machine.target(name)
        runs = name.startswith("actor:") and changeable(target) == ((), None, ())
        assert (name in self.machine.watched) == (target.touched and not runs)  # 25

    @rule(name=targets, behind=st.integers(0, 1))
    def platform_fails(self, name: str, behind: int) -> None:
        generation = self.machine.target(name).generation - behind
        self.give(failed(self.new_id(), generation, "timeout") | {"target": name})

    @precondition(lambda self: self.log)
    @rule(data=st.data())
    def the_same_order_comes_again(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.log) - 1))
        old = self.log[index]
        before = {name: self.machine.target(name) for name in TARGETS}
        try:
            fields = json.loads(old.value)
        except ValueError:
            return
        if not isinstance(fields, dict) or "issued_by" not in fields:
            return  # rubbish that happens to be JSON
        if fields["command"] == "expired" and not self.outputs[index]:
            return  # it came too early, and may be right by now
        outputs = self.append(Record(len(self.log), self.now_ms, old.key, old.value))
        assert {name: self.machine.target(name) for name in TARGETS} == before  # 5
        persons_own = fields["issued_by"].startswith("person:")
        assert [audit["outcome"] for audit in said(outputs, "audit")] == ["repeated"] * persons_own
        assert {output.topic for output in outputs} <= {"audit"}

    @rule(value=st.binary(max_size=20), key=st.sampled_from([None, b"", b"channel:douyin", b"policy", b"\xff"]))
    def rubbish_arrives(self, value: bytes, key: bytes | None) -> None:
        outputs = self.append(Record(len(self.log), self.now_ms, key, b"\x00" + value))
        assert [audit["outcome"] for audit in said(outputs, "audit")] == ["refused"]

    @rule()
    def snapshot_is_taken(self) -> None:
        for key, value in self.machine.changed():
            if value is None:
                self.snapshot.pop(key, None)
            else:
                self.snapshot[key] = value
        self.snapshot_next = len(self.log)
        assert self.machine.rewind(self.snapshot_next) == self.snapshot_next

    @rule()
    def process_dies_and_goes_on(self) -> None:
        fresh = ControlMachine(0)
        fresh.load(self.snapshot.items())
        assert list(fresh.changed()) == [], "nothing counts as changed after a load"
        again = [fresh.apply(entry) for entry in self.log[self.snapshot_next :]]
        assert again == self.outputs[self.snapshot_next :]  # 10
        assert dict(fresh.unsettled) == dict(self.machine.unsettled)
        assert dict(fresh.watched) == dict(self.machine.watched)  # 25
        self.machine = fresh


Control.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestControl = Control.TestCase
