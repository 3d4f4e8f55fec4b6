"""When a receiver counts as dead, and when it works again."""

from services.alerting.sending.condition import Condition
from services.alerting.sending.delivery import Answer


def test_one_that_was_never_asked_is_neither_well_nor_ill() -> None:
    condition = Condition()
    assert (condition.works, condition.ill(1e9)) == (False, None)


def test_it_is_ill_after_a_quarter_of_an_hour_of_nothing_but_failures() -> None:
    condition = Condition()
    condition.answered(Answer(500), 100.0)
    condition.answered(Answer(None, "could not connect"), 999.0)
    assert condition.ill(999.0) is None
    assert condition.ill(1000.0) == "failing"
    assert condition.problem.en == "could not connect"
    condition.answered(Answer(200), 1001.0)
    assert (condition.works, condition.ill(9000.0)) == (True, None)


def test_one_that_is_gone_stays_gone() -> None:
    condition = Condition()
    condition.answered(Answer(410), 0.0)
    assert condition.ill(0.0) == "gone"
    condition.answered(Answer(200), 1.0)
    assert (condition.works, condition.ill(1.0)) == (False, "gone")


def test_one_that_a_message_was_given_up_for_is_ill_until_it_takes_one() -> None:
    condition = Condition()
    condition.answered(Answer(500), 0.0)
    condition.gave_up = True
    assert condition.ill(1.0) == "given_up"
    condition.answered(Answer(204), 2.0)
    assert condition.ill(3.0) is None
