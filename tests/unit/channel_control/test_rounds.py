"""Every settled target is read again in time, at a bounded rate, and evenly."""

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.channel_control.rounds import Rounds
from services.channel_control.target import Target


def watched(count: int) -> dict[str, Target]:
    return {f"channel:{number}": Target(f"channel:{number}") for number in range(count)}


def readings(rounds: Rounds, targets: dict[str, Target], until: float) -> list[tuple[float, str]]:
    """When each was read, by a watcher who comes as soon as it is time."""
    found: list[tuple[float, str]] = []
    now = rounds.next_at
    while now < until:
        target = rounds.take(targets, now)
        assert target is not None
        found.append((now, target.name))
        now = rounds.next_at
    return found


@given(count=st.integers(1, 60), first=st.floats(0, 12))
def test_each_is_read_once_in_every_interval(count: int, first: float) -> None:
    read = readings(Rounds(25.0, 10.0, first), watched(count), first + 100.0 - 0.001)
    assert set(Counter(name for _, name in read).values()) == {4}
    gaps = [later - before for (before, _), (later, _) in pairwise(read)]
    assert max(gaps, default=0.0) <= 25.0 / count + 1e-6


def test_no_more_a_second_than_allowed_however_many_there_are() -> None:
    read = readings(Rounds(25.0, 10.0, 0.0), watched(1000), 50.0)
    assert abs(len(read) - 500) <= 1
    assert len({name for _, name in read}) == len(read)


def test_what_settles_during_a_round_is_read_within_two_intervals() -> None:
    targets = watched(5)
    rounds = Rounds(25.0, 10.0, 0.0)
    readings(rounds, targets, 12.0)
    targets["channel:new"] = Target("channel:new")
    assert next(at for at, name in readings(rounds, targets, 62.0) if name == "channel:new") <= 50.0


def test_what_is_no_longer_settled_is_passed_over() -> None:
    targets = watched(3)
    rounds = Rounds(25.0, 10.0, 0.0)
    assert rounds.take(targets, 0.0) == targets["channel:0"]
    assert rounds.take(targets, 1.0) is None, "it is not time"
    del targets["channel:1"]
    assert rounds.take(targets, 9.0) == targets["channel:2"]


def test_nothing_to_watch_is_nothing_to_read() -> None:
    rounds = Rounds(25.0, 10.0, 0.0)
    assert rounds.take({}, 3.0) is None
    rounds.wait(3.0)
    assert rounds.take(watched(1), 4.0) is None
    assert rounds.take(watched(1), 15.5) is not None
