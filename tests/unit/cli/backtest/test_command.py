"""`tidegate backtest FILE`, run as a command."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.backtest import Report
from schemas.base import from_ms
from services.cli import __main__ as cli
from services.cli.backtest.files import records_in
from services.cli.replay.replay import Map
from tests.support.indicator_log import TEN
from tests.unit.cli.archive.test_parquet_io import archive_of
from tests.unit.cli.backtest.stories import Story

Tidegate = Callable[..., int]


@pytest.fixture
def tidegate(monkeypatch: pytest.MonkeyPatch) -> Tidegate:
    def run(*arguments: object) -> int:
        monkeypatch.setattr("sys.argv", ["tidegate", "backtest", *map(str, arguments)])
        return cli.main()

    return run


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Twenty complaints out of order, and two lines that are no events."""
    story = Story()
    story.complaints(20)
    lines = [value.decode() for _, _, value in reversed(story.told)]
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(["{", *lines[:10], '{"type":"click","occurred_at":"yesterday"}', *lines[10:], ""]))
    return path


def test_it_writes_a_report_for_programs_and_a_page(log: Path, tmp_path: Path, tidegate: Tidegate) -> None:
    data, site = tmp_path / "report.json", tmp_path / "report.html"
    assert tidegate(log, "--json", data, "--html", site) == 0
    report = Report.model_validate_json(data.read_bytes())
    assert (report.source.records, report.source.dead) == (22, 2)
    (trip,) = report.runs[0].trips
    assert (trip.indicator, trip.level) == ("complaint_volume", 1)
    assert site.read_text("utf-8").startswith("<!doctype html>")


def test_a_program_that_starts_it_is_told_how_far_it_is(
    log: Path, tidegate: Tidegate, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tidegate(log, "--progress") == 0
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert told
    assert all(0 < each["done"] <= each["total"] == 22 for each in told)


def test_it_says_where_the_log_begins_and_ends(log: Path, tmp_path: Path, tidegate: Tidegate) -> None:
    data = tmp_path / "report.json"
    assert tidegate(log, "--json", data, "--from", from_ms(TEN - 5 * 86_400_000).isoformat()) == 0
    report = Report.model_validate_json(data.read_bytes())
    assert report.source.first is not None
    assert report.source.last is not None
    assert report.source.first < report.source.last
    assert any("of the first 5.0 days of the window there is nothing" in note.en for note in report.notes)


def test_it_tells_people_what_fired(log: Path, tidegate: Tidegate, capsys: pytest.CaptureFixture[str]) -> None:
    assert tidegate(log) == 0
    told = capsys.readouterr()
    assert "complaint_volume" in told.out
    assert "channel:douyin" in told.out
    assert told.err == "", "no progress bar where nobody looks"


def test_two_policies(log: Path, tmp_path: Path, tidegate: Tidegate, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("version: 2\nindicators: {complaint_volume: {thresholds: {complaints: 50}}}")
    assert tidegate(log, "--against", other) == 0
    assert "default/1 against default/2" in capsys.readouterr().out


def test_what_cannot_be_read_is_1_and_bad_usage_2(
    log: Path, tmp_path: Path, tidegate: Tidegate, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("version: one")
    assert tidegate(log, "--policy", bad) == 1
    assert "version" in capsys.readouterr().err
    assert tidegate(tmp_path / "nowhere.jsonl") == 1
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    assert tidegate(empty) == 1
    assert tidegate(log, "--from", "2026-11-24T00:00:00Z", "--to", "2026-11-23T00:00:00Z") == 2
    assert tidegate(log, "--from", "2027-11-24T00:00:00Z") == 1
    assert tidegate(log, "--from", "yesterday") == 2
    assert tidegate(log, "--archive", tmp_path) == 2
    assert tidegate("--map", bad) == 2


def test_a_map_makes_events_of_rows(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("day,way\n2026-11-24,Web\n2026-11-23,Phone\n")
    fields = {
        "event_id": "{row}",
        "occurred_at": "{day}T10:00:00+08:00",
        "channel_id": "{way}",
        "complaint_id": "{row}",
        "entry": "hotline",
    }
    found = records_in(rows, Map.model_validate({"events": [{"type": "complaint_opened", "fields": fields}]}))
    assert [(each.topic, each.offset) for each in found] == [("complaint-events", 0), ("complaint-events", 1)]
    assert found[0].stamp_ms == TEN
    assert json.loads(found[0].value or b"")["channel_id"] == "Phone"


def test_an_archive_gives_what_the_topics_gave(tmp_path: Path, tidegate: Tidegate) -> None:
    story = Story()
    story.complaints(20)
    archive_of(tmp_path / "archive", story.records())
    other, data = tmp_path / "other.yaml", tmp_path / "report.json"
    other.write_text("version: 2")
    assert (
        tidegate("--archive", tmp_path / "archive", "--policy", other, "--to", "2026-11-24T00:00:00Z", "--json", data)
        == 0
    )
    (trip,) = Report.model_validate_json(data.read_bytes()).runs[0].trips
    assert (trip.indicator, trip.level, trip.subject) == ("complaint_volume", 1, "channel:douyin")
    assert tidegate("--archive", tmp_path / "nowhere", "--policy", other) == 1


@pytest.mark.parametrize(("shared", "said"), [("[]", False), ("[203.0.113.0/24]", True)])
def test_who_is_behind_a_shared_address_cannot_be_told_in_an_archive(
    tmp_path: Path, tidegate: Tidegate, shared: str, said: bool
) -> None:
    story, data, own = Story(), tmp_path / "report.json", tmp_path / "own.yaml"
    story.complaints(2)
    archive_of(tmp_path / "archive", story.records())
    own.write_text(f"version: 1\nshared_addresses: {shared}")
    assert tidegate("--archive", tmp_path / "archive", "--policy", own, "--json", data) == 0
    notes = " ".join(note.en for note in Report.model_validate_json(data.read_bytes()).notes)
    assert ("shared addresses cannot be told" in notes, "nobody else knows" in notes) == (said, False)
