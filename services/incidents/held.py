"""What was held because of an incident, for how long, and how much traffic that kept back as far as evidence or the
target's own hours tell."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from schemas.alerts import AlertState
from schemas.audit import AuditRecord
from services.incidents.traffic import COUNTED, TRAFFIC, Before, Traffic, unknown

_HOUR_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Held:
    """One stretch in which a target had less than all of its traffic; until: None while it lasts. left: 0 to 1.

    kept_back: by measure, how much did not happen; empty where that is not known. in_evidence: the evidence of its
    alerts tells some of that. hours: those of before, which tell the rest; None where they add nothing.
    """

    target: str
    since: datetime
    until: datetime | None
    left: float
    kept_back: dict[str, float]
    in_evidence: bool = False
    hours: Traffic | None = None


def held(
    own: Sequence[AuditRecord],
    audit: Iterable[AuditRecord],
    alerts: Sequence[AlertState],
    now: datetime,
    before: Before = unknown,
) -> list[Held]:
    """By target and time. own: what the audit says of the incident, by time; audit: everything."""
    begins: dict[str, datetime] = {}
    for record in own:
        if "left" in record.detail:
            begins.setdefault(record.target, record.at)
    by_target: dict[str, list[AuditRecord]] = {target: [] for target in begins}
    for record in sorted(audit, key=_order):
        if record.target in begins and record.at >= begins[record.target] and "left" in record.detail:
            by_target[record.target].append(record)
    rates = _rates(alerts)
    return [
        one
        for target, records in sorted(by_target.items())
        for one in _held(target, list(_stretches(records)), rates.get(target, {}), before, now)
    ]


def _held(
    target: str,
    stretches: Sequence[tuple[datetime, datetime | None, float]],
    counted: Mapping[str, float],
    before: Before,
    now: datetime,
) -> Iterator[Held]:
    """The stretches of one target; all are measured by what it had before the first."""
    if not stretches:
        return
    hours = before(target, stretches[0][0])
    if hours is not None and counted.keys() >= hours.per_hour.keys():
        hours = None
    rates = {**({} if hours is None else hours.per_hour), **counted}
    for since, until, left in stretches:
        kept_back = _kept_back(rates, since, until or now, left)
        yield Held(target, since, until, left, kept_back, bool(counted), hours)


def _order(record: AuditRecord) -> tuple[datetime, int]:
    """Orders that came in one batch have one time, and rising generations."""
    return record.at, record.generation or 0


def _stretches(records: Sequence[AuditRecord]) -> Iterator[tuple[datetime, datetime | None, float]]:
    """From when until when how much was left; what runs is none."""
    since, left = None, 1.0
    for record in records:
        now_left = float(record.detail["left"])
        if now_left == left:
            continue
        if since is not None and record.at > since:
            yield since, record.at, left
        since, left = (record.at if now_left < 1 else None), now_left
    if since is not None:
        yield since, None, left


def _rates(alerts: Iterable[AlertState]) -> dict[str, dict[str, float]]:
    """What each channel had in an hour before it was held, by the evidence of its alerts."""
    rates: dict[str, dict[str, float]] = {}
    for alert in alerts:
        evidence = alert.evidence
        if evidence is None or not alert.subject.startswith("channel:"):
            continue
        hours = (evidence.window.to - evidence.window.from_).total_seconds() / _HOUR_S
        found: dict[str, float] = {name: evidence.samples[name] for name in COUNTED if name in evidence.samples}
        if isinstance(spend := evidence.detail.get("spend"), int | float):
            found["spend"] = float(spend)
        if hours > 0:
            rates.setdefault(alert.subject, {}).update({name: count / hours for name, count in found.items()})
    return rates


def _kept_back(rates: Mapping[str, float], since: datetime, until: datetime, left: float) -> dict[str, float]:
    hours = (until - since).total_seconds() / _HOUR_S
    return {name: rates[name] * hours * (1 - left) for name in TRAFFIC if name in rates}
