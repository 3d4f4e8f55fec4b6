"""What a report is made from, and what of the audit belongs to an incident."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from schemas.alerts import AlertState
from schemas.audit import AuditRecord
from schemas.channels import ChannelState
from schemas.directory import Directory
from services.incidents.incident import Incident
from services.incidents.traffic import Before, unknown


@dataclass(frozen=True, slots=True)
class Material:
    """All that is known of an incident. alerts: its own, by time. audit, states: of everything. zone: of the times.

    since: older records of the audit are not looked at; None: all are. directory: what targets are called.
    before: what they moved before they were held, which says what holding them cost.
    """

    incident: Incident
    alerts: Sequence[AlertState]
    audit: Sequence[AuditRecord]
    states: Sequence[ChannelState]
    zone: ZoneInfo
    now: datetime
    since: datetime | None = None
    directory: Directory = field(default_factory=Directory)
    before: Before = unknown


def of_incident(incident: Incident, audit: Iterable[AuditRecord]) -> list[AuditRecord]:
    """What the audit says of an incident's alerts, of the holds that came of them, and of itself. By time."""
    records, alerts = list(audit), set(incident.alerts)
    holds = {hold for each in records if each.alert_id in alerts for hold in each.holds}
    target = f"incident:{incident.incident_id}"
    own = [
        each for each in records if each.alerts() & alerts or holds.intersection(each.holds) or each.target == target
    ]
    return sorted(own, key=lambda each: (each.at, each.audit_id))
