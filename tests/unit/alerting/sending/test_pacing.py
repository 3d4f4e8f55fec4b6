"""A receiver is never told faster than it takes."""

from hypothesis import given
from hypothesis import strategies as st

from services.alerting.sending.pacing import Pace, Pacer


def test_the_first_ones_go_at_once_and_the_next_when_one_is_old_enough() -> None:
    pacer = Pacer([Pace(2, 60.0)])
    for now in (0.0, 10.0):
        assert pacer.pause(now) == 0
        pacer.went(now)
    assert pacer.pause(20.0) == 40.0
    assert pacer.pause(60.0) == 0


def test_without_a_limit_there_is_no_pause() -> None:
    pacer = Pacer([])
    pacer.went(0.0)
    assert pacer.pause(0.0) == 0


@given(st.lists(st.floats(0, 30), max_size=60))
def test_in_no_stretch_are_there_more_than_allowed(gaps: list[float]) -> None:
    paces = (Pace(5, 1.0), Pace(20, 60.0))
    pacer, now, sent = Pacer(paces), 0.0, list[float]()
    for gap in gaps:
        now += gap
        now += pacer.pause(now)
        pacer.went(now)
        sent.append(now)
    for pace in paces:
        for first, later in zip(sent, sent[pace.count :], strict=False):
            assert later - first >= pace.per_s - 1e-6
