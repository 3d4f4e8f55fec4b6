"""`tidegate incident`: what it lists, finds and reports from what the topics hold."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from schemas.directory import ChannelEntry, Directory, Label, ProductEntry
from services.cli.incident.incident import Known, listed, reported
from services.runtime.ids import derive
from tests.unit.incidents.samples import NOON, alert

DETAIL: dict[str, Any] = {"products": {"fund-a": 18}}
ALERTS = {each.alert_id: each for each in (alert("a", detail=DETAIL), alert("b", 5, detail=DETAIL), alert("c", 9))}
ZONE = ZoneInfo("Asia/Shanghai")
NAMED = Directory(
    channels={"a": ChannelEntry(name=Label(en="A", zh="甲"))},
    products={"fund-a": ProductEntry(name=Label(en="Steady Fund", zh="稳健基金"))},
)
KNOWN = Known(ALERTS, NAMED, ZONE, NOON + timedelta(hours=1))


def test_the_newest_comes_first_in_the_readers_language_and_zone() -> None:
    assert list(listed(KNOWN.incidents(), "en", ZONE)) == [
        f"{derive('c')}  2026-11-23 12:09  open    critical  c in trouble",
        f"{derive('a')}  2026-11-23 12:00  open    critical  a in trouble (and one more alert)",
    ]
    assert list(listed(KNOWN.incidents(), "zh", ZONE))[1].endswith("a 异常（另有 1 条告警）")


def test_an_incident_is_found_by_the_id_of_any_of_its_alerts() -> None:
    for name in "ab":
        found = KNOWN.find(derive(name))
        assert found is not None
        assert found.incident_id == derive("a")
    assert KNOWN.find(derive("z")) is None


def test_a_report_names_things_as_the_directory_does() -> None:
    incident = KNOWN.find(derive("b"))
    assert incident is not None
    text = reported(KNOWN, incident, [], [], "zh", "markdown")
    assert "产品 稳健基金" in text
    html = reported(KNOWN, incident, [], [], "en", "html")
    assert html.startswith('<!doctype html><html lang="en">')
    assert "product Steady Fund" in html
