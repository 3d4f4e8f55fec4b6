"""What must come out of a scenario: computed straight from its events, with none of the services' code.

Slow and plain on purpose. Figures are those of the default policy.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.oracle import truth_comparisons, truth_complaints, truth_others
from tests.oracle.facts import Event, Trip, levels, seconds
from tests.oracle.scenario import Sent

PANE_SECONDS = 300
CLICK_PANE_SECONDS = 5
MEASURE = {
    "spend": "spend_micros",
    "impression": "impressions",
    "click": "clicks",
    "search": "searches",
    "engagement": "engagements",
}
STAGE = {"lead": "leads", "account_opened": "accounts_opened", "purchase": "purchases"}


@dataclass(frozen=True)
class Ledger:
    """How the records of one topic end."""

    read: int
    valid: int
    duplicate: int
    dead: int


def ledger(records: Iterable[Sent]) -> dict[str, Ledger]:
    """Per raw topic: read, valid, duplicate, dead."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for sent in records:
        counts[sent.topic]["read"] += 1
        counts[sent.topic]["dead" if sent.event is None else "duplicate" if sent.duplicate else "valid"] += 1
    return {topic: Ledger(c["read"], c["valid"], c["duplicate"], c["dead"]) for topic, c in counts.items()}


def unique_events(records: Iterable[Sent]) -> list[Event]:
    """Every valid event once."""
    return [sent.event for sent in records if sent.event is not None and not sent.duplicate]


def pane_totals(events: Iterable[Event]) -> dict[tuple[str, int, str], int]:
    """`(channel, start of the pane in seconds, measure)` to its total."""
    totals: Counter[tuple[str, int, str]] = Counter()
    for event in events:
        measure = STAGE[event["stage"]] if event["type"] == "conversion" else MEASURE.get(event["type"])
        if measure is None:
            continue
        pane = int(seconds(event)) // PANE_SECONDS * PANE_SECONDS
        amount = round(event["amount"] * 1_000_000) if event["type"] == "spend" else event.get("count", 1)
        totals[event["channel_id"], pane, measure] += amount
    return {key: total for key, total in totals.items() if total}


def _capped(complaints: list[Event], key: str) -> int:
    people = Counter(c[key] for c in complaints if c.get(key) is not None)
    return sum(min(3, n) for n in people.values()) + sum(1 for c in complaints if c.get(key) is None)


