"""People are told once of a receiver that is dead or that nobody has, and once that it is well."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.base import Bilingual
from services.alerting.sending.condition import Condition, Ill
from services.alerting.sending.delivery import Answer
from services.alerting.watching import receiver_watch
from services.alerting.watching.receiver_watch import (
    FORGET_S,
    Look,
    Standing,
    Trouble,
    new_troubles,
    opened,
    over,
    resolved,
)
from services.runtime.murmur import partition_of

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def condition(*answers: Answer) -> Condition:
    """Of a receiver that has answered so, a second apart."""
    found = Condition()
    for second, answer in enumerate(answers):
        found.answered(answer, float(second))
    return found


ANSWERED_410 = Bilingual(en="answered 410", zh="返回 410")
ANSWERED_500 = Bilingual(en="answered 500", zh="返回 500")
WELL, GONE, FAILING = condition(Answer(200)), condition(Answer(410)), condition(Answer(500))


def look(now: float = 1000.0, unknown: dict[str, float] | None = None, **conditions: Condition) -> Look:
    """What is seen."""
    return Look(conditions, unknown or {}, now)


def standing(name: str, kind: str = "dead_receiver") -> Standing:
    """An alert that is open."""
    return Standing("a" * 32, kind, name, told=0)


def test_each_is_told_of_once() -> None:
    seen = look(chat=GONE, pager=WELL, mail=FAILING, unknown={"nobody": 1.0})
    assert new_troubles(seen, []) == [
        Trouble("dead_receiver", "chat", "gone", ANSWERED_410),
        Trouble("dead_receiver", "mail", "failing", ANSWERED_500),
        Trouble("unknown_receiver", "nobody"),
    ]
    told = [standing("chat"), standing("mail"), standing("nobody", "unknown_receiver")]
    assert new_troubles(seen, told) == []


def test_a_hiccup_is_not_told_of() -> None:
    assert new_troubles(look(now=800.0, chat=FAILING), []) == []


def test_it_is_over_when_a_message_was_taken_and_not_before_anything_was_tried() -> None:
    dead = standing("chat")
    assert over(look(chat=WELL), [dead], 10.0) == [dead]
    assert over(look(chat=FAILING), [dead], 10.0) == []
    assert over(look(chat=Condition()), [dead], 10.0) == [], "after a restart"


def test_what_nobody_is_called_is_over_when_somebody_is_or_nothing_goes_there() -> None:
    alert = standing("nobody", "unknown_receiver")
    assert over(look(nobody=Condition()), [alert], 10.0) == [alert]
    assert over(look(unknown={"nobody": FORGET_S - 1}), [alert], 9999.0) == []
    assert over(look(unknown={"nobody": FORGET_S}), [alert], 9999.0) == [alert]
    assert over(look(), [alert], FORGET_S - 1) == [], "after a restart"
    assert over(look(), [alert], FORGET_S) == [alert]
    assert new_troubles(look(unknown={"nobody": FORGET_S}), []) == []


@pytest.mark.parametrize("ill", ["gone", "given_up", "failing", None])
def test_an_alert_says_in_both_languages_what_to_do(ill: Ill | None) -> None:
    trouble = Trouble("dead_receiver" if ill else "unknown_receiver", "chat", ill, ANSWERED_500)
    fact = opened(trouble, NOW, partition=1, partitions=2)
    assert partition_of(fact.alert_id.encode(), 2) == 1
    assert fact.subject == "receiver:chat"
    assert fact.title is not None
    assert fact.summary is not None
    assert "chat" in fact.title.en
    assert "chat" in fact.title.zh
    assert "{" not in fact.summary.en + fact.summary.zh
    path, _, anchor = str(fact.runbook).partition("#")
    assert f"\n## {anchor}\n" in (Path(receiver_watch.__file__).parents[3] / path).read_text("utf-8")


def test_the_end_says_why() -> None:
    def said(alert: Standing, seen: Look) -> str:
        fact = resolved(alert, seen, NOW)
        assert (fact.seq, fact.status) == (1, "resolved")
        return fact.summary.en if fact.summary else ""

    assert said(standing("chat"), look(chat=WELL)) == "It takes messages again."
    assert said(standing("x", "unknown_receiver"), look(x=WELL)) == "There is a receiver of that name now."
    assert said(standing("x", "unknown_receiver"), look()).startswith("Nothing has been due")
