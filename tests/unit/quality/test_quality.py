"""The measurement in small: every kind of incident once, some calm; and that it counts what is wrong as wrong."""

from xml.etree import ElementTree

import pytest

from tests.quality import score
from tests.quality.labels import Episode, Incident, NearMiss
from tests.quality.measure import Measured, measure
from tests.quality.picture import draw
from tests.quality.report import tables
from tests.support.twelve import TWELVE

HOUR = 3_600_000
INCIDENT = Incident("complaint_volume", "channel:a", "just", 10 * HOUR, 10 * HOUR, harm=frozenset({"pause"}))


@pytest.fixture(scope="module")
def measured() -> Measured:
    """One story, and a few hundred channel-days; on a seed that is for tuning."""
    return measure([3], [3], number=8, days=12)


def test_every_incident_is_found_once_and_no_near_miss_trips(measured: Measured) -> None:
    assert measured.stories.keys() >= TWELVE
    for name in TWELVE:
        each = measured.stories[name]
        assert each.incidents > 0 and each.near_misses > 0, name
        assert (each.missed, each.doubled, each.tripped_near_misses) == ([], [], []), name


def test_calm_stops_nothing(measured: Measured) -> None:
    assert measured.calm == {"channel": 96, "product": 24}
    assert measured.pauses() == 0


def test_the_picture_and_the_tables_can_be_drawn(measured: Measured) -> None:
    root = ElementTree.fromstring(draw(measured))  # noqa: S314 - of our own making
    dots = sum(each.tag.endswith("circle") for each in root.iter())
    assert dots == sum(each.found for each in measured.stories.values())
    assert [table.row_count for table in tables(measured)] == [len(measured.stories), len(measured.false)]


def tripped(at_ms: int, subject: str = "channel:a", level: int = 1, command: str = "pause") -> Episode:
    levels = dict.fromkeys(range(1, level + 1), at_ms)
    return Episode(f"{subject}/{at_ms}", "complaint_volume", subject, False, level, at_ms, levels, {command})


def scored(*trips: Episode, incident: Incident = INCIDENT) -> score.Score:
    into = score.scores()
    near = NearMiss("complaint_volume", "channel:b", "19", 0, 24 * HOUR)
    score.judge(into, [incident, near], list(trips), "here")
    return into["complaint_volume"]


def test_a_trip_in_time_is_found_and_its_delay_is_known() -> None:
    found = scored(tripped(10 * HOUR + 1000))
    assert (found.found, found.missed, found.doubled, dict(found.false)) == (1, [], [], {})
    assert found.delays_ms == {"just": [1000]}


@pytest.mark.parametrize("trips", [[], [tripped(11 * HOUR)], [tripped(10 * HOUR, "channel:c")]])
def test_no_trip_or_a_late_one_or_another_channel_is_a_miss(trips: list[Episode]) -> None:
    assert scored(*trips).missed == ["here: just"]


def test_a_level_that_is_not_reached_is_a_miss() -> None:
    far = Incident("complaint_volume", "channel:a", "far", 10 * HOUR, 10 * HOUR, level=2)
    assert scored(tripped(10 * HOUR), incident=far).missed == ["here: far"]
    assert scored(tripped(10 * HOUR, level=2), incident=far).found == 1


def test_two_alerts_for_one_incident_are_one_too_many() -> None:
    assert scored(tripped(10 * HOUR), tripped(12 * HOUR)).doubled == ["here: just"]


def test_what_no_incident_explains_is_false_by_the_worst_that_it_orders() -> None:
    found = scored(tripped(10 * HOUR), tripped(9 * HOUR), tripped(9 * HOUR, "channel:b", command="escalate"))
    assert dict(found.false) == {"pause": 1, "escalate": 1}
    assert found.tripped_near_misses == ["here: 19"]


def test_a_found_incident_that_orders_what_it_should_not_is_false_too() -> None:
    assert dict(scored(tripped(10 * HOUR, command="throttle")).false) == {"throttle": 1}
