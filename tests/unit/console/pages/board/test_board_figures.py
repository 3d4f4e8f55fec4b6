"""What the board draws of the indicators, and its twenty figures: of everything, and of one that is chosen."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from schemas.readings import Reading, Tally
from services.console.pages.board import business_view
from services.console.pages.frame.speaking import Speaker
from services.console.state.business import Business
from tests.unit.console.browsing import Form, browsing
from tests.unit.console.pages.board.filled import NAMED, filled
from tests.unit.console.samples import NOW
from tests.unit.console.test_chinese import Sentences
from tests.unit.console.words_of_pages import Words
from tests.unit.console.world import World


async def counted(world: World) -> None:
    """A day's readings of one channel, the brand and addresses, and the sums of an hour."""
    values = {
        "complaint_volume": {"channel:paused": (21.0, 20.0, "breach"), "channel:only-read": (1.0, 20.0, "calm")},
        "negative_sentiment": {"brand:all": (0.45, 0.4, "breach")},
    }
    reading = Reading.model_validate(
        {
            "writer": "w",
            "subject_kind": "channel",
            "at": NOW,
            "values": values,
            "counts": {"click_fraud": {"breach": 7}},
        }
    )
    world.feed.readings.fold(reading)
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    sums = {
        "channel": {"paused": {"spend": 6200.0, "accounts_opened": 20.0}, "drift": {"spend": 0.0}},
        "product": {"p-1": {"clicks": 8.0}},
        "segment": {"young": {"clicks": 100.0, "purchases": 41.0}},
    }
    world.feed.tallies.fold(Tally.model_validate({"writer": "w", "hour": hour, "sums": sums}))


@pytest.mark.usefixtures("complete")
async def test_the_board_draws_the_indicators_and_tells_the_figures(world: World) -> None:
    await filled(world)
    await counted(world)
    async with browsing(world, "viewer") as client:
        answer = await client.get("/")
        zh = Words((await client.get("/", headers={"Accept-Language": "zh"})).text)
    page = Words(answer.text)
    said = [
        "Complaints of a day: last 21, limit 20, beyond its limit",
        "only-read",
        "Cost of a new account (CAC) 310 CNY ◆ goal missed goal ≤ 300 CNY",
        "Conversion · young 41 % ✓ goal met goal ≥ 40 %",
        "Clicks from one address beyond the limit 7",
    ]
    assert [each for each in said if each not in page.text] == []
    assert "获客成本（CAC） 310 元 ◆ 未达标 目标 ≤ 300 元" in zh.text
    assert "silent: nothing is judged" in page.text, "the readings are from another year"


@pytest.mark.usefixtures("complete")
async def test_the_figures_are_told_of_one_that_is_chosen(world: World) -> None:
    await filled(world)
    await counted(world)
    async with browsing(world, "viewer") as client:
        whole = (await client.get("/", params={"of": "channel:paused", "show": "frozen"})).text
        parts = {
            of: Words((await client.get("/", params={"of": of, "part": "figures"})).text).text
            for of in ("channel:paused", "channel:drift", "product:p-1", "segment:young", "channel:nobody", "segment:x")
        }
        zh = (await client.get("/?of=channel:paused&part=figures", headers={"Accept-Language": "zh"})).text
    assert 'hx-get="/?show=frozen&amp;of=channel%3Apaused&amp;part=figures"' in whole
    assert '<option value="channel:paused" selected>&lt;Douyin&gt;</option>' in whole
    assert Form(whole, "/#figures").fields == {"show": "frozen"}, "a choice keeps what the board shows"
    assert Form(whole, "/").fields == {"of": "channel:paused"}
    assert "The business today: <Douyin>" in parts["channel:paused"]
    assert "Cost of a new account (CAC) 310 CNY ◆ goal missed goal ≤ 300 CNY" in parts["channel:paused"]
    assert "Not told of a single one: Open complaints, Negative mentions." in parts["channel:paused"]
    assert "Clicks 8" in parts["product:p-1"]
    assert "Conversion 41 % ✓ goal met goal ≥ 40 %" in parts["segment:young"]
    assert "The business today: young" in parts["segment:young"]
    assert "310 CNY" not in parts["channel:drift"] + parts["product:p-1"]
    assert [of for of, said in parts.items() if "Nothing was counted of it today." in said] == [
        "channel:nobody",
        "segment:x",
    ]
    assert "今日业务指标：抖音" in Words(zh).text
    assert Sentences(zh).found == []


@pytest.mark.usefixtures("complete")
async def test_what_was_counted_today_can_be_chosen(world: World) -> None:
    await counted(world)
    business, speaker = (
        Business(world.feed.tallies, world.feed.readings),
        Speaker("en", ZoneInfo("UTC"), datetime.now(UTC), NAMED),
    )
    assert business_view.choices(business, "product:unheard", speaker) == {
        "channel": [("channel:paused", "<Douyin>"), ("channel:drift", "drift")],
        "product": [("product:p-1", "p-1"), ("product:unheard", "unheard")],
        "segment": [("segment:young", "young")],
    }


@pytest.mark.usefixtures("complete")
async def test_before_anything_is_read_there_are_no_empty_columns(world: World) -> None:
    await filled(world)
    async with browsing(world) as client:
        page = (await client.get("/")).text
        figures = (await client.get("/?part=figures")).text
    assert "Fewer impressions are engaged with" not in page
    assert Words(figures).text == ""


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (None, "number", "–"),
        (1234.5, "cny", "1,234 CNY"),
        (0.256, "percent", "25.6 %"),
        (4.2, "per_thousand", "4.2 ‰"),
        (27.0, "times", "27 ×"),
        (3600.0, "duration", "1 h"),
    ],
)
def test_a_figure_is_written_with_its_unit(value: float | None, unit: str, said: str) -> None:
    assert business_view.written(value, unit, Speaker("en", ZoneInfo("UTC"), NOW, NAMED)) == said
