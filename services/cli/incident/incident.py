"""Incidents from what the topics hold: listed, found by any of their ids, and reported. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from schemas.alerts import AlertState
from schemas.audit import AuditRecord
from schemas.channels import ChannelState
from schemas.directory import Directory
from services.incidents.grouping import Group, Grouped, group, seen
from services.incidents.incident import Incident, incident_of
from services.incidents.markdown import markdown
from services.incidents.material import Material
from services.incidents.page import page
from services.incidents.report import report
from services.incidents.saying import Language
from services.incidents.traffic import Before, unknown

Format = Literal["markdown", "html"]


@dataclass(frozen=True, slots=True)
class Known:
    """What the topics hold: alerts by id, the directory and the time zone of the policy in force."""

    alerts: Mapping[str, AlertState]
    directory: Directory
    zone: ZoneInfo
    now: datetime

    def incidents(self) -> list[Incident]:
        """All, the one that began last first."""
        groups = self._grouped().newest_first()
        return [found for each in groups if (found := self._incident(each)) is not None]

    def find(self, incident_id: str) -> Incident | None:
        """By its id, or that of any of its alerts."""
        found = self._grouped().find(incident_id)
        return None if found is None else self._incident(found)

    def _grouped(self) -> Grouped:
        return group(map(seen, self.alerts.values()))

    def _incident(self, one: Group) -> Incident | None:
        return incident_of(one, self.alerts.get, self.directory, self.now)


def listed(incidents: Sequence[Incident], language: Language, zone: ZoneInfo) -> Iterator[str]:
    """A line for each."""
    for each in incidents:
        at = each.opened_at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
        title = each.title.en if language == "en" else each.title.zh
        yield f"{each.incident_id}  {at}  {each.status:<6}  {each.severity:<8}  {title}"


def reported(
    known: Known,
    incident: Incident,
    audit: Sequence[AuditRecord],
    states: Sequence[ChannelState],
    language: Language,
    form: Format,
    before: Before = unknown,
) -> str:
    """The report as text of that form."""
    alerts = [known.alerts[each] for each in incident.alerts]
    material = Material(incident, alerts, audit, states, known.zone, known.now, None, known.directory, before)
    document = report(material, language)
    return markdown(document) if form == "markdown" else page(document)
