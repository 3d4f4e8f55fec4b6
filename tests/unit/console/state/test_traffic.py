"""What a channel or a promotion moved before a moment: from which hours, and what is not known."""

from typing import Any

import pytest

from schemas.base import from_ms
from schemas.readings import Tally
from services.console.state.tallies import HOUR_MS, Tallies
from services.console.state.traffic import HOURS, TrafficBefore
from services.incidents.traffic import Traffic

HOUR = 500_000
AT = from_ms(HOUR * HOUR_MS + 20 * 60_000)


def told(*sums: tuple[int, dict[str, Any]], writer: str = "indicators:channel:0") -> Tallies:
    tallies = Tallies()
    for hour, by_scope in sums:
        tallies.fold(Tally.model_validate({"writer": writer, "hour": from_ms(hour * HOUR_MS), "sums": by_scope}))
    return tallies


def a(**sums: float) -> dict[str, Any]:
    return {"channel": {"a": sums}}


def test_a_channel_is_told_by_the_full_hours_of_the_day_before() -> None:
    day = [(HOUR - n, a(clicks=10 * n, spend=5.0, complaints=9)) for n in range(HOURS + 2)]
    assert TrafficBefore(told(*day))("channel:a", AT) == Traffic({"clicks": 125.0, "spend": 5.0}, HOURS)


def test_hours_without_anything_count_from_its_first_on() -> None:
    tallies = told((HOUR - 4, a(clicks=8)), (HOUR - 2, a(clicks=4)), (HOUR - 9, {"channel": {"b": {"clicks": 1}}}))
    assert TrafficBefore(tallies)("channel:a", AT) == Traffic({"clicks": 3.0}, 4)


def test_what_several_writers_counted_is_one_figure() -> None:
    tallies = told((HOUR - 1, a(clicks=8)))
    other = {"writer": "indicators:channel:1", "hour": from_ms((HOUR - 1) * HOUR_MS), "sums": a(clicks=2)}
    tallies.fold(Tally.model_validate(other))
    assert TrafficBefore(tallies)("channel:a", AT) == Traffic({"clicks": 10.0}, 1)


def test_a_promotion_has_at_most_what_its_product_and_its_channel_have() -> None:
    product = {"product": {"fund": {"clicks": 30, "purchases": 2}}}
    before = TrafficBefore(told((HOUR - 1, a(clicks=20, purchases=6, impressions=900)), (HOUR - 2, product)))
    assert before("promotion:fund@a", AT) == Traffic({"clicks": 15.0, "purchases": 1.0}, 1, at_most=True)


@pytest.mark.parametrize(
    "target",
    [
        "channel:b",
        "promotion:fund@b",
        "promotion:other@a",
        "promotion:apart@a",
        "content:a",
        "account:a",
        "promotion:a",
    ],
)
def test_what_nothing_is_counted_of_is_unknown(target: str) -> None:
    products = {"product": {"fund": {"clicks": 1}, "apart": {"purchases": 1}}}
    before = TrafficBefore(told((HOUR - 1, a(clicks=1)), (HOUR - 1, products)))
    assert before("channel:a", AT) is not None
    assert before(target, AT) is None


def test_complaints_alone_or_the_hour_that_has_begun_are_no_traffic() -> None:
    assert TrafficBefore(told((HOUR - 1, a(complaints=3)), (HOUR, a(clicks=9))))("channel:a", AT) is None
