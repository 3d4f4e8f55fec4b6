"""What a person on call reads of the orders that had to ask, whatever became of them."""

from typing import Any

import pytest

from schemas.alerts import AlertState
from services.alerting.merge import Merged, merge, state
from tests.unit.alerting.facts import ALERTS, action, fact, opening

ASKED = {
    "en": "2.5% complaints per purchase. Waiting for your approval: throttle channel:douyin to 50%.",
    "zh": "每笔购买投诉率 2.5%。等待人工批准：对 channel:douyin 限流至 50%。",
}
OVER = {"en": "Over at 12:00, now at 1.0%.", "zh": "12:00 已恢复，当前值 1.0%。"}


def alert(*actions: dict[str, Any], over: bool = False) -> AlertState:
    facts = [opening(summary=ASKED), fact(0, "channel_control:0", actions=list(actions))]
    if over:
        facts.append(fact(1, status="resolved", summary=OVER))
    whole = Merged()
    for one in facts:
        whole = merge(whole, one) or whole
    found = state(ALERTS[0], whole)
    assert found is not None
    return found


def said(*actions: dict[str, Any], over: bool = False) -> tuple[str, str]:
    """What stands behind the indicator's words, in both languages."""
    summary, words = alert(*actions, over=over).summary, OVER if over else ASKED
    assert summary.en.startswith(words["en"]) and summary.zh.startswith(words["zh"])
    return summary.en.removeprefix(words["en"]), summary.zh.removeprefix(words["zh"])


WAITS = (action("ordered"), action("waiting", 1))


def test_what_waits_is_said_by_the_indicator_itself() -> None:
    assert said(*WAITS) == ("", "")


LI, WU = {"by": "person:li"}, {"by": "person:wu"}


@pytest.mark.parametrize(
    ("actions", "en", "zh"),
    [
        ([action("granted", 2, **LI)], "Approved by li", "li 已批准"),
        ([action("granted", 2, **LI), action("confirmed", 3)], "Approved by li", "li 已批准"),
        ([action("rejected", 2, **LI)], "Rejected by li, so not done", "li 已驳回，未执行"),
        ([action("expired", 2)], "Not done, since nobody decided in time", "逾期无人审批，未执行"),
        ([action("replaced", 2)], "No longer asked, since what it was about has changed", "情况已变，无需再批"),
        ([action("granted", 2, **LI), action("lifted", 3, **WU)], "Lifted by wu", "wu 已解除"),
    ],
)
@pytest.mark.parametrize("over", [False, True])
def test_the_answer_stands_behind_the_question_and_at_the_end(
    actions: list[dict[str, Any]], en: str, zh: str, over: bool
) -> None:
    expected = (f" {en}: throttle channel:douyin.", f"{zh}：对 channel:douyin 限流。")
    assert said(*WAITS, *actions, over=over) == expected


def test_what_still_waits_when_all_is_over_is_said_then() -> None:
    assert said(*WAITS, over=True) == (
        " Not done, still waiting for approval: throttle channel:douyin.",
        "未执行，仍待批准：对 channel:douyin 限流。",
    )


def test_a_new_question_takes_the_place_of_the_old_answer() -> None:
    assert said(*WAITS, action("rejected", 2, by="person:li"), action("ordered", 3), action("waiting", 4)) == ("", "")


def test_an_order_that_asked_nobody_is_not_spoken_of() -> None:
    assert said(action("ordered"), action("confirmed", 1), action("lifted", 2, by="person:li"), over=True) == ("", "")


def test_many_answers_of_one_kind_are_one_sentence() -> None:
    frozen = [{"what": "freeze", "target": f"account:{n}"} for n in range(5)]
    waits = [action("waiting", 1, **each) for each in frozen]
    granted = [action("granted", 2 + n, by="person:li", **each) for n, each in enumerate(frozen[:4])]
    expired = action("expired", 9, by="reconciler", **frozen[4])
    assert said(*waits, *granted, expired) == (
        " Approved by li: freeze account:0 and 3 more. Not done, since nobody decided in time: freeze account:4.",
        "li 已批准：冻结 account:0 等 4 个对象。逾期无人审批，未执行：冻结 account:4。",
    )


def test_a_word_without_a_phrase_is_called_by_its_name() -> None:
    assert said(action("rejected", what="dim {x}", by="person:{y}"))[0] == (
        " Rejected by {y}, so not done: dim {x} channel:douyin."
    )
