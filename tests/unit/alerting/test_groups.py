"""First at once, followers merged, a storm in one message; nobody is told half a story, or twice."""

import json

import pytest

from schemas.audit import AuditRecord
from services.alerting.groups.group_talk import STALE_MS
from services.runtime.ids import derive
from tests.unit.alerting.line import MINUTE, Line

FORTY = [f"alert {number}" for number in range(40)]


def test_the_first_of_a_group_goes_at_once_and_its_followers_together() -> None:
    line = Line()
    line.opens("one")
    assert line.told() == ["default: opened"]
    for name in ("two", "three", "four"):
        line.opens(name)
    assert line.told() == []
    line.wait(15)
    assert line.told() == ["default: opened summary x3"]


def test_what_is_worse_than_all_that_was_told_does_not_wait() -> None:
    line = Line()
    line.opens("one", severity="warning")
    line.opens("two", severity="warning")
    line.opens("three", severity="critical")
    assert line.told() == ["default: opened", "default: opened summary x2"]


def test_long_after_the_last_message_a_follower_goes_at_once() -> None:
    line = Line()
    line.opens("one")
    line.wait(MINUTE)
    line.opens("two")
    assert line.told() == ["default: opened", "default: opened x1"]
    line.wait(MINUTE)
    line.ends("one")
    assert line.told() == ["default: resolved x1"]


def test_one_clear_message_not_forty() -> None:
    """Forty alerts of forty channels at once: five are told as they come, the rest in one message with counts."""
    line = Line()
    for number, name in enumerate(FORTY):
        line.opens(name, f"channel:{number}", indicator="complaint_rate" if number % 4 else "click_fraud")
    line.wait(MINUTE)
    message = line.last()
    assert line.told() == ["default: opened"] * 5 + ["default: opened summary x35"]
    assert message.group is not None
    assert message.headline is not None
    assert message.group.open == 35
    assert message.group.by_indicator == {"complaint_rate": 27, "click_fraud": 8}
    assert len(message.group.by_subject) == 10
    assert message.headline.en.startswith("35 alerts on 35 subjects, 35 critical: complaint_rate 27, click_fraud 8.")
    assert message.headline.zh.startswith("35 个对象共 35 条告警，其中严重 35 条：complaint_rate 27、click_fraud 8。")


def test_forty_alerts_of_one_group_are_two_messages() -> None:
    line = Line().policy(routes=[{"group_by": []}])
    for number, name in enumerate(FORTY):
        line.opens(name, f"channel:{number}")
    line.wait(MINUTE)
    assert line.told() == ["default: opened", "default: opened summary x39"]
    for name in FORTY:
        line.ends(name)
    line.wait(5 * MINUTE)
    assert line.told() == ["default: resolved x1", "default: resolved summary x39"]


def test_the_audit_names_every_alert_of_a_message() -> None:
    line = Line().policy(routes=[{"group_by": []}])
    for name in FORTY:
        line.opens(name)
    line.wait(MINUTE)
    audited = [AuditRecord.model_validate_json(one.value or b"") for one in line.outputs if one.topic == "audit"]
    assert [len(record.alerts()) for record in audited] == [1, 39]
    assert frozenset.union(*(record.alerts() for record in audited)) == {derive(name) for name in FORTY}


def test_an_endless_storm_is_told_less_and_less_often() -> None:
    line = Line().policy(routes=[{"group_by": []}])
    for number in range(600):
        line.opens(f"alert {number}", f"channel:{number}")
        line.wait(1)
    assert len(line.told()) == 1 + 600 // 60 + 1


def test_after_a_storm_an_alert_is_told_by_itself_again() -> None:
    line = Line()
    for number, name in enumerate(FORTY):
        line.opens(name, f"channel:{number}")
    line.wait(5 * MINUTE)
    line.told()
    line.opens("another", "channel:other")
    assert line.told() == ["default: opened"]


def test_all_is_over_when_the_last_of_a_group_is() -> None:
    line = Line()
    line.opens("one")
    line.opens("two")
    line.wait(MINUTE)
    line.ends("one")
    line.ends("two")
    line.wait(10 * MINUTE)
    assert line.told() == [
        "default: opened",
        "default: opened x1",
        "default: resolved x1",
        "default: resolved x1",
    ]
    assert line.machine.next_look() is None


def test_what_opened_and_ended_while_its_receiver_was_away_is_one_honest_message() -> None:
    line = Line(away={"default"})
    line.opens("one")
    line.wait(3 * 3600)
    line.ends("one")
    line.away.clear()
    line.deliver()
    message = line.last()
    assert line.told() == ["default: resolved story"]
    assert message.headline is not None
    assert message.headline.en == "Was open from 2025-11-25 00:00 to 2025-11-25 03:00, is over: 20 complaints"
    replaced = next(json.loads(one.value or b"") for one in line.outputs if one.topic == "audit")
    assert (replaced["outcome"], replaced["why"]) == (
        "recorded",
        "not sent any more: a newer message says what is so now",
    )


def test_what_ends_while_its_receiver_is_away_is_told_so_although_nothing_else_comes() -> None:
    line = Line(away={"default"})
    line.opens("one")
    line.ends("one")
    assert [due.change for due in line.machine.heads()] == ["alert.opened"]
    line.wait(STALE_MS / 1000)
    assert [due.change for due in line.machine.heads()] == ["alert.resolved"]


def test_while_a_receiver_is_away_nothing_is_looked_at_again_and_again() -> None:
    line = Line(away={"default"})
    line.opens("one")
    line.ends("one")
    before = line.machine.next_offset
    line.wait(24 * 3600)
    assert line.machine.next_offset - before <= 5


def test_a_receiver_that_is_away_does_not_hold_up_another() -> None:
    line = Line(away={"chat"}).policy(routes=[{"receivers": ["chat", "mail"]}])
    line.opens("one")
    line.ends("one")
    assert line.told() == ["mail: opened", "mail: resolved"]


@pytest.mark.parametrize("later_s", [0, 20, 200])
def test_an_opening_that_waits_with_others_is_told_even_if_it_ends_meanwhile(later_s: float) -> None:
    line = Line()
    line.opens("one")
    line.opens("two")
    line.ends("two")
    line.wait(20)
    assert line.told() == ["default: opened", "default: resolved story x1"]
