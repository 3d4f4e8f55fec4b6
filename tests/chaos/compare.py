"""Holds an outcome against the truth: nothing lost, nothing double. Pure; every difference is a line of text."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from tests.chaos.outcome import Document, Outcome
from tests.oracle import people, ramps, truth
from tests.oracle.facts import Trip
from tests.oracle.people import Standing, Stop
from tests.oracle.scenario import Sent

ACTING = {"pause": "paused", "freeze": "frozen", "take_down": "taken_down"}
"""Commands of the default policy that act by themselves, and the status that they must lead to."""
RUNNING: Standing = ("running", 1.0)
SEVERITIES = ("info", "warning", "critical")


def differences(records: Sequence[Sent], outcome: Outcome, ends: Mapping[Stop, datetime]) -> list[str]:
    """All that is not as it must be. ends: of people's stops, as they were ordered."""
    events = truth.unique_events(records)
    expected, accounts = truth.trips(events), truth.frozen_accounts(events)
    opened = ramps.opened(events, expected, accounts)
    return [
        *_ledger(records, outcome),
        *_panes(truth.pane_totals(events), outcome),
        *_trips(expected, outcome),
        *_accounts(accounts, outcome),
        *_effects(standing(expected, accounts, opened), outcome),
        *people.orders_missed(outcome.audit, ends),
        *ramps.ramps_missed(outcome.audit, opened),
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


def standing(expected: set[Trip], accounts: set[str], opened: Iterable[str]) -> dict[str, Standing]:
    """Every target that was ever stopped or slowed, as it must stand in the end."""
    wanted = {target: (ACTING[command], 0.0) for _, _, command, target, _ in expected if command in ACTING}
    wanted |= {f"account:{account}": ("frozen", 0.0) for account in accounts}
    wanted |= dict.fromkeys(opened, RUNNING)
    return wanted | people.ANSWERED | people.stopped()


def _effects(wanted: dict[str, Standing], outcome: Outcome) -> Iterator[str]:
    """Every target stands so here and on the platform, and no other is stopped."""
    for target in sorted(wanted.keys() | outcome.channel_state.keys()):
        state = outcome.channel_state.get(target)
        if state is None or _standing(state) != wanted.get(target, RUNNING):
            yield f"{target} is {state and _standing(state)}, must be {wanted.get(target, RUNNING)}"
        elif target in wanted:
            there = outcome.platform.get(target)
            confirmed = state["platform"]["confirmed"]
            if there is None or _standing(there) != _standing(state) or confirmed != state["status"]:
                yield f"{target} is {there and _standing(there)} on the platform, confirmed: {confirmed}"


def _standing(document: Document) -> Standing:
    return document["status"], document["factor"]


def _alerts(expected: dict[tuple[str, str], int], outcome: Outcome) -> Iterator[str]:
    """Exactly the oracle's alerts, each once, at its level, and with what people said of it."""
    found = Counter((alert["indicator"], alert["subject"]) for alert in outcome.alerts)
    for key in sorted(expected.keys() | found.keys()):
        if found[key] != (key in expected):
            yield f"{found[key]} alerts of {key}, must be {int(key in expected)}"
    for alert in outcome.alerts:
        key = alert["indicator"], alert["subject"]
        if alert["level"] != expected.get(key, alert["level"]):
            yield f"the alert of {key} has level {alert['level']}, must be {expected[key]}"
        if alert["acknowledged_by"] != (people.OPERATOR if key == people.ACKNOWLEDGED else None):
            yield f"the alert of {key} is acknowledged by {alert['acknowledged_by']}"
        answered = [action["state"] for action in alert["actions"] if action["state"] in ("granted", "rejected")]
        if answered != people.answers_to(*key):
            yield f"the alert of {key} says that people answered {answered}"


def lines_of(message: Document) -> list[Document]:
    """What a message tells of each alert; one of a single alert has no list."""
    if "group" in message:
        return list(message["group"]["alerts"])
    alert = message["data"]
    said = {name: alert[name] for name in ("alert_id", "severity", "level")}
    return [{**said, "change": message["type"], "occasion": message.get("occasion", "news")}]


def _webhooks(outcome: Outcome) -> Iterator[str]:
    """Of every alert the opening first, then what became worse or was answered, and the end last; all signatures
    verified."""
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
        answers = len(people.answers_to(alert["indicator"], alert["subject"]))
        is_risen = risen == sorted(risen) and len(risen) <= len(set(risen)) + answers
        if not is_risen or (ranks and ranks[-1][1] != alert["level"]):
            yield f"of the alert of {alert['indicator']} on {alert['subject']} the levels told were {ranks}"
    yield from (f"told of an alert that there is not: {alert_id}" for alert_id in told)
