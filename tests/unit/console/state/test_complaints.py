"""The complaints that wait for an answer: what the console knows of them, and its page."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.base import Window
from schemas.commands import Evidence
from schemas.policy import Policy, PolicyRef
from schemas.readings import Cases, OpenCase
from schemas.topics import ALERT_STATE, POLICY, READINGS
from services.console.people import Role
from services.console.state.complaints import Asked, Deadlines, OpenComplaints, reminders, shares, waiting
from tests.unit.console.browsing import browsing
from tests.unit.console.samples import NOW, alert
from tests.unit.console.world import World

DEADLINES = Deadlines(Policy(version=1))


def case(hours_ago: float, at: datetime = NOW, **fields: Any) -> OpenCase:
    known: dict[str, Any] = {"channel": "douyin", "product": "fund-3", "entry": "one_click"}
    return OpenCase(at=at - timedelta(hours=hours_ago), **known | fields)


def told(opened: dict[str, OpenCase], *settled: str) -> Cases:
    return Cases(writer="indicators:complaint:0", at=NOW, waiting=opened, settled=list(settled))


def reminder(name: str, **fields: Any) -> Any:
    return alert(name, indicator="complaint_sla", subject=f"complaint:{name}", **fields)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=20))
def test_what_was_said_last_of_each_counts(says: list[tuple[str, bool]]) -> None:
    complaints = OpenComplaints()
    for name, opened in says:
        complaints.fold(told({name: case(1)}) if opened else told({}, name))
    assert complaints.entries().keys() == {name for name, opened in dict(says).items() if opened}


def test_the_one_with_the_least_time_left_comes_first() -> None:
    known = {"new": case(1), "old": case(50), "rich": case(1.5, high_net_worth=True), "middle": case(45)}
    found = waiting(known, {}, DEADLINES, Asked())
    assert [(each.name, each.stands(NOW)) for each in found] == [
        ("old", "late"),
        ("rich", "soon"),
        ("middle", "soon"),
        ("new", "waiting"),
    ]
    assert found[0].due == NOW - timedelta(hours=2)


def test_working_hours_are_those_of_the_policy() -> None:
    document = {"version": 1, "indicators": {"complaint_sla": {"thresholds": {"hours": 9.0, "basis": "working"}}}}
    friday = datetime(2026, 11, 27, 8, tzinfo=UTC)  # 16:00 in Shanghai
    due = Deadlines(Policy.model_validate(document)).of(case(0, at=friday))
    assert due == datetime(2026, 11, 30, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Asked(), {"a", "b", "c"}),
        (Asked(channel="weibo"), {"b"}),
        (Asked(product="fund-3"), {"a", "b"}),
        (Asked(entry="branch"), {"c"}),
        (Asked(channel="weibo", entry="branch"), set()),
    ],
)
def test_which_are_asked_for(asked: Asked, expected: set[str]) -> None:
    known = {"a": case(1), "b": case(1, channel="weibo"), "c": case(1, product=None, entry="branch")}
    assert {each.name for each in waiting(known, {}, DEADLINES, asked)} == expected


def test_channels_and_products_are_counted_the_worst_first() -> None:
    known = {"a": case(1), "b": case(60, channel="weibo"), "c": case(1, product=None)}
    found = shares(waiting(known, {}, DEADLINES, Asked()), NOW)
    assert [(name, each.waiting, each.late) for name, each in found["channel"].items()] == [
        ("weibo", 1, 1),
        ("douyin", 2, 0),
    ]
    assert [(name, each.waiting, each.late) for name, each in found["product"].items()] == [("fund-3", 2, 1)]


def test_what_only_an_alert_tells_of_is_there_too() -> None:
    detail = {"opened_at": "2026-02-01T00:00:00Z", "channel": "weibo", "product": None, "entry": "hotline"}
    evidence = Evidence.model_validate(
        {
            "indicator": "complaint_sla",
            "subject": "complaint:old",
            "value": 50.0,
            "threshold": 48.0,
            "window": Window(from_=NOW, to=NOW),
            "samples": {},
            "policy": {"name": "default", "version": 1},
            "sources": [],
            "detail": detail,
        }
    )
    found = reminders([reminder("old", evidence=evidence), reminder("gone", status="resolved"), alert("another")])
    (old,) = waiting({}, found, DEADLINES, Asked())
    assert (old.name, old.case.channel, old.stands(NOW)) == ("old", "weibo", "late")


@pytest.fixture
async def in_force(world: World, complete: None) -> None:
    policy = Policy(version=1)
    await world.read(POLICY, (policy.label, policy), ("active", PolicyRef(name="default", version=1)))


@pytest.mark.usefixtures("in_force")
@pytest.mark.parametrize(("language", "words"), [("en", "late"), ("zh", "已超时")])
@pytest.mark.parametrize("role", ["viewer", "admin"])
async def test_the_page_shows_who_waits_and_who_has_taken_charge(
    world: World, role: Role, language: str, words: str
) -> None:
    now = datetime.now(UTC)
    known = {f"c-{n:03}": case(n, at=now) for n in range(120)}
    await world.read(READINGS, ("w", told(known)))
    await world.read(ALERT_STATE, ("x", reminder("c-119", acknowledged_by="li.wei")))
    async with browsing(world, role, language) as client:
        page = (await client.get("/complaints")).text
        assert words in page
        assert page.index("c-119") < page.index("c-118")
        assert "li.wei" in page
        second = (await client.get("/complaints?page=2")).text
        assert ("c-000" in page, "c-000" in second) == (False, True)
        await world.read(READINGS, ("w", told({}, *known)))
        empty = (await client.get("/complaints")).text
        assert "c-001" not in empty


@pytest.mark.usefixtures("complete")
async def test_without_a_policy_there_is_no_deadline(world: World) -> None:
    async with browsing(world) as client:
        assert (await client.get("/complaints")).status_code == 503
