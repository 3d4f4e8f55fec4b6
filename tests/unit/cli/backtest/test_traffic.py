"""What orders would have held back."""

from hypothesis import given
from hypothesis import strategies as st

from services.cli.backtest.traffic import Hold, held_by_hour
from services.indicators.windows.panes import HOUR_MS

MINUTES = st.integers(0, 600)
HOLDS = st.lists(
    st.builds(
        lambda start, length, share: Hold(start * 60_000, (start + length) * 60_000, share),
        MINUTES,
        st.integers(1, 300),
        st.sampled_from([0.5, 0.75, 1.0]),
    ),
    max_size=6,
)


@given(HOLDS)
def test_each_minute_is_held_once_by_the_strictest(holds: list[Hold]) -> None:
    minutes = [
        max((hold.share for hold in holds if hold.start_ms <= minute * 60_000 < hold.end_ms), default=0.0)
        for minute in range(16 * 60)
    ]
    found = held_by_hour(holds)
    for hour in range(16):
        assert abs(found.get(hour, 0.0) - sum(minutes[hour * 60 : hour * 60 + 60]) / 60) < 1e-9


def test_two_holds_at_once_are_not_counted_twice() -> None:
    assert held_by_hour([Hold(0, HOUR_MS, 0.5), Hold(HOUR_MS // 2, 2 * HOUR_MS, 1.0)]) == {0: 0.75, 1: 1.0}
