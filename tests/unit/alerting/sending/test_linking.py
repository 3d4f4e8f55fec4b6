"""The links of a message: the same in its repeats, never for long, and none to acknowledge what is over."""

from services.alerting.sending.linking import Linker
from services.runtime.http.signed_notes import unseal
from tests.unit.alerting.receivers.samples import alert, notice

KEY = b"k" * 32
LINKER = Linker("https://tidegate.example", KEY, 86_400)
OPENED = notice(alert())
DECIDED = OPENED.due.decided_ms / 1000


def test_they_say_which_alert_and_who_was_asked() -> None:
    links = LINKER.links(OPENED.due, OPENED.message, DECIDED)
    assert links.acknowledge is not None
    said = unseal(KEY, links.acknowledge.rpartition("/")[2], DECIDED)[1]
    assert said == ("ack", OPENED.due.alert_id, "default")
    assert unseal(KEY, links.alert.rpartition("/")[2], DECIDED)[1] == ("alert", OPENED.due.alert_id)


def test_a_repeat_has_the_same_and_one_that_comes_late_is_still_good() -> None:
    first = LINKER.links(OPENED.due, OPENED.message, DECIDED)
    assert LINKER.links(OPENED.due, OPENED.message, DECIDED + 3599) == first
    for late in (0, 7200, 10 * 86_400 + 1800):
        links = LINKER.links(OPENED.due, OPENED.message, DECIDED + late)
        expires, _ = unseal(KEY, links.alert.rpartition("/")[2], DECIDED + late)
        assert 86_400 - 3600 < expires - (DECIDED + late) <= 86_400


def test_what_is_over_or_taken_need_not_be_acknowledged() -> None:
    for state in (alert(status="resolved"), alert(acknowledged_by="li")):
        told = notice(state)
        assert LINKER.links(told.due, told.message, DECIDED).acknowledge is None


def test_the_key_is_not_shown() -> None:
    assert "kkkk" not in repr(LINKER)
