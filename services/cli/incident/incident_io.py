"""`tidegate incident`: lists the incidents that the alerts on the topics make, and reports one."""

import argparse
import sys
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from schemas.alerts import AlertState
from schemas.audit import AuditRecord
from schemas.base import to_ms
from schemas.channels import ChannelState
from schemas.policy import Policy, PolicyRef
from schemas.readings import Tally
from schemas.topics import ALERT_STATE, AUDIT, CHANNEL_STATE, POLICY, READINGS
from services.cli.incident.incident import Known, listed, reported
from services.cli.proof.explain_io import parsed, values
from services.cli.proof.verify_io import NOT_FOUND
from services.cli.settings import CliSettings
from services.console.state.tallies import HOUR_MS, Tallies
from services.console.state.traffic import HOURS, TrafficBefore
from services.runtime.kafka.kafka_io import read_compacted, wait_for_broker


def add_commands(commands: Any) -> None:
    """Adds `incident list` and `incident report`."""
    kinds = commands.add_parser("incident", help="alerts that belong together: list them, report one").add_subparsers(
        required=True, metavar="WHAT"
    )
    listing = kinds.add_parser("list", help="all incidents, the newest first")
    listing.add_argument("--language", choices=("en", "zh"), default="en")
    listing.add_argument("--limit", type=int, default=50)
    listing.set_defaults(run=list_incidents)
    reporting = kinds.add_parser("report", help="cause, timeline, responsibility, cost and open actions of one")
    reporting.add_argument("incident_id", metavar="ID", help="of the incident, or of any of its alerts")
    reporting.add_argument("--language", choices=("en", "zh"), default="en")
    reporting.add_argument("--format", choices=("markdown", "html"), default="markdown")
    reporting.set_defaults(run=report_incident)


async def list_incidents(arguments: argparse.Namespace, settings: CliSettings) -> int:
    """0, whether there are any or not."""
    await wait_for_broker(settings)
    known = await _known(settings)
    for line in listed(known.incidents()[: arguments.limit], arguments.language, known.zone):
        print(line)
    return 0


async def report_incident(arguments: argparse.Namespace, settings: CliSettings) -> int:
    """0 when there is such an incident; 3 when there is none, or none any more."""
    await wait_for_broker(settings)
    known = await _known(settings)
    incident = known.find(arguments.incident_id)
    if incident is None:
        print(f"no incident {arguments.incident_id}: no alert of it is on {ALERT_STATE}", file=sys.stderr)
        return NOT_FOUND
    since_ms = to_ms(incident.opened_at) - 1
    audit = [
        record
        async for _, value in values(settings, AUDIT, since_ms)
        if (record := parsed(AuditRecord, value)) is not None
    ]
    states = [
        ChannelState.model_validate_json(value) for value in (await read_compacted(settings, CHANNEL_STATE)).values()
    ]
    before = TrafficBefore(await _tallies(settings, since_ms - (HOURS + 1) * HOUR_MS))
    print(reported(known, incident, audit, states, arguments.language, arguments.format, before), end="")
    return 0


async def _tallies(settings: CliSettings, since_ms: int) -> Tallies:
    """The hourly sums that were told since then; an hour is told of after it has begun."""
    found = Tallies()
    async for _, value in values(settings, READINGS, since_ms):
        if (tally := parsed(Tally, value)) is not None:
            found.fold(tally)
    return found


async def _known(settings: CliSettings) -> Known:
    found = await read_compacted(settings, ALERT_STATE)
    alerts = [alert for value in found.values() if (alert := parsed(AlertState, value)) is not None]
    policy = await _policy(settings)
    by_id = {alert.alert_id: alert for alert in alerts}
    return Known(by_id, policy.directory, ZoneInfo(policy.time_zone), datetime.now(UTC))


async def _policy(settings: CliSettings) -> Policy:
    """The one in force; where there is none, the usual names and times."""
    documents = await read_compacted(settings, POLICY)
    active = documents.get(b"active")
    if active is None:
        return Policy(version=1)
    ref = PolicyRef.model_validate_json(active)
    document = documents.get(f"{ref.name}/{ref.version}".encode())
    return Policy(version=1) if document is None else Policy.model_validate_json(document)
