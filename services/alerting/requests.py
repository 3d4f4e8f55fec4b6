"""Orders of an alert that had to ask a person: what became of them, as people read it behind the alert's summary.

The summary is the indicator's and says what was asked when it was written; the answers come later and from elsewhere.
"""

from collections.abc import Iterable
from typing import Final

from schemas.alerts import ActionState, ActionTaken
from schemas.base import Bilingual, Instant
from schemas.wording import phrase

_DECISIONS: Final = frozenset[ActionState]({"granted", "rejected", "expired"})
_OF_REQUESTS: Final = _DECISIONS | {"waiting", "replaced"}
"""States that only an order which had to ask comes to."""

_SAID: Final[dict[ActionState, tuple[str, str]]] = {
    "granted": ("Approved by {by}: {what}.", "{by} 已批准：{what}。"),
    "rejected": ("Rejected by {by}, so not done: {what}.", "{by} 已驳回，未执行：{what}。"),
    "expired": ("Not done, since nobody decided in time: {what}.", "逾期无人审批，未执行：{what}。"),
    "replaced": ("No longer asked, since what it was about has changed: {what}.", "情况已变，无需再批：{what}。"),
    "lifted": ("Lifted by {by}: {what}.", "{by} 已解除：{what}。"),
}
_STILL_WAITING: Final = ("Not done, still waiting for approval: {what}.", "未执行，仍待批准：{what}。")


def answers(actions: Iterable[ActionTaken], *, over: bool) -> Bilingual:
    """What became of what was asked. What still waits is named once the alert is `over`; before, its summary does."""
    said = _SAID | {"waiting": _STILL_WAITING} if over else _SAID
    groups: dict[tuple[ActionState, str, str], list[str]] = {}
    for last in _requests(actions):
        if last.state in said:
            groups.setdefault((last.state, last.by.removeprefix("person:"), last.what), []).append(last.target)
    en, zh = (
        [
            said[state][language].format(by=by, what=phrase(what, targets, language))
            for (state, by, what), targets in groups.items()
        ]
        for language in (0, 1)
    )
    return Bilingual(en=" ".join(en), zh="".join(zh))


def any_waits(actions: Iterable[ActionTaken]) -> bool:
    """Whether a person is still asked for anything."""
    return any(last.state == "waiting" for last in _requests(actions))


def decided_at(actions: Iterable[ActionTaken]) -> Instant | None:
    """When a request was last approved, rejected, or expired."""
    return max((action.at for action in actions if action.state in _DECISIONS), default=None)


def _requests(actions: Iterable[ActionTaken]) -> list[ActionTaken]:
    """How far each order has come that had to ask: the last step that says whether it stands."""
    last: dict[tuple[str, str], ActionTaken] = {}
    asked: set[tuple[str, str]] = set()
    for action in actions:
        place = (action.what, action.target)
        if action.state in _OF_REQUESTS:
            asked.add(place)
        if action.state in _OF_REQUESTS or action.state in ("ordered", "lifted"):
            last[place] = action
    return [action for place, action in last.items() if place in asked]
