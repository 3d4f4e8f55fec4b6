"""Holds an outcome against the truth: nothing lost, nothing double. Pure; every difference is a line of text."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from tests.chaos.outcome import Outcome
from tests.oracle import truth
from tests.oracle.scenario import Sent

ACTING = {"pause": "paused", "freeze": "frozen"}
"""Commands of the default policy that act by themselves, and the status that they must lead to."""


def differences(records: Sequence[Sent], outcome: Outcome) -> list[str]:
    """All that is not as it must be."""
    events = truth.unique_events(records)
    expected = truth.trips(records)
    return [
        *_ledger(records, outcome),
        *_panes(truth.pane_totals(events), outcome),
        *_trips(expected, outcome),
        *_accounts(truth.frozen_accounts(events), outcome),
        *_effects(expected, truth.frozen_accounts(events), outcome),
        *_webhooks(expected, outcome),
    ]


def _ledger(records: Sequence[Sent], outcome: Outcome) -> Iterator[str]:
    for line in outcome.ledger:
        if not line.closed:
            yield f"the books do not balance: {line}"
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for line in outcome.ledger:
        for name in ("read", "valid", "duplicate", "dead"):
            found[line.topic][name] += getattr(line, name) - (line.control if name == "read" else 0)
    for topic, wanted in truth.ledger(records).items():
        for name in ("read", "valid", "duplicate", "dead"):
            if found[topic][name] != getattr(wanted, name):
                yield f"{topic}: {found[topic][name]} {name}, must be {getattr(wanted, name)}"
    dead = sum(line.dead for line in truth.ledger(records).values())
    if len(outcome.dead_letters) != dead:
        yield f"{len(outcome.dead_letters)} records have a dead letter, must be {dead}"


def _panes(expected: dict[tuple[str, int, str], int], outcome: Outcome) -> Iterator[str]:
    wrong = [
        f"{key}: {outcome.pane_totals.get(key, 0)}, must be {expected.get(key, 0)}"
        for key in expected.keys() | outcome.pane_totals.keys()
        if outcome.pane_totals.get(key, 0) != expected.get(key, 0)
    ]
    yield from (f"pane {each}" for each in sorted(wrong)[:5])
    if len(wrong) > 5:
        yield f"… and {len(wrong) - 5} more panes of {len(expected)}"


def _trips(expected: set[truth.Trip], outcome: Outcome) -> Iterator[str]:
    for trip in sorted(expected - outcome.trips.keys()):
        yield f"lost: {trip}"
    for trip in sorted(outcome.trips.keys() - expected):
        yield f"invented: {trip}"
    for trip, ids in outcome.trips.items():
        if len(ids) > 1:
            yield f"double: {trip} has {len(ids)} commands"


def _accounts(expected: set[str], outcome: Outcome) -> Iterator[str]:
    for account in sorted(expected ^ outcome.frozen_accounts):
        yield f"account {account} is {'not ' if account in expected else ''}frozen"


def _effects(expected: set[truth.Trip], accounts: set[str], outcome: Outcome) -> Iterator[str]:
    """Every target that had to be stopped stands so here and on the platform, and no other does."""
    wanted = {target: ACTING[command] for _, _, command, target, _ in expected if command in ACTING}
    wanted |= {f"account:{account}": "frozen" for account in accounts}
    for target in sorted(wanted.keys() | outcome.channel_state.keys()):
        state = outcome.channel_state.get(target)
        status = state["status"] if state else "unknown"
        if status != wanted.get(target, "running"):
            yield f"{target} is {status}, must be {wanted.get(target, 'running')}"
        elif state is not None and target in wanted:
            there = outcome.platform.get(target, {}).get("status")
            if there != status or state["platform"]["confirmed"] != status:
                yield f"{target} is {status}, {there} on the platform, confirmed: {state['platform']['confirmed']}"


def _webhooks(expected: set[truth.Trip], outcome: Outcome) -> Iterator[str]:
    """For every alert one opening, at most one end, all verified, and the last level told is the highest."""
    highest: Counter[tuple[str, str]] = Counter()
    for indicator, _, _, _, level in expected:
        highest[indicator, ""] = max(highest[indicator, ""], level)
    ids = Counter(each["webhook_id"] for each in outcome.webhooks)
    yield from (f"webhook {each} is kept {count} times" for each, count in ids.items() if count > 1)
    told: dict[str, list[dict[str, object]]] = defaultdict(list)
    for each in outcome.webhooks:
        told[each["message"]["data"]["alert_id"]].append(each["message"])
    for alert in outcome.alerts:
        messages = told.pop(alert["alert_id"], [])
        kinds = Counter(str(message["type"]) for message in messages)
        name = f"alert of {alert['indicator']} on {alert['subject']}"
        if kinds["alert.opened"] != 1:
            yield f"{name}: {kinds['alert.opened']} openings told"
        if kinds["alert.resolved"] != (alert["status"] == "resolved"):
            yield f"{name} is {alert['status']}, {kinds['alert.resolved']} ends told"
        if messages and max(int(message["data"]["level"]) for message in messages) != alert["level"]:  # type: ignore[index]
            yield f"{name}: level {alert['level']} was not told"
    yield from (f"told of an alert that there is not: {alert_id}" for alert_id in told)
    alerts = Counter((alert["indicator"], alert["subject"]) for alert in outcome.alerts)
    yield from (f"{count} alerts of {key}" for key, count in alerts.items() if count > 1)
    levels = {(a["indicator"], a["level"]) for a in outcome.alerts}
    yield from (f"no alert of {i} reached level {n}" for (i, _), n in highest.items() if (i, n) not in levels)
