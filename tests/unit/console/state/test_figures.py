"""Figures and readings over HTTP and as metrics, and the page that explains them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import httpx
import pytest

from deploy import figures_page
from schemas.base import from_ms, to_ms
from schemas.readings import Reading, Tally
from schemas.topics import READINGS
from services.console import metrics
from services.console.metrics import ReadingsCollector
from services.console.state.business import Business
from services.console.state.figures import FIGURES
from tests.unit.console.world import World

HOUR = datetime(2026, 11, 23, 2, tzinfo=UTC)
TALLY = Tally.model_validate(
    {
        "writer": "indicators:channel:0",
        "hour": HOUR,
        "sums": {
            "channel": {"a": {"clicks": 10, "spend": 700.0, "accounts_opened": 2}, "b": {"clicks": 5}},
            "segment": {"young": {"clicks": 5, "purchases": 1}},
        },
    }
)
READING = Reading(
    writer="indicators:channel:0",
    subject_kind="channel",
    at=HOUR,
    values={"cac_spike": {"channel:a": (0.3, 0.2, "breach"), "channel:b": (None, 0.2, "unsure")}},
)
COUNTS = Reading(
    writer="indicators:complaint:0",
    subject_kind="complaint",
    at=HOUR,
    counts={"complaint_sla": {"breach": 1, "open": 4}},
)


@pytest.fixture
async def told(world: World) -> World:
    await world.read(READINGS, ("w", TALLY), ("w", READING), ("w", COUNTS))
    return world


@pytest.mark.usefixtures("complete", "told")
async def test_figures_of_a_stretch_by_channel(client: httpx.AsyncClient) -> None:
    query = {"scope": "channel", "since": "2026-11-23T00:00:00Z", "until": "2026-11-24T00:00:00Z"}
    answer = (await client.get("/api/v1/figures", params=query)).json()
    (cac,) = (each for each in answer["figures"] if each["id"] == "cac_cny")
    assert cac["values"] == [
        {"name": "a", "value": 350.0, "goal": 300.0, "met": False},
        {"name": "b", "value": None, "goal": 300.0, "met": None},
    ]
    assert (cac["unit"], cac["better"], cac["title"]["zh"]) == ("cny", "down", "获客成本（CAC）")
    assert (answer["scope"], answer["since"]) == ("channel", "2026-11-23T00:00:00Z")


@pytest.mark.usefixtures("complete")
async def test_what_nothing_is_known_of_is_named_all_the_same(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/api/v1/figures", params={"scope": "segment"})).json()
    assert {each["id"]: each["values"] for each in answer["figures"]} == {
        figure.id: [] for figure in FIGURES if "segment" in figure.scopes
    }


@pytest.mark.usefixtures("complete", "told")
async def test_figures_of_the_whole_are_of_today_where_nothing_is_said(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/api/v1/figures")).json()
    assert {value["name"] for each in answer["figures"] for value in each["values"]} <= {"all"}
    assert (await client.get("/api/v1/figures", params={"scope": "city"})).status_code == 422


@pytest.mark.usefixtures("complete", "told")
async def test_the_readings_of_an_indicator_with_one_subjects_series(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/api/v1/readings/cac_spike", params={"subject": "channel:a"})).json()
    point = {"at": "2026-11-23T02:00:00Z", "value": 0.3, "threshold": 0.2, "verdict": "breach"}
    assert answer["series"] == [point]
    assert answer["latest"] == [point | {"subject": "channel:a"}]
    every = (await client.get("/api/v1/readings/cac_spike")).json()
    assert [(each["subject"], each["verdict"]) for each in every["latest"]] == [
        ("channel:a", "breach"),
        ("channel:b", "unsure"),
    ]
    assert (await client.get("/api/v1/readings/complaint_sla")).json()["counts"] == {"breach": 1, "open": 4}
    assert (await client.get("/api/v1/readings/nothing")).json()["latest"] == []


@pytest.mark.usefixtures("told")
async def test_nobody_waits_for_readings(world: World) -> None:
    """They fill the charts by and by."""
    assert not world.feed.complete
    assert READINGS not in world.feed._unread


def exposed(world: World) -> dict[tuple[str, ...], float]:
    """By name and values of the labels."""
    collector = ReadingsCollector()
    business = Business(world.feed.tallies, world.feed.readings)
    collector.watch(business, lambda: ({}, ZoneInfo("Asia/Shanghai"), from_ms(to_ms(HOUR) + 60_000)))
    samples = (sample for family in collector.collect() for sample in family.samples)
    return {(sample.name, *sample.labels.values()): sample.value for sample in samples}


async def test_metrics_tell_of_readings_and_of_the_day_so_far(told: World) -> None:
    found = exposed(told)
    assert found["tidegate_indicator_value", "cac_spike", "channel:a"] == 0.3
    assert ("tidegate_indicator_value", "cac_spike", "channel:b") not in found, "nobody knows"
    assert found["tidegate_indicator_threshold", "cac_spike", "channel:b"] == 0.2
    assert found["tidegate_indicator_verdict", "cac_spike", "unsure"] == 1
    assert found["tidegate_indicator_verdict", "complaint_sla", "open"] == 4
    assert found["tidegate_business_clicks", "all", "all"] == 15
    assert found["tidegate_business_cac_cny", "channel", "a"] == 350
    assert found["tidegate_business_conversion_ratio", "segment", "young"] == 0.2
    assert found["tidegate_business_open_complaints", "all", "all"] == 4
    assert found["tidegate_business_goal", "cac_cny", "all", "all"] == 300


async def test_metrics_name_no_more_than_so_many_of_a_scope(told: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "MOST_NAMES", 1)
    found = exposed(told)
    assert ("tidegate_business_clicks", "channel", "a") in found
    assert not any(key[-2:] == ("channel", "b") for key in found)


def test_a_collector_that_nobody_told_whom_to_ask_tells_of_nothing() -> None:
    collector = ReadingsCollector()
    assert {family.name for family in collector.collect()} == {family.name for family in collector.describe()}
    assert not any(family.samples for family in collector.collect())


def test_the_page_is_current_and_explains_every_figure() -> None:
    text = figures_page.PAGE.read_text("utf-8")
    assert text == figures_page.page()
    assert all(f"`{figure.id}`" in text for figure in FIGURES)
