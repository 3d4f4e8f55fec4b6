"""Of what nobody is told: people's silences, as the audit tells of them, and those of the policy. Pure."""

from collections.abc import Callable, Iterable
from datetime import datetime

from pydantic import BaseModel

from schemas.alerting import PlannedSilence
from schemas.audit import AuditRecord
from schemas.base import HexId, Instant, Ref, read_instant


class StandingSilence(BaseModel):
    """A person's silence of one alert, or of all of a subject."""

    subject: Ref
    alert_id: HexId | None
    by: str
    reason: str | None
    since: Instant
    until: Instant


class SilenceList(BaseModel):
    """What people have silenced, and what the policy has, each until it is over."""

    silences: list[StandingSilence]
    planned: list[PlannedSilence]


class Silences:
    """The newest word on each alert and subject."""

    def __init__(self) -> None:
        self._records: dict[str, AuditRecord] = {}

    def fold(self, record: AuditRecord) -> None:
        """Takes in a record of the audit, whatever it is about."""
        if record.what == "silence" and record.outcome == "done":
            scope = record.alert_id or record.target
            known = self._records.get(scope)
            if known is None or known.at <= record.at:
                self._records[scope] = record

    def standing(self, now: datetime, planned: Iterable[PlannedSilence]) -> SilenceList:
        """Those that are not over; the first to end first."""
        found = [_silence(record) for record in self._records.values() if record.detail.get("expires_at")]
        return SilenceList(
            silences=sorted((each for each in found if each.until > now), key=lambda each: (each.until, each.subject)),
            planned=sorted((each for each in planned if each.to > now), key=lambda each: each.to),
        )


def silenced(standing: SilenceList) -> Callable[[str, str], datetime | None]:
    """Until when people have silenced an alert, by its id and subject; None where they have not."""
    until: dict[str, datetime] = {}
    for each in standing.silences:
        about = each.alert_id or each.subject
        until[about] = max(each.until, until.get(about, each.until))

    def of(alert_id: str, subject: str) -> datetime | None:
        found = [until[about] for about in (alert_id, subject) if about in until]
        return max(found, default=None)

    return of


def _silence(record: AuditRecord) -> StandingSilence:
    return StandingSilence(
        subject=record.target,
        alert_id=record.alert_id,
        by=record.who,
        reason=record.detail.get("note"),
        since=record.at,
        until=read_instant(record.detail["expires_at"]),
    )
