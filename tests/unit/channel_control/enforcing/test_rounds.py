"""Every settled target is read again in time, at a bounded rate, and evenly."""

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.channel_control.enforcing.rounds import Rounds
from services.channel_control.holding.target import Target


def watched(count: int) -> dict[str, Target]:
    return {f"channel:{number}": Target(f"channel:{number}") for number in range(count)}


def always(target: Target) -> bool:
    return True


def readings(rounds: Rounds, targets: dict[str, Target], until: float) -> list[tuple[float, str]]:
    """When each was read, by a watcher who comes as soon as it is time."""
    found: list[tuple[float, str]] = []
    now = rounds.next_at
    while now < until:
        target = rounds.take(targets, now, always)
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
    assert rounds.take(targets, 0.0, always) == targets["channel:0"]
    assert rounds.take(targets, 1.0, always) is None, "it is not time"
    del targets["channel:1"]
    assert rounds.take(targets, 9.0, always) == targets["channel:2"]


def test_nothing_to_watch_is_nothing_to_read() -> None:
    rounds = Rounds(25.0, 10.0, 0.0)
    assert rounds.take({}, 3.0, always) is None
    rounds.wait(3.0)
    assert rounds.take(watched(1), 4.0, always) is None
    assert rounds.take(watched(1), 15.5, always) is not None


def test_what_may_not_be_read_holds_nobody_up_and_goes_first_afterwards() -> None:
    targets, rounds = watched(4), Rounds(4.0, 10.0)
    names = [f"channel:{number}" for number in range(4)]

    def may(target: Target) -> bool:
        return target.name not in names[:2]

    read = [target.name for at in range(40) if (target := rounds.take(targets, at / 4, may)) is not None]
    assert read[:4] == [names[2], names[3]] * 2, "the others go on in their rounds"
    later = [rounds.take(targets, 20.0 + at, always) for at in range(2)]
    assert [target.name for target in later if target] == names[:2]


def test_many_that_may_not_be_read_are_not_looked_through_for_each_that_may() -> None:
    targets, rounds, now, asked = watched(400), Rounds(4.0, 100.0), 0.0, 0
    shut = set(list(targets)[:200])

    def may(target: Target) -> bool:
        nonlocal asked
        asked += 1
        return target.name not in shut

    read: list[str] = []
    while now < 12.0:
        target = rounds.take(targets, now, may)
        read += [target.name] if target is not None else []
        now = max(now + 0.001, rounds.next_at)
    assert set(read) == set(targets) - shut
    assert asked < 20_000, "some eight hundred a second, and those that are read"


def test_who_comes_late_makes_up_for_it() -> None:
    targets, rounds, now, read = watched(100), Rounds(25.0, 10.0), 0.0, 0
    while now < 25.0:
        read += rounds.take(targets, now, always) is not None
        now = max(now, rounds.next_at) + 0.1
    assert 95 <= read <= 100
