"""Of the oracle: floods of one-click complaints, and complaints that nobody answers."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.oracle.facts import Event, Trip, levels, seconds

PANE_SECONDS = 5
FLOOD, FLOOD_PANES = 5, 120
"""Complaints, and the panes of ten minutes."""
ACCOUNT = 2
LIMIT_SECONDS = {"high_net_worth": 2 * 3600}
USUAL_SECONDS = 48 * 3600
WARNS = 0.8


def _floods(events: list[Event]) -> Iterator[tuple[str, list[Event]]]:
    """`(address, complaints)` of every window in which there were too many different ones."""
    complaints: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event["type"] == "complaint_opened" and event["entry"] == "one_click" and event.get("ip"):
            complaints[event["ip"]].append(event)
    for ip, mine in complaints.items():
        for end in {int(seconds(c)) // PANE_SECONDS for c in mine}:
            window = [c for c in mine if end - FLOOD_PANES <= int(seconds(c)) // PANE_SECONDS <= end]
            if len({c["complaint_id"] for c in window}) >= FLOOD:
                yield ip, window


def complaint_flood(events: list[Event]) -> set[Trip]:
    """Freezes of the addresses, with a call to people each time."""
    return {
        ("complaint_flood", f"actor:{ip}", command, f"actor:{ip}", level)
        for ip, window in _floods(events)
        for level in levels(len({c["complaint_id"] for c in window}), FLOOD)
        for command in ("freeze", "escalate")
    }


def flooding_accounts(events: list[Event]) -> set[str]:
    """Accounts with at least two complaints of a flood."""
    counts = [Counter(c.get("account_id") for c in window) for _, window in _floods(events)]
    return {account for each in counts for account, n in each.items() if account and n >= ACCOUNT}


def _waited(events: list[Event]) -> dict[str, float]:
    """By complaint, for which share of its time it went without an answer; the story's end counts as one."""
    opened = {e["complaint_id"]: e for e in reversed(events) if e["type"] == "complaint_opened"}
    answered: dict[str, float] = {}
    for event in events:
        if event["type"] in ("complaint_answered", "complaint_closed"):
            answered[event["complaint_id"]] = min(seconds(event), answered.get(event["complaint_id"], seconds(event)))
    end = max(map(seconds, events))
    return {
        name: (answered.get(name, end) - seconds(e)) / LIMIT_SECONDS.get(e.get("segment", ""), USUAL_SECONDS)
        for name, e in opened.items()
    }


def warned(events: list[Event]) -> set[str]:
    """Complaints of which people are told at all."""
    return {name for name, share in _waited(events).items() if share >= WARNS}


def complaint_sla(events: list[Event]) -> set[Trip]:
    """Calls for the complaints whose time is up. The story keeps minutes away from every deadline."""
    late = {f"complaint:{name}" for name, share in _waited(events).items() if share >= 1}
    return {("complaint_sla", complaint, "escalate", complaint, 1) for complaint in late}


INDICATORS = (complaint_flood, complaint_sla)
