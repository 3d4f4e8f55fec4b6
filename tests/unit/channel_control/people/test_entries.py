"""Who signs in and out: into the audit, and nothing else."""

import pytest

from tests.unit.channel_control.one_log import Log, outcome
from tests.unit.channel_control.orders import hex_id, order, persons, said


@pytest.mark.parametrize("word", ["sign_in", "sign_out"])
def test_it_is_in_the_audit_with_its_session_and_nothing_else_happens(word: str) -> None:
    outputs = Log().give(persons(1, word, target="person:li", session=hex_id(7), note="by password"))
    (audit,) = said(outputs, "audit")
    assert (audit["who"], audit["what"], audit["target"], audit["outcome"]) == (
        "person:li",
        word,
        "person:li",
        "recorded",
    )
    assert (audit["why"], audit["detail"]["session"]) == ("by password", hex_id(7))
    assert len(outputs) == 1


def test_a_failure_is_for_the_console_to_tell() -> None:
    failure = order(1, "sign_in_failed", target="person:li", issued_by="console", maturity=None, evidence=None)
    assert outcome(Log().give(failure))[0] == "recorded"
    assert outcome(Log().give(persons(1, "sign_in_failed", target="person:li")))[0] == "refused"


@pytest.mark.parametrize(("word", "target"), [("sign_in", "person:wang"), ("sign_out", "channel:a")])
def test_nobody_speaks_for_another(word: str, target: str) -> None:
    assert outcome(Log().give(persons(1, word, target=target)))[0] == "refused"


def test_the_console_orders_nothing() -> None:
    assert outcome(Log().give(order(1, "pause", issued_by="console")))[0] == "refused"
