"""The report of an incident: its probable cause, what was seen and done, by whom, at what cost, and what is left to do.

Pure: from what the topics hold to a document, in English or Chinese.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

from schemas import wording
from schemas.alerts import AlertState
from schemas.audit import AuditRecord
from schemas.base import Bilingual
from schemas.channels import ChannelState, Hold
from services.incidents import report_words as words
from services.incidents.document import Document, Section, Table
from services.incidents.held import Held, held
from services.incidents.incident import Incident

Language = Literal["en", "zh"]
_HTML: Final = {"en": "en", "zh": "zh-CN"}
_MOST: Final = 500
"""Lines of the timeline: the newest; the audit has all."""


@dataclass(frozen=True, slots=True)
class Material:
    """All that is known of an incident. alerts: its own, by time. audit, states: of everything. zone: of the times.

    since: older records of the audit are not looked at; None: all are.
    """

    incident: Incident
    alerts: Sequence[AlertState]
    audit: Sequence[AuditRecord]
    states: Sequence[ChannelState]
    zone: ZoneInfo
    now: datetime
    since: datetime | None = None


def report(material: Material, language: Language) -> Document:
    """The document."""
    teller = _Teller(material, language)
    return Document(_HTML[language], teller.title(), tuple(teller.head()), tuple(teller.sections()))


def of_incident(incident: Incident, audit: Iterable[AuditRecord]) -> list[AuditRecord]:
    """What the audit says of an incident's alerts, of the holds that came of them, and of itself. By time."""
    records, alerts = list(audit), set(incident.alerts)
    holds = {hold for each in records if each.alert_id in alerts for hold in each.holds}
    target = f"incident:{incident.incident_id}"
    own = [
        each for each in records if each.alert_id in alerts or holds.intersection(each.holds) or each.target == target
    ]
    return sorted(own, key=lambda each: (each.at, each.audit_id))


