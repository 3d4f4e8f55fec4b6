import pytest

from services.runtime.health import Health, PartState


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health(clock)


def verdict(health: Health) -> tuple[bool, bool]:
    return health.live(), health.ready()


def test_an_empty_process_is_live_and_not_ready(health: Health) -> None:
    assert verdict(health) == (True, False)


def test_a_part_is_not_ready_before_it_says_so(health: Health) -> None:
    part = health.part("producer")
    assert health.states() == [PartState("producer", live=True, ready=False, reason="starting")]
    part.ok()
    assert verdict(health) == (True, True)


def test_waiting_needs_no_restart_and_broken_does(health: Health) -> None:
    part = health.part("broker")
    part.wait("Kafka does not answer")
    assert verdict(health) == (True, False)
    part.broken("fenced")
    assert verdict(health) == (False, False)
    assert health.states()[0].reason == "fenced"


def test_one_sick_part_is_enough(health: Health) -> None:
    health.part("a").ok()
    health.part("b").wait("no roster yet")
    assert verdict(health) == (True, False)
    health.drop("b")
    assert verdict(health) == (True, True)


def test_a_position_that_stands_short_of_its_target_is_a_stall(health: Health, clock: Clock) -> None:
    part = health.part("frames.channel/0", stall_after=30)
    part.progress(10, 40)
    clock.now = 29
    part.progress(10, 60)
    assert verdict(health) == (True, True)
    clock.now = 31
    part.progress(10, 80)
    assert verdict(health) == (False, False)
    assert health.states()[0].reason == "no progress for 31 s (at 10 of 40)"
    part.progress(11, 80)
    assert verdict(health) == (True, True)


def test_an_idle_part_that_has_arrived_is_well(health: Health, clock: Clock) -> None:
    part = health.part("frames.channel/0", stall_after=30)
    for clock.now in range(0, 300, 20):
        part.progress(40, 40)
        assert verdict(health) == (True, True)


def test_silence_is_a_stall_too(health: Health, clock: Clock) -> None:
    health.part("marks", stall_after=5).ok()
    clock.now = 6
    assert verdict(health) == (False, False)


def test_a_start_that_takes_too_long_is_a_stall(health: Health, clock: Clock) -> None:
    health.part("load", stall_after=60)
    clock.now = 61
    assert health.states()[0].reason == "no progress for 61 s (starting)"


def test_waiting_aloud_is_no_stall(health: Health, clock: Clock) -> None:
    part = health.part("broker", stall_after=30)
    for clock.now in range(0, 300, 20):
        part.wait("Kafka does not answer")
    assert verdict(health) == (True, False)


def test_the_same_position_after_a_wait_counts_as_going_on(health: Health, clock: Clock) -> None:
    part = health.part("p", stall_after=30)
    part.progress(10, 40)
    clock.now = 20
    part.wait("Kafka does not answer")
    clock.now = 45
    part.progress(10, 40)
    assert verdict(health) == (True, True)


def test_a_part_of_the_same_name_starts_anew(health: Health) -> None:
    health.part("p").broken("lost")
    health.part("p")
    assert verdict(health) == (True, False)
