from hypothesis import given
from hypothesis import strategies as st

from services.ingest.reading.duplicates import Duplicates, window_of

WINDOW = 60

_SLICES = st.lists(
    st.lists(st.tuples(st.sampled_from("abcdefg"), st.integers(0, 25)), max_size=6),
    max_size=12,
)


@given(_SLICES)
def test_a_duplicate_is_an_id_seen_in_the_window_before_however_the_log_is_cut(
    slices: list[list[tuple[str, int]]],
) -> None:
    known = Duplicates(WINDOW)
    history: list[tuple[str, int]] = []
    now = 0
    for each in slices:
        ids, stamps, expected = [], [], []
        for index, (event_id, later) in enumerate(each):
            now += later
            if any(before == event_id and stamp >= now - WINDOW for before, stamp in history):
                expected.append(index)
            history.append((event_id, now))
            ids.append(event_id)
            stamps.append(now)
        assert known.note(ids, stamps) == expected


def test_a_duplicate_refreshes_the_memory() -> None:
    known = Duplicates(WINDOW)
    assert [known.note(["a"], [at]) for at in (0, 50, 100, 161)] == [[], [0], [0], []]


def test_old_ids_are_forgotten() -> None:
    known = Duplicates(WINDOW)
    for at in range(0, 10_000, 10):
        known.note([f"{at}"], [at])
    assert len(known) <= 2 * WINDOW // 10


def test_the_small_topics_remember_longer() -> None:
    assert window_of("channel-events") == 60_000
    assert {window_of(topic) for topic in ("complaint-events", "conversion-events", "market-events")} == {600_000}
