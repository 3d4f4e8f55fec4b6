"""Changing the policy: numbers that stand for one content for ever, second persons, and ways back."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.policy import Policy
from schemas.policy_topic import PolicyTopic
from services.cli.policy.policy_pages import history_page, label_of, policy_page
from services.policies.changes import PROPOSAL_STANDS, Ask, Change, RefusedError, apply, rollback
from services.policies.deciding import approve, reject, withdraw

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
NOTIFY = {"complaint_volume": {"maturity": "notify"}}


def policy(version: int, **fields: Any) -> Policy:
    return Policy.model_validate({"version": version, **fields})


class World:
    """The topic, and what was audited."""

    def __init__(self) -> None:
        self.topic = PolicyTopic()
        self.audit: list[tuple[str, str, str, str]] = []
        self.ids: list[str] = []
        self.now = NOW

    def ask(self, name: str | None = "zhao") -> Ask:
        return Ask(name, self.now, "because")

    def make(self, change: Change) -> Change:
        """Writes it."""
        for key, value in change.records.items():
            self.topic.fold(key.encode(), value)
        if change.audit is not None:
            self.audit.append((change.audit.who, change.audit.what, change.audit.target, change.audit.outcome))
            self.ids.append(change.audit.audit_id)
        return change

    def apply(self, wanted: Policy, name: str | None = "zhao", *, if_newer: bool = False) -> Change:
        return self.make(apply(self.topic, wanted, self.ask(name), if_newer=if_newer))

    def approve(self, label: str, *names: str | None) -> Change:
        """One after the other; li and wang, unless others are named."""
        *first, last = names or ("li", "wang")
        for name in first:
            self.make(approve(self.topic, label, self.ask(name)))
        return self.make(approve(self.topic, label, self.ask(last)))

    def reject(self, label: str, name: str | None = "li") -> Change:
        return self.make(reject(self.topic, label, self.ask(name)))

    def withdraw(self, label: str, name: str | None = "zhao") -> Change:
        return self.make(withdraw(self.topic, label, self.ask(name)))

    def rollback(self, label: str, name: str | None = "zhao") -> Change:
        return self.make(rollback(self.topic, label, self.ask(name)))


@pytest.fixture
def world() -> World:
    """With a first policy under which complaints only tell."""
    world = World()
    world.apply(policy(1, indicators=NOTIFY), None)
    return world


def refused(run: Callable[[], object], reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        run()


def test_the_first_policy_needs_neither_a_name_nor_approval() -> None:
    world = World()
    change = world.apply(policy(1), None)
    assert change.says == "default/1 is in force now (the first one, which needs no approval)"
    assert (world.topic.active, change.in_force) == ("default/1", True)
    assert world.audit == [("system", "apply_policy", "policy:default/1", "done")]


@pytest.mark.parametrize("name", [None, "", "  ", "system", "System"])
def test_every_other_change_needs_a_persons_name(world: World, name: str | None) -> None:
    refused(lambda: world.apply(policy(2), name), "say who you are|is not a person")
    refused(lambda: world.rollback("default/1", name), "say who you are|is not a person")
    refused(lambda: world.approve("default/1", name), "say who you are|is not a person")


def test_a_change_that_lets_nothing_more_act_is_in_force_at_once(world: World) -> None:
    change = world.apply(policy(2, max_silence="3h", indicators=NOTIFY))
    assert (change.says, change.in_force, world.topic.active) == ("default/2 is in force now", True, "default/2")
    assert world.audit[-1] == ("person:zhao", "apply_policy", "policy:default/2", "done")


def test_the_same_again_changes_nothing(world: World) -> None:
    wanted = policy(2, max_silence="3h", indicators=NOTIFY)
    world.apply(wanted)
    again = apply(world.topic, wanted, world.ask(None))
    assert (again.records, again.audit, again.in_force) == ({}, None, True)


def test_a_number_stands_for_one_content_for_ever(world: World) -> None:
    refused(lambda: world.apply(policy(1)), "default/1 stands for another content already")
    world.apply(policy(5, indicators=NOTIFY))
    refused(
        lambda: world.apply(policy(3, indicators=NOTIFY)), "default/5 is known already: raise the version above it$"
    )
    refused(lambda: world.apply(policy(1, indicators=NOTIFY)), "or roll back to 1")
    world.apply(policy(6))
    refused(lambda: world.apply(policy(6, max_silence="1h")), "default/6 stands for another content")


def test_what_would_act_by_itself_waits_for_two_others(world: World) -> None:
    change = world.apply(policy(2))
    assert "complaint_volume: pause" in change.says and "2 other people than person:zhao" in change.says
    assert (world.topic.active, change.in_force) == ("default/1", False)
    refused(lambda: world.approve("default/2", "zhao"), "it takes another person")
    refused(lambda: world.approve("default/2", " ZHAO "), "it takes another person")
    assert world.apply(policy(2)).says == change.says
    says = world.approve("default/2", "li").says
    assert says.startswith("1 of 2 people agree. ") and "another person than person:zhao, person:li: " in says
    assert world.topic.active == "default/1"
    refused(lambda: world.approve("default/2", "Li"), "person:Li has approved default/2 before")
    assert world.approve("default/2", "wang").says == "default/2 is in force now"
    assert world.topic.active == "default/2"
    assert world.audit[1:] == [
        ("person:zhao", "apply_policy", "policy:default/2", "waiting"),
        ("person:li", "approve_policy", "policy:default/2", "waiting"),
        ("person:wang", "approve_policy", "policy:default/2", "done"),
    ]
    assert len(set(world.ids)) == len(world.ids)


def test_whoever_saw_no_answer_says_it_again_and_the_logs_are_told_again(world: World) -> None:
    world.apply(policy(2))
    world.approve("default/2", "li")
    world.approve("default/2", "wang")
    before = dict(world.topic.records), list(world.audit)
    again = world.approve("default/2", "wang")
    assert (again.says, again.in_force) == ("default/2 is in force", True)
    assert (world.topic.records, world.audit) == before


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"orders": []}, "four_eyes: guardrail takes one person"),
        ({"orders": ["guardrail", "unfreeze", "governor"]}, "four_eyes: policy takes one person"),
        ({"approvals": 1}, "four_eyes: 1 people agree instead of 2"),
    ],
)
def test_what_would_ask_fewer_people_is_asked_of_as_many_as_before(
    world: World, rule: dict[str, Any], told: str
) -> None:
    says = world.apply(policy(2, indicators=NOTIFY, four_eyes=rule)).says
    assert says.startswith("default/2 would ask fewer people than default/1:\n") and told in says
    world.approve("default/2", "li")
    assert world.topic.active == "default/1"
    world.approve("default/2", "wang")
    assert "asks fewer people since then" in history_page(world.topic, NOW)
    stricter = world.apply(policy(3, indicators=NOTIFY))
    assert stricter.in_force, "back to more it takes one"


def test_a_policy_may_leave_it_to_one_other_person() -> None:
    world = World()
    world.apply(policy(1, indicators=NOTIFY, four_eyes={"orders": ["guardrail"]}), None)
    assert "another person than person:zhao" in world.apply(policy(2, four_eyes={"orders": ["guardrail"]})).says
    assert world.approve("default/2", "li").in_force


def test_what_is_approved_too_late_has_to_be_asked_for_again(world: World) -> None:
    world.apply(policy(2))
    world.now += PROPOSAL_STANDS
    refused(lambda: world.approve("default/2"), "default/2 waited until 2026-03-09 09:30 UTC: apply it again")
    world.apply(policy(2), "li")
    refused(lambda: world.approve("default/2", "li"), "it takes another person")
    world.approve("default/2", "zhao", "wang")
    assert world.topic.active == "default/2"
    assert len(set(world.ids)) == 5


def test_one_no_ends_a_proposal_for_good(world: World) -> None:
    world.apply(policy(2))
    world.approve("default/2", "li")
    refused(lambda: world.reject("default/2", "zhao"), "they withdraw it, others reject it")
    says = world.reject("default/2", "Li").says
    assert says == "default/2 is rejected; default/1 stays in force"
    record = world.topic.records["default/2"]
    assert (record.state, record.ended_by, record.ended_at, record.ended_why) == (
        "rejected",
        "person:Li",
        NOW,
        "because",
    )
    assert world.audit[-1] == ("person:Li", "reject_policy", "policy:default/2", "done")
    assert len(set(world.ids)) == len(world.ids)
    for word in (world.approve, world.reject, world.withdraw):
        refused(lambda word=word: word("default/2"), "default/2 was rejected by person:Li")  # type: ignore[misc]
    refused(lambda: world.apply(policy(2)), "default/2 was rejected by person:Li: raise the version above 2")
    at_a_start = world.apply(policy(2), None, if_newer=True)
    assert (at_a_start.says, at_a_start.records) == (
        "default/2 was rejected by person:Li: default/1 stays in force",
        {},
    )
    history = history_page(world.topic, NOW)
    assert "default/2  was rejected" in history
    assert "rejected by person:Li at 2026-03-02 09:30 UTC: because" in history
    world.apply(policy(3))
    assert world.approve("default/3").in_force, "asked for anew"


def test_whoever_proposed_takes_it_back_and_nobody_else(world: World) -> None:
    world.apply(policy(2))
    refused(lambda: world.withdraw("default/2", "li"), "only person:zhao, who proposed default/2, takes it back")
    assert world.withdraw("default/2", "Zhao").says == "default/2 is withdrawn; default/1 stays in force"
    assert world.audit[-1] == ("person:Zhao", "withdraw_policy", "policy:default/2", "done")
    refused(lambda: world.approve("default/2"), "default/2 was withdrawn by person:Zhao")


def test_a_no_says_why_and_comes_in_time(world: World) -> None:
    world.apply(policy(2))
    for word, name in ((reject, "li"), (withdraw, "zhao")):
        for note in (None, "  "):
            with pytest.raises(RefusedError, match="say why"):
                word(world.topic, "default/2", Ask(name, NOW, note))
        refused(lambda word=word: word(world.topic, "default/2", world.ask(None)), "say who you are")  # type: ignore[misc]
        refused(lambda word=word: word(world.topic, "default/1", world.ask()), "does not wait")  # type: ignore[misc]
    world.now += PROPOSAL_STANDS
    refused(lambda: world.reject("default/2"), "waited until 2026-03-09 09:30 UTC: nobody is asked any more")


def test_a_proposal_is_overtaken_by_whatever_comes_into_force(world: World) -> None:
    world.apply(policy(2))
    world.apply(policy(3, indicators=NOTIFY), "li")
    refused(lambda: world.approve("default/2"), "default/3 came into force since default/2 was proposed")


def test_going_back_is_going_forward(world: World) -> None:
    world.apply(policy(2, max_silence="3h", indicators=NOTIFY))
    world.rollback("default/1")
    assert world.topic.active == "default/3"
    assert world.topic.in_force() == policy(3, indicators=NOTIFY)
    assert world.audit[-1] == ("person:zhao", "roll_back_policy", "policy:default/3", "done")
    refused(lambda: world.rollback("default/3"), "is in force")
    refused(lambda: world.rollback("default/9"), "there is no default/9")


def test_going_back_to_what_acts_by_itself_takes_others_as_well(world: World) -> None:
    world.apply(policy(2))
    world.approve("default/2")
    world.apply(policy(3, indicators=NOTIFY))
    world.rollback("default/2")
    assert world.topic.active == "default/3"
    world.approve("default/4")
    assert world.topic.active == "default/4"


def test_at_a_start_only_a_newer_document_is_applied(world: World) -> None:
    other = World()
    assert other.apply(policy(1), None, if_newer=True).in_force
    same = world.apply(policy(1, indicators=NOTIFY), None, if_newer=True)
    assert (same.says, same.records, same.in_force) == ("default/1 is in force", {}, True)
    refused(lambda: world.apply(policy(1), None, if_newer=True), "another content already: raise its version")
    assert world.apply(policy(2, indicators=NOTIFY), if_newer=True).in_force
    old = world.apply(policy(1, indicators=NOTIFY), None, if_newer=True)
    assert (old.says, old.records) == ("default/2 stays in force, default/1 is not newer", {})
    other_name = world.apply(policy(9, name="other"), None, if_newer=True)
    assert other_name.says == "default/2 stays in force, other/9 is not newer"
    refused(lambda: world.apply(policy(3, indicators=NOTIFY), None, if_newer=True), "say who you are")
    assert "2 other people" in world.apply(policy(3), if_newer=True).says
    assert "2 other people" in world.apply(policy(3), None, if_newer=True).says, "and so at the next start"


def test_a_version_that_this_release_cannot_read_is_no_way_back_and_vouches_for_nothing(world: World) -> None:
    world.topic.fold(b"default/1", b'{"version": 1, "tresholds": {}}')
    assert "click_fraud: freeze" in world.apply(policy(2)).says
    world.apply(
        policy(3, indicators={"click_fraud": {"enabled": False}, "complaint_rate": {"enabled": False}} | NOTIFY)
    )
    refused(lambda: world.rollback("default/1"), "cannot read")


def test_the_pages_tell_what_was_and_is(world: World) -> None:
    world.apply(policy(2))
    world.approve("default/2")
    world.apply(policy(3, max_silence="3h"))
    assert label_of(world.topic, "in-force") == "default/3"
    assert label_of(world.topic, None) == label_of(world.topic, "3") == label_of(world.topic, "default/3")
    page = policy_page(world.topic, "default/3")
    assert page == (
        "# default/3, in force\n#   applied by person:zhao at 2026-03-02 09:30 UTC\n#   note: because\n"
        "name: default\nversion: 3\nmax_silence: 3h\n"
    )
    history = history_page(world.topic, NOW)
    assert history.splitlines()[0] == "  default/1"
    assert "  default/2\n      proposed by person:zhao" in history
    assert "approved by person:li, person:wang at" in history
    assert "→ default/3" in history
    refused(lambda: label_of(world.topic, "x.yaml"), "neither a file nor a version")
    refused(lambda: label_of(PolicyTopic(), None), "no policy is in force")


def test_a_policy_that_no_log_could_be_told_of_is_refused(world: World) -> None:
    phrases = [{"text": f"{n}{'保本' * 20}"} for n in range(9_000)]
    with pytest.raises(RefusedError, match="shorten its lists"):
        world.apply(policy(2, indicators=NOTIFY, content={"phrases": phrases}))
    assert world.topic.active == "default/1"


PEOPLE = st.sampled_from(["zhao", "li", "wang"])
MATURITIES = st.sampled_from(["shadow", "notify", "approve", "auto"])
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["apply", "approve", "reject", "withdraw", "rollback"]),
        PEOPLE,
        st.integers(1, 6),
        MATURITIES,
        st.integers(0, 4),
    ),
    max_size=25,
)


@settings(deadline=None, max_examples=60)
@given(STEPS)
def test_whatever_people_do_nothing_comes_to_act_by_itself_through_one_of_them(steps: list[Any]) -> None:
    world = World()
    world.apply(policy(1, indicators=NOTIFY), None)
    contents = dict(world.topic.documents)
    for verb, name, version, maturity, days in steps:
        world.now += timedelta(days=days)
        before, acted = world.topic.active, acts(world.topic)
        ended = {label for label, record in world.topic.records.items() if record.is_ended}
        wanted = policy(version, indicators={"complaint_volume": {"maturity": maturity}})
        try:
            if verb == "apply":
                world.apply(wanted, name)
            else:
                getattr(world, verb)(f"default/{version}", name)
        except RefusedError:
            assert world.topic.active == before
        if acts(world.topic) and not acted:
            record = world.topic.records[str(world.topic.active)]
            assert len({record.by, *record.agreed}) == 3
        assert world.topic.active not in ended, "what somebody said no to stays out of force"
        assert all(world.topic.records[label].is_ended for label in ended)
        assert int(str(world.topic.active).partition("/")[2]) >= int(str(before).partition("/")[2])
        assert contents.items() <= world.topic.documents.items(), "what a number stood for it stands for"
        contents = dict(world.topic.documents)


def acts(topic: PolicyTopic) -> bool:
    in_force = topic.in_force()
    assert in_force is not None
    return in_force.indicators["complaint_volume"].maturity == "auto"


@pytest.mark.parametrize(("name", "note"), [("l" * 194, "no"), ("li\nwang", "no"), ("li", "n" * 20_001)])
def test_what_the_history_could_not_be_read_with_is_refused(name: str, note: str) -> None:
    """A word is put into a record that is not checked again, and what nobody can read is as if it had never been."""
    world = World()
    world.apply(policy(1, indicators=NOTIFY))
    world.apply(policy(2))
    for word in (approve, reject):
        with pytest.raises(RefusedError, match="one line of at most 193 characters"):
            word(world.topic, "default/2", Ask(name, NOW, note))
