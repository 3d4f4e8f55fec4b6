"""Every settled target is read again in time, at a bounded rate, and evenly."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.channel_control.enforcing.rounds import Rounds
from services.channel_control.holding.target import Target


def watched(count: int, kind: str = "channel") -> dict[str, Target]:
    return {name: Target(name) for name in (f"{kind}:{number}" for number in range(count))}


def always(target: Target) -> bool:
    return True


def readings(
    rounds: Rounds, targets: dict[str, Target], until: float, *, slow_s: float = 0.0
) -> list[tuple[float, str]]:
    """When each was read, by a watcher who comes as soon as it is time, and has to wait so long for each answer."""
    found: list[tuple[float, str]] = []
    now = rounds.next_at
    while now < until:
        target = rounds.take(targets, now, always)
        if target is not None:
            found.append((now, target.name))
            now += slow_s
        now = max(now, rounds.next_at)
    return found


def longest_wait(read: list[tuple[float, str]], targets: dict[str, Target]) -> float:
    """Of any of them, from the beginning to its first reading or from one to the next."""
    before, longest = dict.fromkeys(targets, 0.0), 0.0
    for at, name in read:
        if name in before:
            longest, before[name] = max(longest, at - before[name]), at
    return max([longest, *(read[-1][0] - at for at in before.values())])


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


@given(
    selling=st.integers(1, 40),
    rest=st.integers(1, 150),
    kind=st.sampled_from(["promotion", "product"]),
    per_s=st.sampled_from([2.0, 5.0, 10.0]),
    slow_s=st.sampled_from([0.0, 0.3]),
)
def test_what_sells_waits_for_no_address_and_no_address_for_ever(
    selling: int, rest: int, kind: str, per_s: float, slow_s: float
) -> None:
    sells = watched(selling // 2, kind) | watched(selling - selling // 2)
    others = watched(rest, "actor")
    rate = min(per_s, 1 / slow_s) if slow_s else per_s
    round_s = max(10.0, selling / (0.9 * rate))
    others_round_s = max(10.0, rest / max(rate - selling / 10.0, 0.1 * rate))
    read = readings(Rounds(10.0, per_s), others | sells, 3 * max(round_s, others_round_s), slow_s=slow_s)
    assert longest_wait(read, sells) <= 1.1 * round_s + 2 / rate
    assert longest_wait(read, others) <= 1.1 * others_round_s + 2 / rate
    seconds = [later - first for (first, _), (later, _) in zip(read, read[int(per_s) :], strict=False)]
    assert min(seconds, default=1.0) >= 1 - 1 / per_s - 1e-6, "one more for whoever was late"


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


@pytest.mark.parametrize(("kind", "shut", "most"), [("channel", 200, 20_000), ("actor", 20_000, 80_000)])
def test_many_that_may_not_be_read_are_not_looked_through_for_each_that_may(kind: str, shut: int, most: int) -> None:
    open_, rounds, now, asked = watched(200, "promotion"), Rounds(4.0, 100.0), 0.0, 0
    targets = watched(shut, kind) | open_

    def may(target: Target) -> bool:
        nonlocal asked
        asked += 1
        return target.name in open_

    read: list[str] = []
    while now < 12.0:
        target = rounds.take(targets, now, may)
        read += [target.name] if target is not None else []
        now = max(now + 0.001, rounds.next_at)
    assert set(read) == set(open_)
    assert asked < most, "each once, then at most four thousand a second, and those that are read"
    again = {target.name for _ in range(2000) if (target := rounds.take(targets, (now := now + 0.01), always))}
    assert len(again - set(open_)) >= 200, "once they may be, their turn comes"


def test_who_comes_late_makes_up_for_it() -> None:
    targets, rounds, now, read = watched(100), Rounds(25.0, 10.0), 0.0, 0
    while now < 25.0:
        read += rounds.take(targets, now, always) is not None
        now = max(now, rounds.next_at) + 0.1
    assert 95 <= read <= 100
