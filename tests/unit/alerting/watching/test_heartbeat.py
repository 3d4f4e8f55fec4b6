"""The outside watchdog hears of us only while we get on."""

from services.alerting.sending.condition import Condition
from services.alerting.sending.delivery import Answer
from services.alerting.watching.heartbeat import Progress, reaches_anybody


def test_getting_on_is_to_have_applied_what_was_there_a_look_ago() -> None:
    progress = Progress()
    assert not progress.look({0: 10, 1: 5}, {0: 10, 1: 5}), "nothing is known of the first look"
    assert progress.look({0: 20, 1: 5}, {0: 12, 1: 5})
    assert not progress.look({0: 30, 1: 5}, {0: 19, 1: 5})
    assert progress.look({0: 30, 1: 5}, {0: 30, 1: 5})


def test_a_partition_that_was_taken_over_just_now_is_looked_at_from_then_on() -> None:
    progress = Progress()
    progress.look({0: 10}, {0: 10})
    assert progress.look({0: 10, 1: 100}, {0: 10, 1: 0})
    assert not progress.look({0: 10, 1: 100}, {0: 10, 1: 99})
    assert progress.look({0: 10}, {0: 10}), "one that was given up is no longer ours"


def test_when_every_receiver_is_dead_silence_is_the_alarm() -> None:
    gone, fresh = Condition(), Condition()
    gone.answered(Answer(410), 0.0)
    assert not reaches_anybody([gone], 0.0)
    assert reaches_anybody([gone, fresh], 0.0)
    assert reaches_anybody([], 0.0), "where nobody is to be told, nobody can be missed"
