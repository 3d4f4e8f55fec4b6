"""A frozen process is found out."""

from __future__ import annotations

from services.runtime.machines.pulse import Pulse, safe_pause


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_before_the_first_beat_nothing_is_lost() -> None:
    clock = Clock()
    pulse = Pulse(6, clock)
    clock.now += 60
    assert pulse.pause() == 0
    assert pulse.beat() == 0


def test_a_pause_shows_until_the_next_beat() -> None:
    clock = Clock()
    pulse = Pulse(6, clock)
    pulse.beat()
    clock.now += 7
    assert pulse.lost(pulse.pause())
    assert pulse.lost(pulse.beat())
    assert not pulse.lost(pulse.pause())


def test_a_short_pause_is_none() -> None:
    clock = Clock()
    pulse = Pulse(6, clock)
    pulse.beat()
    clock.now += 6
    assert not pulse.lost(pulse.beat())


def test_a_safe_pause_ends_within_the_session_wherever_it_began() -> None:
    assert safe_pause(10, 3) == 6  # the last heartbeat was up to 3 s before the pause
    assert safe_pause(45, 15) == 29
    assert safe_pause(3, 2) == 1