class _Teller:
    def __init__(self, material: Material, language: Language) -> None:
        self._material = material
        self._language = language
        self._number = 0 if language == "en" else 1
        self._own = of_incident(material.incident, material.audit)

    def title(self) -> str:
        """What it is, and of what."""
        return f"{self._say(words.REPORT)}: {self._say(self._material.incident.title)}"

    def head(self) -> Iterator[str]:
        """Which incident, as of when, and how it stands."""
        incident = self._material.incident
        severity = self._say(words.SEVERITIES[incident.severity])
        closed = "" if incident.closed_at is None else self._at(incident.closed_at)
        yield self._say(words.STATES[incident.status], closed=closed, severity=severity)
        now, zone = self._at(self._material.now), self._material.zone.key
        yield self._say(words.UNTIL, now=now, zone=zone, incident=incident.incident_id)
        since = self._material.since
        if since is not None and incident.opened_at < since:
            yield self._say(words.SINCE, since=self._at(since))

    def sections(self) -> Iterator[Section]:
        """One after the other."""
        cause = self._material.incident.cause
        said = self._say(words.CAUSE_IS, cause=self._say(cause.text))
        yield Section(self._say(words.CAUSE), (said,), tuple(map(self._say, cause.speaks)))
        yield Section(self._say(words.SEEN), table=self._table(words.SEEN_HEAD, map(self._seen, self._material.alerts)))
        rows = [(self._at(at), *row) for at, row in sorted(self._timeline())[-_MOST:]]
        yield Section(self._say(words.TIMELINE), table=self._table(words.TIMELINE_HEAD, rows))
        yield self._done()
        yield Section(self._say(words.WHO), table=self._table(words.WHO_HEAD, self._who_did()))
        left = tuple(self._open())
        yield Section(self._say(words.OPEN), () if left else (self._say(words.NONE_OPEN),), left)
        check = tuple(f"tidegate explain {alert.alert_id}" for alert in self._material.alerts)
        yield Section(self._say(words.CHECK), (self._say(words.CHECK_EXPLAIN),), check)

    # -- what was seen and done

    def _seen(self, alert: AlertState) -> tuple[str, ...]:
        evidence = alert.evidence
        figures = f"{_figure(alert.value)} / {_figure(alert.threshold)}"
        policy = "–" if evidence is None else f"{evidence.policy.name}/{evidence.policy.version}"
        resolved = self._say(words.STILL) if alert.resolved_at is None else self._at(alert.resolved_at)
        who = alert.acknowledged_by or self._say(words.NOBODY)
        return self._at(alert.opened_at), self._say(alert.title), figures, policy, who, resolved

    def _timeline(self) -> Iterator[tuple[datetime, tuple[str, ...]]]:
        """Who, what, outcome and why, with the time."""
        for alert in self._material.alerts:
            by, title = self._who(f"indicator:{alert.indicator}"), self._say(alert.title)
            yield alert.opened_at, (by, self._say(words.OPENED), "", title)
            if alert.resolved_at is not None:
                yield alert.resolved_at, (by, self._say(words.RESOLVED), "", title)
        for record in self._own:
            outcome = words.OUTCOMES.get(record.outcome)
            said = record.outcome if outcome is None else self._say(outcome)
            note = record.detail.get("note") or record.why or ""
            yield record.at, (self._who(record.who), self._what(record), said, str(note))

    def _what(self, record: AuditRecord) -> str:
        word = words.WORDS.get(record.what)
        if word is None:
            return wording.phrase(record.what, [record.target], self._number)
        return self._say(word, target=record.target)

    def _who(self, who: str) -> str:
        kind, _, name = who.partition(":")
        if kind == "person":
            return name
        return self._say(words.PLATFORM) if who == "reconciler" else self._say(words.TIDEGATE, name=name or who)

    def _who_did(self) -> list[tuple[str, ...]]:
        """What each did, people first."""
        counts = Counter((not each.who.startswith("person:"), each.who, self._what(each)) for each in self._own)
        return [(self._who(who), what, f"{count:,}") for (_, who, what), count in sorted(counts.items())]

    def _done(self) -> Section:
        material = self._material
        found = held(self._own, sorted(material.audit, key=lambda each: each.at), material.alerts, material.now)
        if not found:
            return Section(self._say(words.DONE), (self._say(words.NOTHING_HELD),))
        return Section(self._say(words.DONE), table=self._table(words.HELD_HEAD, map(self._held, found)))

    def _held(self, one: Held) -> tuple[str, ...]:
        until = self._say(words.STILL) if one.until is None else self._at(one.until)
        kept = ", ".join(self._say(words.COUNTED[name], count=count) for name, count in one.kept_back.items())
        return one.target, self._at(one.since), until, f"{one.left:.0%}", kept or self._say(words.UNKNOWN)

    # -- what is left to do

    def _open(self) -> Iterator[str]:
        for alert in self._material.alerts:
            if alert.status != "resolved":
                yield self._say(words.UNRESOLVED, title=self._say(alert.title))
            if alert.acknowledged_by is None and alert.severity != "info":
                yield self._say(words.UNACKNOWLEDGED, title=self._say(alert.title))
        own = set(self._material.incident.alerts)
        for state in sorted(self._material.states, key=lambda each: each.target):
            holds = [hold for hold in state.holds if hold.alert_id in own]
            yield from (self._standing(state, hold) for hold in holds if hold.approval in ("none", "granted"))
            yield from (self._waiting(state, hold) for hold in holds if hold.approval == "waiting")
            if holds and state.platform.confirmed != state.platform.wanted:
                status = self._say(words.STATUSES[state.platform.wanted])
                yield self._say(words.UNCONFIRMED, target=state.target, status=status)
        for record in self._own:
            if record.what == "deliver" and record.outcome == "failed":
                yield self._say(words.UNDELIVERED, at=self._at(record.at), why=record.why or "")

    def _standing(self, state: ChannelState, hold: Hold) -> str:
        what = wording.phrase(hold.kind, [state.target], self._number)
        return self._say(words.STANDING, target=state.target, what=what, since=self._at(hold.since))

    def _waiting(self, state: ChannelState, hold: Hold) -> str:
        until = "–" if hold.decide_by is None else self._at(hold.decide_by)
        return self._say(words.WAITING, what=wording.phrase(hold.kind, [state.target], self._number), until=until)

    # -- how it is said

    def _say(self, text: Bilingual, **values: object) -> str:
        said = str(getattr(text, self._language))
        return said.format(**values) if values else said

    def _at(self, at: datetime) -> str:
        return at.astimezone(self._material.zone).strftime("%Y-%m-%d %H:%M:%S")

    def _table(self, head: tuple[Bilingual, ...], rows: Iterable[tuple[str, ...]]) -> Table:
        return Table(tuple(map(self._say, head)), tuple(rows))


def _figure(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.4g}"
