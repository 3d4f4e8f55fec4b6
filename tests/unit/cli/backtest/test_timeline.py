"""How a log is cut."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.cli.backtest.pipeline import RawRecord
from services.cli.backtest.timeline import BLOCK_MS, blocks, boundary, slices

DENSITIES = st.sampled_from([3_000_000, 400_000, 20_000])
"""Over so many ms the records of a log are spread."""


@st.composite
def logs(draw: st.DrawFn) -> list[RawRecord]:
    spread = draw(DENSITIES)
    stamps = sorted(draw(st.lists(st.integers(0, spread), min_size=1, max_size=20)))
    stamps = sorted(stamps * draw(st.sampled_from([1, 20, 300])))
    return [RawRecord("channel-events", 0, n, 1_795_400_000_000 + stamp, b"") for n, stamp in enumerate(stamps)]


@given(logs())
def test_slices_are_the_log_in_its_order_and_none_reaches_over_the_close_of_a_pane(log: list[RawRecord]) -> None:
    found = [each for block, _ in blocks(log) for each in slices(block)]
    assert [record for _, records, _ in found for record in records] == log
    for start, records, end in found:
        assert all(start <= record.stamp_ms < end for record in records)
        assert end <= boundary(start), "a pane closes in the middle"
    assert all(before[2] <= after[0] for before, after in pairwise(found))


@given(st.integers(0, 2**42))
def test_a_boundary_is_half_a_minute_after_the_end_of_a_pane_and_divides_finer_ones(at_ms: int) -> None:
    assert at_ms < boundary(at_ms) <= at_ms + BLOCK_MS
    assert (boundary(at_ms) - 30_000) % BLOCK_MS == 0
    for width in (5_000, 60_000):
        assert boundary(at_ms, width) <= boundary(at_ms)


def test_the_busier_the_finer() -> None:
    def widths(number: int) -> set[int]:
        step = BLOCK_MS / number
        block = [RawRecord("channel-events", 0, n, 30_000 + int(n * step), b"") for n in range(number)]
        return {end - start for start, _, end in slices(block)}

    assert widths(100) == {300_000}
    assert widths(1_000) == {60_000}
    assert widths(10_000) == {5_000}
