"""Of the oracle: what opens by itself, how far in each step, and how long after the step before.

The story keeps its incidents apart, so that each is over for good, and most of them long before its end.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

from tests.oracle.facts import Event, Trip, seconds

Document = dict[str, Any]
HOUR_SECONDS, MINUTE = 3600, 60
CLEAR_SECONDS = 300
"""For so long after its minute an address must be calm."""
GRACE_SECONDS = 400
"""More than a pane and the grace after which it closes."""
WAIT_SECONDS, WATCH_SECONDS = 3, 4
STEPS = [0.25, 0.5, 1.0]
RESUMES: dict[str, Document] = {
    "search_divergence": {"steps": STEPS, "wait": f"{WAIT_SECONDS}s", "watch": f"{WATCH_SECONDS}s"},
    "click_fraud": {"wait": f"{WAIT_SECONDS}s", "watch": f"{WATCH_SECONDS}s"},
    "complaint_flood": {"auto": False},
    "cac_spike": {"auto": False},
}
"""What the policy of a run says of resuming: two kinds of holds open within seconds, the others need a person."""


def opened(events: list[Event], trips: set[Trip], frozen: set[str]) -> dict[str, list[float]]:
    """Every target that opens again, to which shares of its traffic; an address or an account opens at once. frozen:
    accounts."""
    last = max(map(seconds, events))
    found: dict[str, list[float]] = {}
    for indicator, subject, command, target, _ in trips:
        if (indicator, command) == ("search_divergence", "pause") and _searched_less(subject, events, last):
            found[target] = STEPS
        if (indicator, command) == ("click_fraud", "freeze"):
            clicks = [each for each in events if each.get("ip") == subject.removeprefix("actor:")]
            if max(map(seconds, clicks)) + MINUTE + CLEAR_SECONDS + GRACE_SECONDS < last:
                accounts = {each["account_id"] for each in clicks} & frozen
                found |= {each: [1.0] for each in (target, *(f"account:{account}" for account in accounts))}
    return found


def _searched_less(subject: str, events: list[Event], last: float) -> bool:
    """Whether for half an hour less than 90 % of twice the usual was searched for. The story counts by the hour."""
    mine = [e for e in events if e["type"] == "search" and f"product:{e.get('product_id')}" == subject]
    hours = sorted({seconds(each) for each in mine})
    counts = {at: sum(each["count"] for each in mine if seconds(each) == at) for at in hours}
    hot = [at for at in hours[24:] if counts[at] * 24 >= 1.8 * sum(counts[h] for h in hours if at - 86_400 <= h < at)]
    return hot[-1] + HOUR_SECONDS + HOUR_SECONDS / 2 + GRACE_SECONDS < last


def ramps_missed(audit: list[Document], expected: dict[str, list[float]]) -> Iterator[str]:
    """Each ramp took every step once, in order and never early; nothing else opened."""
    begun = {each["target"] for each in audit if each["what"] == "due"}
    yield from (f"{target} was opened" for target in sorted(begun - expected.keys()))
    for target, steps in sorted(expected.items()):
        mine = [e for e in audit if e["target"] == target and e["outcome"] == "done" and e["what"] in ("eased", "due")]
        words, left = [each["what"] for each in mine], [each["detail"]["left"] for each in mine]
        if words != ["eased", *["due"] * (len(steps) + 1)] or left != [0.0, *steps, 1.0]:
            yield f"the ramp of {target} was {list(zip(words, left, strict=True))}, must be {steps}"
        for number, (one, other) in enumerate(pairwise(datetime.fromisoformat(each["at"]) for each in mine)):
            if (other - one).total_seconds() < (WATCH_SECONDS if number else WAIT_SECONDS):
                yield f"step {number + 1} of the ramp of {target} came {other - one} after the one before"
