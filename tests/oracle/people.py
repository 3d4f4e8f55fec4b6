"""What people do while the morning runs: the script, and what must come of it. Imports nothing from the services.

Times are seconds of the wall clock from the beginning, since what people order lives by that, whatever time the story
tells.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Document = dict[str, Any]
Standing = tuple[str, float]
"""A target's status and the share of traffic that is left."""
STATUS = {"throttle": "throttled", "pause": "paused", "freeze": "frozen", "take_down": "taken_down"}
"""From the mildest on."""


@dataclass(frozen=True)
class Stop:
    """What a person stops, on a target that is nobody else's, and for how long; None: until someone lifts it."""

    word: str
    target: str
    after: float
    lasts: float | None = None
    factor: float | None = None


@dataclass(frozen=True)
class Answer:
    """The yes or no to what an indicator asks for on a channel, and what its alert says of that."""

    word: str
    target: str
    indicator: str
    said: str


STOPS = (
    Stop("pause", "channel:c1", after=3, lasts=25),
    Stop("throttle", "channel:c2", after=5, lasts=35, factor=0.5),
    Stop("pause", "channel:c3", after=7),
    Stop("throttle", "channel:c4", after=9, factor=0.3),
    Stop("freeze", "channel:c4", after=11, lasts=25),
    Stop("throttle", "channel:c5", after=13, lasts=40, factor=0.7),
    Stop("pause", "channel:c5", after=15, lasts=25),
)
ANSWERS = (
    Answer("approve", "channel:dear-0", "cac_spike", "granted"),
    Answer("reject", "channel:dear-2", "cac_spike", "rejected"),
)
LIFTED = ("complaint_volume", "channel:volume-1")
"""Whose guardrail somebody asks to lift, and two others agree. It trips once only, so it stays lifted."""
ANSWERED: dict[str, Standing] = {"channel:dear-0": ("throttled", 0.5), LIFTED[1]: ("running", 1.0)}
"""What the answers change: of what is asked for, the policy leaves half; a no changes nothing."""
ACKNOWLEDGED = ("complaint_volume", "channel:volume-1")
OPERATOR = "demo-operator"


def stopped() -> dict[str, Standing]:
    """Targets of people's stops as they stand in the end: by the strictest of those that have no end."""
    found: dict[str, Standing] = {}
    for stop in sorted(STOPS, key=lambda each: list(STATUS).index(each.word)):
        found.setdefault(stop.target, ("running", 1.0))
        if stop.lasts is None:
            found[stop.target] = (STATUS[stop.word], 0.0 if stop.factor is None else stop.factor)
    return found


def answers_to(indicator: str, subject: str) -> list[str]:
    """What the alert of an indicator about a channel has to say of people's answers."""
    lifted = ["granted"] if (indicator, subject) == LIFTED else []
    return lifted + [each.said for each in ANSWERS if (each.indicator, each.target) == (indicator, subject)]


def orders_missed(audit: list[Document], ends: Mapping[Stop, datetime]) -> Iterator[str]:
    """Each order was done once, and what had an end was lifted once, not before it. ends: as they were ordered."""
    for stop in STOPS:
        done = [each for each in _done(audit, stop.target, stop.word) if each["who"].startswith("person:")]
        if len(done) != 1:
            yield f"{stop} was done {len(done)} times"
            continue
        lifted = [each for each in _done(audit, stop.target, "expired") if set(each["holds"]) & set(done[0]["holds"])]
        if len(lifted) != (stop.lasts is not None):
            yield f"{stop} was lifted {len(lifted)} times"
        elif lifted and datetime.fromisoformat(lifted[0]["at"]) < ends[stop]:
            yield f"{stop} was lifted at {lifted[0]['at']}, ahead of {ends[stop]}"
    for answer in ANSWERS:
        if len(_done(audit, answer.target, answer.word)) != 1:
            yield f"{answer} was done {len(_done(audit, answer.target, answer.word))} times"
    lifting = [(e["what"], e["outcome"]) for e in audit if e["target"] == LIFTED[1] and e["who"].startswith("person:")]
    taken = [each for each in lifting if each[0] in ("resume", "approve") and each[1] != "refused"]
    if taken != [("resume", "waiting"), ("approve", "waiting"), ("approve", "done")]:
        yield f"the pause of {LIFTED[1]} was lifted by {taken}"


def _done(audit: list[Document], target: str, word: str) -> list[Document]:
    return [e for e in audit if (e["target"], e["what"], e["outcome"]) == (target, word, "done")]
