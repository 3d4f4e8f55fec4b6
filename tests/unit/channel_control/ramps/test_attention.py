"""Whether the indicators look."""

from datetime import UTC, datetime, timedelta

from schemas.readings import Reading
from services.channel_control.ramps.attention import BEHIND, Attention

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)


def reading(partition: int, at: datetime = AT, *indicators: str) -> Reading:
    writer = f"indicators:channel:{partition}"
    return Reading(writer=writer, subject_kind="channel", at=at, indicators=list(indicators or ["cac_spike"]))


def test_an_indicator_that_nobody_has_heard_of_does_not_look() -> None:
    attention = Attention(1)
    assert not attention.is_paid("cac_spike", AT)
    attention.fold(reading(0, AT, "complaint_rate"))
    assert not attention.is_paid("cac_spike", AT)


def test_it_looks_only_where_all_its_partitions_do() -> None:
    attention = Attention(2)
    attention.fold(reading(0))
    assert not attention.is_paid("cac_spike", AT)
    attention.fold(reading(1))
    assert attention.is_paid("cac_spike", AT + BEHIND)
    attention.fold(reading(1, AT + timedelta(hours=1)))
    assert not attention.is_paid("cac_spike", AT + BEHIND + timedelta(seconds=1)), "the other one has not gone on"


def test_what_is_told_again_takes_nothing_back() -> None:
    attention = Attention(1)
    attention.fold(reading(0))
    attention.fold(reading(0, AT - timedelta(hours=1)))
    assert attention.is_paid("cac_spike", AT)


def test_on_the_clock_of_events_yesterday_is_judged_and_ramps_open_all_the_same() -> None:
    attention = Attention(2, replayed=True)
    attention.fold(reading(0, AT - timedelta(days=1)))
    assert not attention.is_paid("cac_spike", AT), "the other partition has said nothing"
    attention.fold(reading(1, AT - timedelta(days=1)))
    assert attention.is_paid("cac_spike", AT)
