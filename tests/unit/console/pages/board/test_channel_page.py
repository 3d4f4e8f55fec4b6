"""The page of one target: what it says of holds, what it offers to whom, and what an order of its forms becomes."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schemas.audit import AuditRecord
from schemas.base import to_ms
from schemas.channels import FourEyesRequest, Ramp
from schemas.directory import ChannelEntry, Directory, Label
from schemas.policy import FourEyes, IndicatorPolicy, Policy, PolicyRef
from schemas.readings import Reading
from schemas.resuming import ResumePolicy
from schemas.topics import ALERT_STATE, AUDIT, CHANNEL_STATE, POLICY
from services.channel_control.people.four_eyes import guarded
from services.console.pages.board import channel_view, history, rules_of_approval
from services.console.pages.frame.speaking import Language, Speaker
from services.console.people import Role
from services.console.state.views import Channels
from tests.unit.console.browsing import Form, browsing
from tests.unit.console.samples import NOW, alert, asked, audit, waiting
from tests.unit.console.targets import hold, in_all_states, opening, override, state
from tests.unit.console.words_of_pages import Words
from tests.unit.console.world import World

DIRECTORY = Directory(channels={"douyin": ChannelEntry(name=Label(en="Douyin", zh="抖音"), owner="wang.fang")})
POLICY_2 = Policy(version=2, directory=DIRECTORY, four_eyes=FourEyes(approvals=3))
TARGET = "/channels/channel:douyin"
GUARDED = hold("guarded")
OWN = hold("own", kind="throttle", factor=0.4, indicator=None, by="person:wang.fang", reason="slow", until=NOW)


def speaker(language: Language = "en") -> Speaker:
    return Speaker(language, ZoneInfo("Asia/Shanghai"), NOW, DIRECTORY)


async def shown(world: World, role: Role = "operator", language: str = "en", path: str = TARGET) -> str:
    async with browsing(world, role, language) as client:
        answer = await client.get(path)
    assert answer.status_code == 200
    return answer.text


async def stands(world: World, status: str = "paused", *holds: Any, **fields: Any) -> None:
    await world.read(POLICY, (POLICY_2.label, POLICY_2), ("active", PolicyRef(name="default", version=2)))
    standing = state("channel:douyin", status, *holds, **fields)
    await world.read(CHANNEL_STATE, (standing.target, standing))


def test_what_takes_others_is_what_channel_control_guards() -> None:
    holds = [each for target in in_all_states().values() for each in target.holds]
    holds += [
        hold(kind, kind=kind, indicator=indicator)
        for kind in ("pause", "take_down", "throttle", "freeze")
        for indicator in (None, "complaint_rate", "cac_spike")
    ]
    for rule in (FourEyes(), FourEyes(orders=["unfreeze"]), FourEyes(orders=["guardrail"]), FourEyes(orders=[])):
        acting = [each for each in holds if each in rules_of_approval.standing(state("channel:a", "paused", each))]
        assert len(acting) > 10
        assert [each for each in acting if rules_of_approval.is_guarded(each, rule)] == guarded(acting, rule)


def test_what_waits_or_is_over_is_not_lifted() -> None:
    holds = [waiting("w"), hold("r", approval="rejected"), GUARDED, OWN]
    found = rules_of_approval.standing(state("channel:a", "paused", *holds))
    assert found == [GUARDED, OWN]
    assert rules_of_approval.lifting(found, POLICY_2).others == 3
    assert rules_of_approval.lifting([OWN], POLICY_2).others == 0
    assert rules_of_approval.standing(None) == []


def test_how_a_hold_opens_is_said_by_the_policy() -> None:
    own = IndicatorPolicy(
        resume=ResumePolicy(steps=[0.5, 1.0]),
        overrides={"channel:a": {"resume": {"watch": "2h"}}},  # type: ignore[dict-item]
    )
    policy = Policy(version=1, indicators={"search_divergence": own})
    found = rules_of_approval.resuming(opening("o"), "channel:a", policy)
    assert found is not None
    assert (found.steps, found.watch, found.auto) == ([0.5, 1.0], timedelta(hours=2), True)
    guardrail = rules_of_approval.resuming(GUARDED, "channel:a", policy)
    assert guardrail is not None
    assert not guardrail.auto
    assert rules_of_approval.resuming(OWN, "channel:a", policy) is None


def left(minutes: int, share: float, name: str) -> AuditRecord:
    return audit(name, at=NOW - timedelta(minutes=minutes), detail={"left": share})


def test_bands_tell_when_less_than_all_traffic_was_left() -> None:
    records = [left(10, 0.0, "d"), left(60, 1.0, "c"), left(90, 0.4, "b"), left(90, 1.0, "a")]
    found = channel_view.bands("channel:douyin", records, channel_view.frame_of("24", speaker()), speaker())
    assert [(each.word, each.kind) for each in found] == [("slowed to 40 %", "throttle"), ("stopped", "pause")]
    assert (found[0].until_ms, found[1].until_ms) == (to_ms(NOW - timedelta(minutes=60)), None)
    assert found[0].about == "03-02 16:00 – 03-02 16:30"


def test_trips_lead_to_their_alerts() -> None:
    found = [alert("a"), alert("b", indicator="complaint_rate")]
    assert len(channel_view.trips(found, None, speaker())) == 2
    (mark,) = channel_view.trips(found, "complaint_rate", speaker())
    assert (mark.at_ms, mark.href) == (to_ms(NOW), f"/alerts/{found[1].alert_id}")


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("channel:a", ["promotion:p@a"]),
        ("product:p", ["promotion:p@a", "promotion:p@b"]),
        ("promotion:p@a", ["product:p", "channel:a"]),
        ("actor:x", []),
    ],
)
def test_what_is_held_besides(target: str, found: list[str]) -> None:
    channels = Channels()
    for each in ("promotion:p@a", "promotion:p@b", "promotion:q@c", "channel:a", "product:p", "promotion:p@ba"):
        held = [] if each == "promotion:p@ba" else [hold(each)]
        channels.fold(each.encode(), state(each, "paused", *held).model_dump_json().encode())
    assert [each.target for each in channel_view.related(target, channels)] == found


@pytest.mark.parametrize(
    ("record", "en", "zh"),
    [
        (audit("1"), "li.wei: pause Douyin", "li.wei：暂停 抖音"),
        (audit("2", who="indicator:complaint_volume"), "Complaints of a day: pause Douyin", "当日投诉量：暂停 抖音"),
        (audit("3", what="resume"), "li.wei let Douyin go on", "li.wei 恢复了 抖音"),
        (audit("4", what="resume", outcome="waiting"), "li.wei asked to let Douyin go on", "li.wei 申请恢复 抖音"),
        (
            audit("5", what="resume", outcome="refused"),
            "li.wei said “resume” about Douyin: refused",
            "li.wei 对 抖音 的“恢复”指令被拒绝",
        ),
        (
            audit("6", who="reconciler", what="confirmed"),
            "The platform has confirmed Douyin",
            "投放平台确认了 抖音 的状态",
        ),
        (
            audit("7", who="governor", what="declined"),
            "The governor held Douyin back, for people to decide",
            "抖音 的措施超出自动处置上限，待人工决定",
        ),
        (
            audit("8", what="automation_off", outcome="refused"),
            "li.wei said “automation off” about Douyin: refused",
            "li.wei 对 抖音 的“automation off”指令被拒绝",
        ),
    ],
)
def test_the_audit_is_told_in_sentences(record: AuditRecord, en: str, zh: str) -> None:
    assert history.sentence(record, speaker("en")) == en
    assert history.sentence(record, speaker("zh")) == zh


def test_what_people_said_is_told_and_why_it_failed() -> None:
    assert history.happened(audit("1", detail={"note": "slow {x}"}), speaker()).note == "slow {x}"
    failed = history.happened(audit("2", outcome="failed", why="answered 503"), speaker())
    assert (failed.note, failed.tone, failed.outcome) == ("answered 503", "bad", "failed")
    assert history.happened(audit("3", why="as ordered"), speaker()).note == ""


@pytest.mark.usefixtures("complete")
async def test_a_viewer_sees_why_and_is_offered_nothing(world: World) -> None:
    await stands(world, "paused", GUARDED, OWN, requests=[asked("r", 0, GUARDED)], override=override())
    page = Words(await shown(world, "viewer"))
    assert [each for each in page.actions if each.startswith("/do/")] == []
    said = [
        "paused",
        "slowed to 40 %",
        "slow",
        "20 complaints today",
        "known campaign",
        "It does not open by itself",
        "owner wang.fang",
    ]
    assert [each for each in said if each not in page.text] == []


@pytest.mark.usefixtures("complete")
async def test_what_came_of_an_order_stays_on_the_page_while_it_follows_the_audit(world: World) -> None:
    await stands(world)
    page = await shown(world, path=f"{TARGET}?hours=168&order={'a' * 32}")
    (told,) = (line for line in page.splitlines() if 'id="told"' in line)
    assert f'hx-get="{TARGET}?hours=168&amp;order={"a" * 32}"' in told


@pytest.mark.usefixtures("complete")
async def test_an_operator_is_offered_orders_and_told_what_they_take(world: World) -> None:
    await stands(world, "paused", GUARDED, OWN)
    page = Words(await shown(world))
    offered = {"pause", "throttle", "freeze", "resume", "override"}
    assert {each.removeprefix("/do/") for each in page.actions if each.startswith("/do/")} == offered
    assert page.text.count("protects customers, so it takes 3 other people") == 3, (
        "to lift it, to lift all, to keep it running"
    )
    assert "To unfreeze it takes 3 other people." in page.text
    assert "It is lifted at once." in page.text
    zh = Words(await shown(world, language="zh")).text
    assert "须另有 3 人同意" in zh


@pytest.mark.usefixtures("complete")
@pytest.mark.parametrize(("role", "offered"), [("operator", set()), ("approver", {"approve", "reject"})])
async def test_who_may_decide_is_offered_to(world: World, role: Role, offered: set[str]) -> None:
    request = asked("r", 0, GUARDED).model_copy(update={"approved_by": ["person:zhao"]})
    assert isinstance(request, FourEyesRequest)
    await stands(world, "paused", GUARDED, requests=[request])
    page = Words(await shown(world, role))
    actions = {each.removeprefix("/do/") for each in page.actions}
    assert actions & {"approve", "reject"} == offered
    assert "1 of 2 have agreed: zhao" in page.text


@pytest.mark.usefixtures("complete")
async def test_a_form_lifts_the_hold_that_was_seen(world: World) -> None:
    await stands(world, "throttled", OWN, generation=7)
    world.judge = {}
    async with browsing(world) as client:
        fields = Form((await client.get(f"{TARGET}?hours=168")).text, "/do/resume").fields
        answer = await client.post("/do/resume", data=fields | {"reason": "quick again"})
        back = await client.get(answer.headers["location"])
    (command,) = world.commands
    assert (command.command, command.target, command.note) == ("resume", "channel:douyin", "quick again")
    assert (command.hold_ids, command.expected_generation) == ([OWN.hold_id], 7)
    assert answer.headers["location"].startswith(f"{TARGET}?hours=168&order=")
    assert "Done." in Words(back.text).text


@pytest.mark.usefixtures("complete")
async def test_a_part_that_came_anew_leads_back_to_the_whole_page(world: World) -> None:
    await stands(world, "throttled", OWN)
    part = await shown(world, path=f"{TARGET}?part=state")
    assert "<html" not in part
    assert Form(part, "/do/pause").fields["back"] == TARGET


@pytest.mark.usefixtures("complete")
async def test_what_opens_by_itself_and_what_the_governor_holds_back_is_explained(world: World) -> None:
    behind = hold("b", indicator="cac_spike", ramp=Ramp(state="held", step=0.0, wait_s=60, relapses=2))
    declined = waiting("d", claim="declined", approvals_needed=2)
    await stands(world, "throttled", opening("o"), behind, declined, factor=0.25)
    page = Words(await shown(world, "viewer")).text
    said = [
        "It opens by itself: 25 % now",
        "25 % ✓ 50 % 100 %",
        "Relapses so far: 2",
        "stop or slow 5 channels at once",
    ]
    assert [each for each in said if each not in page] == []


@pytest.mark.usefixtures("complete")
async def test_the_history_and_the_trips_are_there(world: World) -> None:
    await stands(world, "paused", GUARDED)
    known = alert("guarded", title={"en": "20 complaints", "zh": "投诉 20 件"}, opened_at=NOW)
    await world.read(ALERT_STATE, (known.alert_id, known))
    await world.read(AUDIT, ("channel:douyin", audit("1", alert_id=known.alert_id, detail={"note": "<b>"})))
    page = await shown(world, language="zh")
    assert "li.wei：暂停 抖音" in Words(page).text
    assert f"/alerts/{known.alert_id}" in page
    assert "“&lt;b&gt;”" in page


@pytest.mark.usefixtures("complete")
@pytest.mark.parametrize("target", ["channel:nobody-met", "actor:abc", "promotion:p@a", "content:%E4%B8%AD/1"])
async def test_what_was_never_held_has_a_page_too(world: World, target: str) -> None:
    page = Words(await shown(world, path=f"/channels/{target}"))
    assert "Nothing ever held it, so it runs." in page.text
    assert ("/do/take_down" in page.actions) is target.startswith("content:")
    figures = [link for link in page.links if link.endswith("#figures")]
    assert figures == (["/?kind=channel&of=channel%3Anobody-met#figures"] if target.startswith("channel:") else [])


@pytest.mark.usefixtures("complete")
@pytest.mark.parametrize(("path", "status"), [("automation:all", 404), ("nothing", 422), ("channel:a?hours=5", 422)])
async def test_a_page_that_there_is_not(world: World, path: str, status: int) -> None:
    async with browsing(world) as client:
        assert (await client.get(f"/channels/{path}")).status_code == status


@pytest.mark.usefixtures("complete")
async def test_each_indicator_that_was_read_has_its_chart(world: World) -> None:
    await stands(world, "paused", GUARDED)
    now = datetime.now(UTC)
    trip = alert("guarded", title={"en": "20 complaints", "zh": "投诉 20 件"}, opened_at=now - timedelta(minutes=20))
    await world.read(ALERT_STATE, (trip.alert_id, trip))
    for minutes, value in ((30, 10.0), (20, 20.0), (10, 22.0)):
        standing = {"complaint_volume": {"channel:douyin": (value, 20.0, "breach" if value >= 20 else "calm")}}
        at = now - timedelta(minutes=minutes)
        world.feed.readings.fold(
            Reading.model_validate({"writer": "w", "subject_kind": "channel", "at": at, "values": standing})
        )
    page = await shown(world, path=f"{TARGET}?part=charts")
    assert "Complaints of a day: last 22, limit 20, beyond its limit, holds 0, trips 1" in page
    assert "Holds and trips: holds 0, trips 1" in page
    assert "Complaints per purchase" not in page
