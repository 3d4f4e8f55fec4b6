"""`tidegate explain`: gathers what the topics hold about one alert, and tells it."""

import argparse
import sys
from collections.abc import AsyncIterator
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from schemas.alerts import AlertFact, AlertState
from schemas.audit import AuditRecord
from schemas.base import Versioned, to_ms
from schemas.channels import ChannelState
from schemas.policy import Policy
from schemas.topics import ALERT_STATE, ALERTS, AUDIT, CHANNEL_STATE, POLICY
from services.cli.proof.verify_io import NOT_FOUND, read_commands
from services.cli.settings import CliSettings
from services.incidents.explain import Story, about, explain
from services.runtime.kafka.kafka_io import follow, read_compacted, wait_for_broker

M = TypeVar("M", bound=Versioned)


def add_commands(commands: Any) -> None:
    """Adds `explain`."""
    command = commands.add_parser("explain", help="tell the story of an alert: what was seen, ordered and done")
    command.add_argument("alert_id", metavar="ALERT_ID")
    command.add_argument("--lang", choices=("en", "zh"), default="en")
    command.set_defaults(run=run)


async def run(arguments: argparse.Namespace, settings: CliSettings) -> int:
    """0 when there is such an alert; 3 when there is none, or none any more."""
    await wait_for_broker(settings)
    story = await read_story(settings, arguments.alert_id)
    if story is None:
        print(f"no alert {arguments.alert_id} is on {ALERT_STATE}: not available", file=sys.stderr)
        return NOT_FOUND
    print("\n".join(explain(story, arguments.lang)))
    return 0


async def read_story(settings: CliSettings, alert_id: str) -> Story | None:
    """All that the topics hold about an alert."""
    value = (await read_compacted(settings, ALERT_STATE)).get(alert_id.encode())
    if value is None:
        return None
    alert = AlertState.model_validate_json(value)
    since_ms = to_ms(alert.opened_at) - 1
    key = alert_id.encode()
    facts = [
        fact
        async for found, value in values(settings, ALERTS, since_ms)
        if found == key and (fact := parsed(AlertFact, value)) is not None
    ]
    log = await read_commands(settings)
    commands = [each for each in log.commands.values() if each.alert_id == alert_id]
    targets = {each.target.encode() for each in commands}
    states = await read_compacted(settings, CHANNEL_STATE)
    audit = [
        record
        async for _, value in values(settings, AUDIT, since_ms)
        if (record := parsed(AuditRecord, value)) is not None
    ]
    return Story(
        alert,
        sorted(facts, key=lambda fact: (fact.at, fact.writer, fact.seq)),
        commands,
        about(alert_id, audit),
        [ChannelState.model_validate_json(value) for target, value in states.items() if target in targets],
        await _zone(settings, alert),
    )


async def values(settings: CliSettings, topic: str, since_ms: int) -> AsyncIterator[tuple[bytes | None, bytes]]:
    """Key and value of what is on a topic since then."""
    batches = follow(settings, topic, since_ms=since_ms)
    async for batch in batches:
        for each in batch.records:
            if each.value is not None:
                yield each.key, each.value
        if batch.caught_up:
            break
    await batches.aclose()


def parsed(model: type[M], value: bytes) -> M | None:
    """A message; one of a newer release, which this one cannot read, is left out."""
    try:
        return model.model_validate_json(value)
    except ValidationError:
        return None


async def _zone(settings: CliSettings, alert: AlertState) -> ZoneInfo:
    """That of the policy which judged; where it is not there any more, the usual one."""
    named = None if alert.evidence is None else alert.evidence.policy
    documents = {} if named is None else await read_compacted(settings, POLICY)
    document = documents.get(b"" if named is None else f"{named.name}/{named.version}".encode())
    policy = Policy(version=1) if document is None else Policy.model_validate_json(document)
    return ZoneInfo(policy.time_zone)
