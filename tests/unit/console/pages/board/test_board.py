"""The board: which targets are shown in which order, what a filter finds, and what a page says of them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import AlertState
from schemas.base import Bilingual
from schemas.channels import ChannelState
from schemas.topics import CHANNEL_STATE
from services.console.pages.board import board, health_view
from services.console.pages.board.board import PAGE_ROWS, Row, Wanted
from services.console.pages.board.standing import Part, flags, reasons
from services.console.pages.frame.indicators import INDICATORS
from services.console.state.views import Alerts, Channels
from services.indicators.registry import one_of_each
from services.runtime.health import PartState
from tests.support.twelve import the_twelve
from tests.unit.console.browsing import browsing
from tests.unit.console.pages.board.filled import NAMED, filled
from tests.unit.console.samples import NOW, alert, waiting
from tests.unit.console.targets import hold, in_all_states, opening, state
from tests.unit.console.words_of_pages import Words
from tests.unit.console.world import World


def channels_of(*states: ChannelState) -> Channels:
    view = Channels()
    for each in states:
        view.fold(each.target.encode(), each.model_dump_json().encode())
    return view


def rows(*told: AlertState) -> list[Row]:
    alerts = Alerts(capacity=10)
    for each in told:
        alerts.fold(each.alert_id.encode(), each.model_dump_json().encode())
    return board.rows("channel", channels_of(*in_all_states().values()), alerts, NAMED)


def name(target: str) -> Bilingual:
    return NAMED.label(target) or Bilingual(en=target, zh=target)


def test_an_indicator_is_called_as_its_rule_calls_it() -> None:
    rules = {rule.id: (rule.subject, rule.title) for rule in one_of_each(the_twelve())}
    assert {each.id: (each.subject, each.title) for each in INDICATORS.values()} == rules


def test_the_worst_is_first_and_what_only_has_a_name_is_there_too() -> None:
    assert [row.target.removeprefix("channel:") for row in rows()] == [
        "drift",
        "failed",
        "unconfirmed",
        "asked",
        "waits",
        "taken_down",
        "frozen",
        "paused",
        "opening",
        "throttled",
        "override",
        "quiet",
        "running",
    ]


def test_among_equals_open_alerts_decide() -> None:
    told = [alert(str(number), subject="channel:met", severity="warning") for number in range(5)]
    told += [alert("one", subject="channel:running"), alert("over", "resolved", subject="channel:quiet")]
    assert [row.target for row in rows(*told)][-4:] == [
        "channel:running",
        "channel:met",
        "channel:override",
        "channel:quiet",
    ]


@pytest.mark.parametrize(
    ("show", "found"),
    [
        ("wrong", ["drift", "failed", "unconfirmed"]),
        ("waits", ["asked", "waits"]),
        ("frozen", ["frozen"]),
        ("throttled", ["opening", "throttled"]),
        ("override", ["override"]),
    ],
)
def test_a_choice_shows_what_it_says(show: board.Show, found: list[str]) -> None:
    shelf = board.shelf(rows(), Wanted(show=show), name)
    assert [row.target.removeprefix("channel:") for row in shelf.rows] == found
    assert shelf.counts[show] == len(found)
    assert shelf.counts["all"] == 13


@pytest.mark.parametrize("text", ["抖音", "douyin", "channel:PAUSED", " paused "])
def test_a_target_is_found_by_its_id_and_by_either_name(text: str) -> None:
    assert [row.target for row in board.shelf(rows(), Wanted(text=text), name).rows] == ["channel:paused"]


@given(st.integers(0, 3 * PAGE_ROWS), st.integers(1, 10))
def test_the_pages_hold_every_row_once(count: int, page: int) -> None:
    many = [Row(f"channel:{number:03}", None, (), {}) for number in range(count)]
    shelves = [board.shelf(many, Wanted(page=number + 1), name) for number in range(max(-(-count // PAGE_ROWS), 1))]
    assert [row for shelf in shelves for row in shelf.rows] == many
    assert all(shelf.pages == len(shelves) for shelf in shelves)
    assert board.shelf(many, Wanted(page=page), name).page == min(page, len(shelves))


def test_what_is_to_be_seen_of_a_target() -> None:
    seen = {told: flags(each) for told, each in in_all_states().items()}
    none_of_them = dict.fromkeys(("taken_down", "frozen", "paused", "throttled", "running"), ())
    alone = {told: (told,) for told in ("drift", "failed", "unconfirmed", "waits", "opening", "override")}
    assert seen == {**none_of_them, **alone, "asked": ("waits",)}
    assert flags(None) == ()


def test_what_still_asks_the_governor_asks_nobody_else() -> None:
    assert flags(state("channel:a", "running", waiting("a", claim="asked"))) == ()
    declined = state("channel:a", "running", waiting("a", claim="declined"))
    assert flags(declined) == ("waits",)
    assert [each.target for each in board.beyond(channels_of(declined))] == ["channel:a"]


def test_what_acts_is_told_before_what_waits_and_by_its_alert() -> None:
    known = alert("p", title={"en": "20 complaints", "zh": "投诉 20 件"})
    holds = [
        hold("x", approval="rejected"),
        waiting("w"),
        opening("o"),
        hold("t", kind="throttle", factor=0.5, indicator=None, by="person:li.wei", reason="slow"),
        hold("p"),
        hold("m", masked=True),
    ]
    told = reasons(state("channel:a", "paused", *holds), {known.alert_id: known}.get)
    parts: list[Part] = ["acts", "acts", "opening", "waits", "masked", "over"]
    assert [each.part for each in told] == parts
    assert [(each.said.zh, each.by) for each in told[:2]] == [("投诉 20 件", None), ("slow", "li.wei")]
    assert told[3].until == holds[1].decide_by


def test_tidegate_says_how_it_fares() -> None:
    off = state("automation:all", "frozen", hold("off", by="person:zhao", reason="the feeds are wrong"))
    parts = [PartState("audit", True, False, "Kafka does not answer"), PartState("policy", True, True, "")]
    about = [alert("a", subject="service:ingest")]
    lines = health_view.lines(parts, off, None, about)
    assert [line.tone for line in lines] == ["bad", "bad", "warning", "bad"]
    assert "audit (Kafka does not answer)" in lines[0].said.en
    assert "zhao: the feeds are wrong" in lines[1].said.en
    assert {line.tone for line in health_view.lines(parts[1:], None, "default/1", [])} == {"good"}


@pytest.mark.parametrize(("minutes", "tone"), [(2, "good"), (4, "bad"), (None, "warning")])
def test_indicators_that_say_nothing_are_missed(minutes: int | None, tone: str) -> None:
    newest = None if minutes is None else NOW - timedelta(minutes=minutes)
    assert health_view.judging(newest, NOW).tone == tone


@pytest.mark.usefixtures("complete")
@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            [
                "changed on the platform",
                "slowed 40 %",
                "waits for people",
                "<Douyin>",
                "1 critical",
                "120 bad mentions",
            ],
        ),
        ("zh", ["平台状态被更改", "限流 40 %", "等待人工决定", "抖音", "1 严重", "负面 120 条"]),
    ],
)
async def test_the_board_says_it_in_both_languages(world: World, language: str, said: list[str]) -> None:
    await filled(world)
    async with browsing(world, "viewer", language) as client:
        answer = await client.get("/")
    page = Words(answer.text)
    assert answer.status_code == 200
    assert [each for each in said if each not in page.text] == []
    assert "/channels/channel%3Apaused" in page.links or "/channels/channel:paused" in page.links
    assert "style=" not in answer.text


@pytest.mark.usefixtures("complete")
async def test_a_part_of_the_board_comes_alone_and_keeps_what_was_asked_for(world: World) -> None:
    await filled(world)
    async with browsing(world) as client:
        part = (await client.get("/", params={"part": "channels", "show": "frozen"})).text
        whole = (await client.get("/", params={"show": "frozen"})).text
        beside = (await client.get("/", params={"part": "beside"})).text
        none = (await client.get("/", params={"q": "nobody"})).text
    assert part.lstrip().startswith('<p class="tiles">')
    assert 'hx-get="/?show=frozen&amp;part=channels"' in whole
    assert ("channel:frozen" in part, "channel:paused" in part) == (True, False)
    assert "<html" not in part + beside
    assert "Nothing here is as you ask for." in none


@pytest.mark.usefixtures("complete")
async def test_only_an_admin_is_offered_to_switch_automation_off(world: World) -> None:
    for role, offered in (("operator", False), ("admin", True)):
        async with browsing(world, role) as client:  # type: ignore[arg-type]
            assert ("/do/automation_off" in (await client.get("/")).text) is offered
    await world.read(
        CHANNEL_STATE, ("automation:all", state("automation:all", "frozen", hold("off", by="person:zhao")))
    )
    async with browsing(world, "admin") as client:
        page = (await client.get("/")).text
    assert ("/do/automation_on" in page, "/do/automation_off" in page) == (True, False)


@pytest.mark.usefixtures("complete")
@pytest.mark.parametrize("query", ["kind=no", "page=0", "show=x", "part=y", "of=city:x", "of=channel:", "of=x"])
async def test_a_board_that_there_is_not(world: World, query: str) -> None:
    async with browsing(world) as client:
        assert (await client.get(f"/?{query}")).status_code == 422
