"""Answers to complaints, counted for people's figures: how long each had waited, and whether that was in time."""

from typing import Final

from services.indicators.readings.tallies import Tallies, scopes_of
from services.indicators.rules.complaint_sla import ComplaintSlaLimits
from services.indicators.subjects.cases import ComplaintStore, ComplaintView, Opening
from services.indicators.verdicts.tuning import InForce

_RULE: Final = "complaint_sla"


def count_answers(store: ComplaintStore, policy: InForce | None) -> None:
    """Counts the complaints that have been settled since the last call, by the deadlines of the policy in force; as
    long as there is none, nothing is counted."""
    settled = store.take_settled()
    if policy is None:
        return
    for name, opening, answered_ms in settled:
        tuned = policy.find(_RULE, "", f"complaint:{name}")
        limits = tuned.limits if tuned is not None else None
        if not isinstance(limits, ComplaintSlaLimits):
            limits = ComplaintSlaLimits()
        view = ComplaintView(opening, answered_ms, policy.around)
        in_time = view.waited_ms(answered_ms, limits.basis) < limits.limit_ms(opening.kind)
        _count(store.tallies, opening, answered_ms, in_time=in_time)


def _count(tallies: Tallies, opening: Opening, answered_ms: int, *, in_time: bool) -> None:
    for scope, name in scopes_of(opening.channel, opening.product):
        tallies.add(answered_ms, scope, name, "answered")
        tallies.add(answered_ms, scope, name, "answered_in_time", in_time)
        tallies.add(answered_ms, scope, name, "answer_seconds", max(answered_ms - opening.at_ms, 0) // 1000)
