"""The inbox of alerts: what is asked of whom, in which order, and what is found."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.alerts import AlertState
from schemas.base import Bilingual
from schemas.channels import ChannelState
from services.console.pages.alerts.inbox import PAGE_ROWS, Ask, Inbox, Wanted, inbox
from services.console.pages.frame.waiting import Waiting, all_waiting
from services.console.people import Role
from services.console.state.views import Channels
from services.runtime.ids import derive
from tests.unit.console.samples import NOW, alert, person, waiting
from tests.unit.console.troubles import asking, held, paused, slowed, step


def channels(*states: ChannelState) -> Channels:
    view = Channels()
    for state in states:
        view.fold(state.target.encode(), state.model_dump_json().encode())
    return view


def waits(role: Role, *states: ChannelState, name: str = "wang") -> list[Waiting]:
    view = channels(*states)
    return all_waiting(view.waiting(), view.requests(), person(role, name))


def shown(*alerts: AlertState, role: Role = "operator", states: tuple[ChannelState, ...] = (), **wanted: Any) -> Inbox:
    may_act = person(role).is_at_least("operator")
    return inbox(alerts, waits(role, *states), Wanted(**wanted), lambda subject: None, may_act=may_act)


def asked(found: Inbox) -> list[tuple[Ask, bool]]:
    return [(row.ask, row.of_me) for row in found.rows]


@pytest.mark.parametrize(
    ("one", "ask"),
    [
        (paused(), "acknowledge"),
        (paused(acknowledged_by="li.wei"), "nothing"),
        (paused(severity="info"), "nothing"),
        (paused(status="resolved"), "nothing"),
        (paused(actions=[step("pause", "channel:douyin", "failed")]), "by_hand"),
        (paused(actions=[step("pause", "channel:douyin", state) for state in ("failed", "confirmed")]), "acknowledge"),
    ],
)
def test_what_an_alert_asks_of_people(one: AlertState, ask: Ask) -> None:
    assert asked(shown(one, status="all")) == [(ask, ask != "nothing")]
    assert asked(shown(one, status="all", role="viewer")) == [(ask, False)]


@pytest.mark.parametrize(("role", "of_me"), [("viewer", False), ("operator", False), ("approver", True)])
def test_what_waits_for_approval_asks_approvers(role: Role, of_me: bool) -> None:
    assert asked(shown(slowed(), role=role, states=(asking(),))) == [("approve", of_me)]
    assert asked(shown(paused(), role=role, states=(held(requested=True),))) == [("approve", of_me)]


def test_nobody_is_asked_twice_nor_about_what_they_asked_for_themselves() -> None:
    agreed = asking(approved_by=["person:wang"], approvals_needed=2)
    assert [each.asks for each in waits("approver", agreed)] == ["agreed"]
    assert [each.asks for each in waits("approver", agreed, name="zhao")] == ["you"]
    assert [each.asks for each in waits("approver", held(requested=True), name="li.wei")] == ["own"]
    assert [each.asks for each in waits("operator", held(requested=True))] == ["role"]


def test_what_is_asked_of_me_comes_first_and_then_what_ends_first() -> None:
    soon = asking("a", decide_by=NOW + timedelta(minutes=5))
    later = asking("b", decide_by=NOW + timedelta(hours=3))
    agreed = asking("c", decide_by=NOW, approved_by=["person:wang"])
    assert [each.target for each in waits("approver", later, agreed, soon)] == ["channel:a", "channel:b", "channel:c"]


def test_a_stop_that_still_asks_the_governor_asks_nobody_else() -> None:
    assert waits("approver", asking(claim="asked")) == []
    assert [each.declined for each in waits("approver", asking(claim="declined"))] == [True]


def test_the_worst_come_first_then_what_asks_me_then_the_newest() -> None:
    old, new = paused("old", -60), paused("new", -5)
    taken = paused("taken", acknowledged_by="li.wei")
    found = shown(slowed(), taken, old, new)
    assert [row.alert.subject for row in found.rows] == [
        "channel:new", "channel:old", "channel:taken", "channel:wechat",
    ]  # fmt: skip
    assert found.counts == {"critical": 3, "warning": 1}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["douyin", "wechat"]),
        ({"status": "resolved"}, ["over"]),
        ({"status": "all", "severity": "critical"}, ["douyin", "over"]),
        ({"indicator": "complaint_rate"}, ["wechat"]),
        ({"subject": "channel:douyin"}, ["douyin"]),
        ({"text": "DOUYIN"}, ["douyin"]),
        ({"text": "投诉率"}, ["wechat"]),
        ({"text": "tiktok"}, ["douyin"]),
        ({"text": derive("wechat")}, ["wechat"]),
        ({"text": "nothing of the kind"}, []),
    ],
)
def test_filters(wanted: dict[str, Any], found: list[str]) -> None:
    labels = {"channel:douyin": Bilingual(en="Tiktok of China", zh="抖音")}
    alerts = [paused(), slowed(), alert("over", "resolved", subject="channel:over")]
    shelf = inbox(alerts, [], Wanted(**wanted), labels.get, may_act=True)
    assert sorted(row.alert.subject.partition(":")[2] for row in shelf.rows) == found
    assert shelf.indicators == ["complaint_rate", "complaint_volume"]


@settings(max_examples=30, deadline=None)
@given(count=st.integers(0, 3 * PAGE_ROWS), page=st.integers(1, 9))
def test_pages_hold_every_alert_once(count: int, page: int) -> None:
    alerts = [alert(str(number), minutes=number) for number in range(count)]
    pages = max(-(-count // PAGE_ROWS), 1)
    ids = [row.alert.alert_id for number in range(1, pages + 1) for row in shown(*alerts, page=number).rows]
    assert sorted(ids) == sorted(each.alert_id for each in alerts)
    assert shown(*alerts, page=page).page == min(page, pages)


def test_one_hold_asks_for_all_that_is_known_of_it() -> None:
    (one,) = waits("approver", asking(approvals_needed=2, approved_by=["person:zhao"]))
    hold = waiting("wechat")
    assert (one.decision_id, one.needed, one.agreed, one.alerts) == (
        hold.hold_id, 2, ("person:zhao",), (derive("wechat"),),
    )  # fmt: skip
    assert not one.by_person
