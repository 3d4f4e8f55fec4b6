"""Holds an outcome against the truth: nothing lost, nothing double. Pure; every difference is a line of text."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from tests.chaos.outcome import Document, Outcome
from tests.oracle import truth
from tests.oracle.facts import Trip
from tests.oracle.scenario import Sent

ACTING = {"pause": "paused", "freeze": "frozen", "take_down": "taken_down"}
"""Commands of the default policy that act by themselves, and the status that they must lead to."""
SEVERITIES = ("info", "warning", "critical")


def differences(records: Sequence[Sent], outcome: Outcome) -> list[str]:
    """All that is not as it must be."""
    events = truth.unique_events(records)
    expected = truth.trips(events)
    return [
        *_ledger(records, outcome),
        *_panes(truth.pane_totals(events), outcome),
        *_trips(expected, outcome),
        *_accounts(truth.frozen_accounts(events), outcome),
        *_effects(expected, truth.frozen_accounts(events), outcome),
        *_alerts(truth.alerts(events), outcome),
        *_webhooks(outcome),
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


def _trips(expected: set[Trip], outcome: Outcome) -> Iterator[str]:
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


def _effects(expected: set[Trip], accounts: set[str], outcome: Outcome) -> Iterator[str]:
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


def _alerts(expected: dict[tuple[str, str], int], outcome: Outcome) -> Iterator[str]:
    """Exactly the oracle's alerts, each once and at its level."""
    found = Counter((alert["indicator"], alert["subject"]) for alert in outcome.alerts)
    for key in sorted(expected.keys() | found.keys()):
        if found[key] != (key in expected):
            yield f"{found[key]} alerts of {key}, must be {int(key in expected)}"
    for alert in outcome.alerts:
        key = alert["indicator"], alert["subject"]
        if alert["level"] != expected.get(key, alert["level"]):
            yield f"the alert of {key} has level {alert['level']}, must be {expected[key]}"


def lines_of(message: Document) -> list[Document]:
    """What a message tells of each alert; one of a single alert has no list."""
    if "group" in message:
        return list(message["group"]["alerts"])
    alert = message["data"]
    said = {name: alert[name] for name in ("alert_id", "severity", "level")}
    return [{**said, "change": message["type"], "occasion": message.get("occasion", "news")}]


def _webhooks(outcome: Outcome) -> Iterator[str]:
    """Of every alert the opening first, then what became worse, and the end last; all signatures verified."""
    if outcome.unverified:
        yield f"{outcome.unverified} webhooks were not verified"
    told: dict[str, list[Document]] = defaultdict(list)
    for each in outcome.webhooks:
        for line in lines_of(each["message"]):
            told[line["alert_id"]].append(line)
    for alert in outcome.alerts:
        lines = told.pop(alert["alert_id"], [])
        kinds = [line["change"].removeprefix("alert.") for line in lines]
        end = ["resolved"] if alert["status"] == "resolved" else []
        is_story = [line["occasion"] for line in lines] == ["story"]
        if not is_story and kinds != ["opened", *["updated"] * (len(kinds) - 1 - len(end)), *end]:
            yield f"of the alert of {alert['indicator']} on {alert['subject']} ({alert['status']}) was told: {kinds}"
        ranks = [(SEVERITIES.index(line["severity"]), line["level"]) for line in lines]
        risen = ranks[: len(ranks) - len(end)]
        if risen != sorted(set(risen)) or (ranks and ranks[-1][1] != alert["level"]):
            yield f"of the alert of {alert['indicator']} on {alert['subject']} the levels told were {ranks}"
    yield from (f"told of an alert that there is not: {alert_id}" for alert_id in told)
