"""The oracle agrees with the machines where nothing goes wrong; in a chaos run everything does."""

import pytest

from tests.chaos.outcome import Names
from tests.oracle import ramps, truth
from tests.oracle.morning import morning
from tests.support.frames import KEY
from tests.support.indicator_log import commands, easings, facts, policy
from tests.support.simulation import outputs_of
from tests.support.twelve import ADDED, TWELVE

OPENING = {f"indicator:{name}" for name, resume in ramps.RESUMES.items() if resume.get("auto") is not False}


@pytest.mark.parametrize("seed", [1, 2])
def test_the_machines_do_what_the_oracle_says(seed: int) -> None:
    events = truth.unique_events(morning(seed, 3_000).records())
    addresses = {event["ip"] for event in events if event.get("ip")}
    accounts = {event["account_id"] for event in events if event.get("account_id")}
    names = Names(KEY, addresses, accounts)
    outputs = outputs_of(events, policy())

    given, frozen = set(), set()
    for command in commands(outputs):
        target = names.plain(command.target)
        if target.startswith("account:"):
            frozen.add(target.removeprefix("account:"))
        else:
            assert command.evidence is not None
            subject = names.plain(command.evidence.subject)
            given.add((command.evidence.indicator, subject, command.command, target, command.level))
    expected = truth.trips(events)
    assert given == expected
    assert frozen == truth.frozen_accounts(events)
    eased = {names.plain(each.target) for each in easings(outputs) if each.issued_by in OPENING}
    assert eased == ramps.opened(events, expected, frozen).keys()
    told: dict[tuple[str, str], int] = {}
    for fact in [each for each in facts(outputs) if each.indicator not in ADDED]:
        key = fact.indicator or "", names.plain(fact.subject or "")
        told[key] = max(fact.level or 0, told.get(key, 0))
    assert told == truth.alerts(events)
    assert {indicator for indicator, _ in told} == TWELVE
