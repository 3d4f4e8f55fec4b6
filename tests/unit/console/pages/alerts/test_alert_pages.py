"""The pages of alerts: the inbox, one alert, its proof, and what people order there."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from schemas.topics import ALERT_STATE, AUDIT, CHANNEL_STATE
from services.console import app
from services.console.jobs import proving_io
from services.console.people import Role
from services.runtime.ids import derive
from tests.unit.console.browsing import Form, browsing
from tests.unit.console.samples import NOW, audit
from tests.unit.console.troubles import asking, held, paused, slowed
from tests.unit.console.world import World

A = paused()
PAGE = f"/alerts/{A.alert_id}"
pytestmark = pytest.mark.usefixtures("complete")


@pytest.fixture
async def troubled(world: World) -> World:
    """One channel paused, which somebody wants to let go on; another for which a throttle waits."""
    own: dict[str, Any] = {"alert_id": A.alert_id, "holds": [derive("hold", "douyin")]}
    await world.read(ALERT_STATE, *((each.alert_id, each) for each in (A, slowed())))
    await world.read(CHANNEL_STATE, ("channel:douyin", held(requested=True)), ("channel:wechat", asking()))
    await world.read(
        AUDIT,
        ("channel:douyin", audit("pause", who="indicator:complaint_volume", **own)),
        ("channel:douyin", audit("told", what="deliver", who="alerting", outcome="delivered", alert_id=A.alert_id,
                                 command_id=None, detail={"type": "alert.opened"})),
    )  # fmt: skip
    return world


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            ["Waits for a yes or no", "Channel douyin: 20 complaints today", "approve or reject", "0 of 2 have agreed"],
        ),
        ("zh", ["等待决定", "渠道 douyin：今日投诉 20 件", "批准或驳回", "已有 0/2 人同意"]),
    ],
)
async def test_the_inbox_says_what_is_asked_in_both_languages(troubled: World, language: str, words: list[str]) -> None:
    async with browsing(troubled, "approver", language) as browser:
        page = await browser.get("/alerts")
    assert page.status_code == 200
    assert [each for each in words if each not in page.text] == []
    assert page.text.index(words[0]) < page.text.index(f'href="{PAGE}"')


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["What is asked of you", "complaints that count", "fund-a", "The people on call were told that it began",
                "channel:douyin: paused", "Holds", "Derive the decisions", "Too many complaints about one channel"]),
        ("zh", ["需要您做什么", "计入的投诉", "fund-a", "已通知值班人员：告警发生", "channel:douyin：暂停",
                "重新推导决定", "处置手册"]),
    ],
)  # fmt: skip
async def test_one_alert_shows_all_that_is_known_of_it(troubled: World, language: str, words: list[str]) -> None:
    async with browsing(troubled, "approver", language) as browser:
        page = await browser.get(PAGE)
    assert page.status_code == 200
    assert [each for each in words if each not in page.text] == []
    assert 'href="/channels/channel%3Adouyin"' in page.text
    assert f'href="/incidents/{A.alert_id}"' in page.text
    assert " style=" not in page.text


@pytest.mark.parametrize(
    ("role", "forms"),
    [
        ("viewer", set()),
        ("operator", {"acknowledge", "silence", "withdraw"}),
        ("approver", {"acknowledge", "silence", "approve", "reject"}),
    ],
)
async def test_a_role_sees_what_it_may_do(troubled: World, role: Role, forms: set[str]) -> None:
    """The operator is the one who asked, who does not approve."""
    async with browsing(troubled, role) as browser:
        page = (await browser.get(PAGE)).text
    words = ("acknowledge", "silence", "approve", "reject", "withdraw")
    assert {word for word in words if f'action="/do/{word}"' in page} == forms


async def given(browser: httpx.AsyncClient, word: str, page: str = PAGE, **fields: str) -> httpx.Response:
    """What the page says after the first form of that word was sent."""
    hidden = Form((await browser.get(page)).text, f"/do/{word}").fields
    answer = await browser.post(f"/do/{word}", data=hidden | fields)
    assert answer.status_code == 303
    return await browser.get(answer.headers["location"])


async def test_an_alert_is_acknowledged_by_click(troubled: World) -> None:
    troubled.judge = {"outcome": "done"}
    async with browsing(troubled) as browser:
        page = await given(browser, "acknowledge")
    (command,) = troubled.commands
    assert (command.command, command.alert_id, command.target) == ("acknowledge", A.alert_id, "channel:douyin")
    assert "Done." in page.text


async def test_whoever_has_taken_charge_is_named(troubled: World) -> None:
    """By the bare name, as channel_control tells it."""
    await troubled.read(ALERT_STATE, (A.alert_id, A.model_copy(update={"acknowledged_by": "wang.fang", "seq": 1})))
    async with browsing(troubled) as browser:
        pages = [(await browser.get(path)).text for path in ("/alerts", PAGE, f"/incidents/{A.alert_id}")]
    assert all("wang.fang</" in page for page in pages)


async def test_an_alert_is_silenced_for_a_time_and_heard_again(troubled: World) -> None:
    until = datetime.now(UTC) + timedelta(minutes=120)
    troubled.judge = {"outcome": "done", "alert_id": A.alert_id}
    async with browsing(troubled) as browser:
        await given(browser, "silence", minutes="120", reason="known")
        (command,) = troubled.commands
        assert command.expires_at is not None
        assert abs(command.expires_at - until) < timedelta(minutes=1)
        detail = {"expires_at": until.isoformat(), "note": "known"}
        await troubled.read(AUDIT, ("channel:douyin", audit("s", what="silence", alert_id=A.alert_id, detail=detail)))
        page = (await browser.get(PAGE)).text
        assert "Silenced until" in page
        assert "silenced" in (await browser.get("/alerts")).text
        assert "known" in page
        await given(browser, "silence")
    assert (troubled.commands[-1].alert_id, troubled.commands[-1].expires_at) == (A.alert_id, None)


async def test_an_approver_says_yes_to_what_they_saw(troubled: World) -> None:
    troubled.judge = {"outcome": "waiting"}
    async with browsing(troubled, "approver") as browser:
        page = await given(browser, "approve", reason="the platform has mended it")
    (command,) = troubled.commands
    assert (command.target, command.expected_generation) == ("channel:douyin", 1)
    assert command.hold_ids == [derive("request", "douyin")]
    assert "It waits for the agreement of others." in page.text


async def test_filters_stay_in_the_links(troubled: World) -> None:
    async with browsing(troubled) as browser:
        page = (await browser.get("/alerts", params={"severity": "warning", "subject": "channel:wechat"})).text
    assert "渠道" not in page
    assert "Channel douyin" not in page.partition('id="inbox"')[2]
    assert "/alerts?status=open&amp;severity=warning&amp;page=1" in page


async def test_what_people_and_indicators_write_is_text(world: World) -> None:
    evil = "<script>alert(1)</script>"
    own = A.model_copy(update={"title": A.title.model_copy(update={"en": evil}), "subject": f"channel:{evil}"})
    await world.read(ALERT_STATE, (A.alert_id, own))
    async with browsing(world) as browser:
        for path in ("/alerts", PAGE, f"/incidents/{A.alert_id}", "/incidents"):
            page = await browser.get(path)
            assert page.status_code == 200
            assert evil not in page.text


async def test_an_unknown_alert_is_no_page(world: World) -> None:
    async with browsing(world) as browser:
        assert (await browser.get(f"/alerts/{derive('nothing')}")).status_code == 404


async def finished(browser: httpx.AsyncClient) -> str:
    """What the page says of a proof that is over."""
    for _ in range(1000):
        part = (await browser.get(f"{PAGE}/proof")).text
        if "hx-trigger" not in part:
            return part
        await asyncio.sleep(0.01)
    raise AssertionError("the proof has not ended")


async def test_decisions_are_proved_on_the_page(
    troubled: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    line = (
        '{"finding": {"command_id": "c", "command": "pause", "target": "channel:douyin", "level": 1, "outcome": '
        '"differs", "differences": [{"field": "evidence.value", "said": "20", "derived": "19"}], "notes": []}}'
    )
    gate = tmp_path / "gate"
    waits = f"import pathlib, time\nwhile not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.01)"
    script = f"{waits}\nprint({line!r}); raise SystemExit(1)"
    monkeypatch.setattr(proving_io.Prover.__init__, "__defaults__", (lambda _: (sys.executable, "-c", script), None))
    async with browsing(troubled, "viewer") as browser:
        form = Form((await browser.get(PAGE)).text, f"{PAGE}/proof").fields
        assert (await browser.post(f"{PAGE}/proof", data=form | {"csrf": "guessed"})).status_code == 403
        answer = await browser.post(f"{PAGE}/proof", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}#proof")
        assert "every 1s" in (await browser.get(f"{PAGE}/proof")).text
        gate.touch()
        part = await finished(browser)
        assert "Differs" in part
        assert "evidence.value" in part
        assert "Differs" in (await browser.get(PAGE)).text


async def test_a_proof_is_stopped_by_who_started_it_or_by_an_operator(
    troubled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = (sys.executable, "-c", "import time; time.sleep(60)")
    prover = proving_io.Prover(lambda _: waits)
    monkeypatch.setattr(app, "prover_of", lambda _: prover)

    async def stopped(browser: httpx.AsyncClient) -> int:
        form = Form((await browser.get("/account")).text, "/signout").fields
        return (await browser.post(f"{PAGE}/proof/stop", data=form)).status_code

    async with browsing(troubled, "viewer") as viewer, browsing(troubled) as operator:
        for starter in ("somebody else", "an viewer"):
            assert prover.start(A.alert_id, starter)
            is_own = starter == "an viewer"
            assert (f"{PAGE}/proof/stop" in (await viewer.get(PAGE)).text) == is_own
            assert await stopped(viewer) == (303 if is_own else 403)
            assert (prover.running() is None) == is_own
            if not is_own:
                assert f"{PAGE}/proof/stop" in (await operator.get(PAGE)).text
                assert await stopped(operator) == 303
            proof = prover.look(A.alert_id)
            assert proof is not None
            assert proof.outcome == "stopped"


async def test_over_means_nothing_is_asked(world: World) -> None:
    over = A.model_copy(update={"status": "resolved", "resolved_at": NOW})
    await world.read(ALERT_STATE, (A.alert_id, over))
    async with browsing(world, "approver") as browser:
        page = (await browser.get(PAGE)).text
        assert PAGE not in (await browser.get("/alerts")).text
    assert "/do/acknowledge" not in page
    assert "/do/silence" not in page