def complaint_count(complaints: list[Event], threshold: float = 20) -> float:
    """How many complaints count: capped per person, and anonymous clicks at most half of the threshold."""
    anonymous = [c for c in complaints if c["entry"] == "one_click" and c.get("account_id") is None]
    others = [c for c in complaints if c not in anonymous]
    allowed = anonymous[: int(threshold // 2)]
    return min(_capped(others + allowed, "account_id"), _capped(others + allowed, "ip"))


def _worst_days(events: list[Event]) -> dict[str, float]:
    """By channel, the complaints that count on its worst business day in Shanghai."""
    days: dict[tuple[str, object], list[Event]] = defaultdict(list)
    for event in (e for e in events if e["type"] == "complaint_opened"):
        day = (datetime.fromisoformat(event["occurred_at"]) + timedelta(hours=8)).date()
        days[event["channel_id"], day].append(event)
    worst: dict[str, float] = defaultdict(float)
    for (channel, _), complaints in days.items():
        worst[f"channel:{channel}"] = max(worst[f"channel:{channel}"], complaint_count(complaints))
    return worst


def complaint_volume(events: list[Event]) -> set[Trip]:
    """Pauses for the complaints of a business day; a scenario has one day."""
    return {
        ("complaint_volume", channel, "pause", channel, level)
        for channel, count in _worst_days(events).items()
        for level in levels(count, 20)
    }


def _fewer(count: float, usual: float) -> float:
    """The chance of fewer than so many, where so many are usual: the sum of a Poisson distribution."""
    return sum(math.exp(n * math.log(usual) - usual - math.lgamma(n + 1)) for n in range(int(count)))


def complaint_rate(events: list[Event]) -> set[Trip]:
    """Throttles and pauses for complaints per purchase, judged at the end of every pane; silence is not considered."""
    complaints: dict[str, list[Event]] = defaultdict(list)
    purchases: dict[str, list[float]] = defaultdict(list)
    for event in events:
        if event["type"] == "complaint_opened":
            complaints[event["channel_id"]].append(event)
        elif event.get("stage") == "purchase":
            purchases[event["channel_id"]].append(seconds(event))
    last = max(map(seconds, events))
    trips: set[Trip] = set()
    for channel, opened in complaints.items():
        end = min(map(seconds, opened)) // PANE_SECONDS * PANE_SECONDS
        while end <= last:
            end += PANE_SECONDS
            count = complaint_count([c for c in opened if seconds(c) < end])
            bought = sum(1 for at in purchases[channel] if at < end)
            if count < 5 or bought < 100:
                continue
            target = f"channel:{channel}"
            if count / bought >= 0.05 and _fewer(count, 0.02 * bought) >= 0.99:
                trips.add(("complaint_rate", target, "pause", target, 2))
            elif count / bought >= 0.02:
                trips.add(("complaint_rate", target, "throttle", target, 1))
    return trips


def click_fraud(events: list[Event]) -> set[Trip]:
    """Freezes for bursts of clicks: the address, and each account with at least 20 of the clicks."""
    clicks: dict[str, list[Event]] = defaultdict(list)
    for event in (e for e in events if e["type"] == "click" and e.get("ip")):
        clicks[event["ip"]].append(event)
    trips: set[Trip] = set()
    for ip, mine in clicks.items():
        if len(mine) < 100:
            continue
        for end in {int(seconds(c)) // CLICK_PANE_SECONDS for c in mine}:
            window = [c for c in mine if end - 12 <= int(seconds(c)) // CLICK_PANE_SECONDS <= end]
            for level in levels(len(window), 100):
                trips.add(("click_fraud", f"actor:{ip}", "freeze", f"actor:{ip}", level))
                trips.add(("click_fraud", f"actor:{ip}", "escalate", f"actor:{ip}", level))
    return trips


def _clicking_accounts(events: list[Event]) -> set[str]:
    """Accounts with at least 20 clicks out of a burst."""
    bursts = {subject.removeprefix("actor:") for _, subject, _, _, _ in click_fraud(events)}
    accounts = Counter(e["account_id"] for e in events if e["type"] == "click" and e.get("ip") in bursts)
    return {account for account, clicks in accounts.items() if clicks >= 20}


def frozen_accounts(events: list[Event]) -> set[str]:
    """All accounts that must be frozen, by name."""
    return _clicking_accounts(events) | truth_complaints.flooding_accounts(events)


def trips(events: list[Event]) -> set[Trip]:
    """Every command that must be given, accounts aside."""
    indicators = (
        *(complaint_volume, complaint_rate, click_fraud),
        *truth_complaints.INDICATORS,
        *truth_comparisons.INDICATORS,
        *truth_others.INDICATORS,
    )
    return set[Trip]().union(*(indicator(events) for indicator in indicators))


def alerts(events: list[Event]) -> dict[tuple[str, str], int]:
    """`(indicator, subject)` of every alert to its highest level; 0 where it only warned."""
    found = {("complaint_volume", subject): 0 for subject, count in _worst_days(events).items() if count >= 12}
    found |= {("complaint_sla", f"complaint:{name}"): 0 for name in truth_complaints.warned(events)}
    found |= {("engagement_drop", channel): 1 for channel in truth_comparisons.disengaged(events)}
    found |= truth_others.told_only(events)
    for indicator, subject, _, _, level in trips(events):
        found[indicator, subject] = max(level, found.get((indicator, subject), 0))
    return found
