"""Rows of a file become events by a map."""

from pathlib import Path

import pytest

from services.cli.replay.replay import Map, ReplayError, events_of, in_order, read_map, read_rows

CLICKS = Map.model_validate(
    {
        "events": [
            {
                "type": "click",
                "fields": {
                    "event_id": "c-{row}",
                    "occurred_at": "{time}+08:00",
                    "channel_id": "ch-{channel}",
                    "ip": "{ip}",
                    "count": "{sum}",
                },
            },
            {
                "type": "conversion",
                "when": {"bought": "1"},
                "repeat": "{buys}",
                "fields": {
                    "event_id": "p-{row}-{n}",
                    "occurred_at": "{time}+08:00",
                    "channel_id": "ch-{channel}",
                    "stage": "purchase",
                },
            },
        ]
    }
)
ROW = {"time": "2026-11-23 09:00:00", "channel": "7", "ip": "", "sum": "3", "bought": "1", "buys": "2"}


def test_a_row_becomes_every_event_its_map_names() -> None:
    events = list(events_of([ROW], CLICKS))
    assert [event.event_id for event in events] == ["c-1", "p-1-0", "p-1-1"]
    assert events[0].model_dump(exclude_none=True)["count"] == 3
    assert events[0].occurred_at.isoformat() == "2026-11-23T09:00:00+08:00"


def test_an_empty_column_leaves_its_field_away() -> None:
    click = next(iter(events_of([ROW], CLICKS)))
    assert "ip" not in click.model_dump(exclude_none=True)


def test_when_keeps_other_rows_out() -> None:
    assert [event.type for event in events_of([ROW | {"bought": "0"}], CLICKS)] == ["click"]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({**ROW, "time": "yesterday"}, r"row 1: click.occurred_at: is not an RFC 3339 time"),
        ({**ROW, "sum": "many"}, r"row 1: click.count"),
        ({**ROW, "buys": "two"}, r"row 1: repeat is 'two'"),
        ({"time": "x"}, r"row 1: there is no column 'channel'"),
    ],
)
def test_a_row_that_is_no_event_is_named(row: dict[str, str], says: str) -> None:
    with pytest.raises(ReplayError, match=says):
        list(events_of([row], CLICKS))


def test_when_may_be_a_pattern_and_a_template_the_beginning_of_a_column() -> None:
    conversion = CLICKS.events[1]
    fields = conversion.fields | {"event_id": "p-{time:.10}-{n}"}
    mapping = Map(events=[conversion.model_copy(update={"when": {"bought": "?*"}, "fields": fields})])
    found = events_of([ROW, ROW | {"bought": ""}], mapping)
    assert [event.event_id for event in found] == ["p-2026-11-23-0", "p-2026-11-23-1"]


def test_files_with_a_header_and_json_lines(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n", "utf-8")
    (tmp_path / "a.jsonl").write_text('{"x": 1, "y": null}\n\n', "utf-8")
    assert list(read_rows(tmp_path / "a.csv")) == [{"x": "1", "y": "2"}]
    assert list(read_rows(tmp_path / "a.jsonl")) == [{"x": "1", "y": ""}]


def test_a_map_with_an_unknown_type_or_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "map.yml"
    path.write_text("events: [{type: clck, fields: {}}]", "utf-8")
    with pytest.raises(ReplayError, match="no event type 'clck'"):
        read_map(path)
    path.write_text("events: [{type: click, feilds: {}}]", "utf-8")
    with pytest.raises(ReplayError, match="feilds"):
        read_map(path)


def test_events_are_put_in_the_order_of_their_time() -> None:
    later, earlier = ROW | {"time": "2026-11-23 10:00:00"}, ROW
    times = [event.occurred_at for event in in_order(events_of([later, earlier], CLICKS))]
    assert times == sorted(times)
