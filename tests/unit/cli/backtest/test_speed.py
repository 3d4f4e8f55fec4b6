"""A million events in under thirty seconds of one core; here a tenth, at the same rate of channels and time."""

from tests.bench.bench_backtest import SIX_HOURS, records, seconds

EVENTS = 100_000


def test_an_event_costs_less_than_thirty_microseconds() -> None:
    assert seconds(records(EVENTS, SIX_HOURS / 10)) < EVENTS * 30e-6
