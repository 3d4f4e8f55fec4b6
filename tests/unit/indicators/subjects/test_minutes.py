"""Names by the minute: what is between two moments is what a plain list says."""

from hypothesis import given
from hypothesis import strategies as st

from services.indicators.subjects.minutes import MINUTE_MS, Minutes

MOMENTS = st.integers(-3 * MINUTE_MS, 3 * MINUTE_MS)
NAMES = st.dictionaries(st.text("abcde", min_size=1, max_size=2), MOMENTS)


@given(names=NAMES, gone=st.sets(st.text("abcde", min_size=1, max_size=2)), after=MOMENTS, until=MOMENTS)
def test_between_is_what_a_plain_list_says(names: dict[str, int], gone: set[str], after: int, until: int) -> None:
    minutes = Minutes()
    for name, at in names.items():
        minutes.add(name, at)
    for name in gone & names.keys():
        minutes.remove(name, names.pop(name))
    assert set(minutes.between(after, until)) == {name for name, at in names.items() if after < at <= until}
    first = min(names.values(), default=None)
    assert minutes.earliest_ms() == (None if first is None else first // MINUTE_MS * MINUTE_MS)


@given(names=NAMES, before=MOMENTS)
def test_what_lies_in_earlier_minutes_is_taken_away(names: dict[str, int], before: int) -> None:
    minutes = Minutes()
    for name, at in names.items():
        minutes.add(name, at)
    early = {name for name, at in names.items() if at // MINUTE_MS < before // MINUTE_MS}
    assert set(minutes.pop_before(before)) == early
    assert set(minutes.between(-(2**62), 2**62)) == names.keys() - early
