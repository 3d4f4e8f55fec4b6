"""The report of an incident: its probable cause, what was seen and done, by whom, at what cost, and what is left to do.

Pure: from what the topics hold to a document, in English or Chinese.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from schemas.alerts import AlertState
from schemas.base import Bilingual
from services.incidents import report_words as words
from services.incidents.document import Document, Section, Table
from services.incidents.held import Held, held
from services.incidents.left_to_do import left_to_do
from services.incidents.material import Material, of_incident
from services.incidents.saying import Language, Saying

_HTML: Final = {"en": "en", "zh": "zh-CN"}
_MOST: Final = 500
"""Lines of the timeline: the newest; the audit has all."""


def report(material: Material, language: Language) -> Document:
    """The document."""
    teller = _Teller(material, Saying(language, material.zone, material.directory))
    return Document(_HTML[language], teller.title(), tuple(teller.head()), tuple(teller.sections()))


class _Teller:
    def __init__(self, material: Material, saying: Saying) -> None:
        self._material = material
        self._saying = saying
        self._say, self._at, self._who = saying.say, saying.at, saying.who
        self._own = of_incident(material.incident, material.audit)

    def title(self) -> str:
        """What it is, and of what."""
        return self._say(words.REPORT, title=self._say(self._material.incident.title))

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
        left = tuple(left_to_do(self._material, self._own, self._saying))
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
            note = record.note() or record.reason()
            yield (
                record.at,
                (self._who(record.who), self._saying.what(record), said, "" if note is None else self._say(note)),
            )

    def _who_did(self) -> list[tuple[str, ...]]:
        """What each did, people first."""
        counts = Counter((not each.who.startswith("person:"), each.who, self._saying.what(each)) for each in self._own)
        return [(self._who(who), what, f"{count:,}") for (_, who, what), count in sorted(counts.items())]

    def _done(self) -> Section:
        material = self._material
        found = held(self._own, material.audit, material.alerts, material.now, material.before)
        if not found:
            return Section(self._say(words.DONE), (self._say(words.NOTHING_HELD),))
        return Section(self._say(words.DONE), table=self._table(words.HELD_HEAD, map(self._held, found)))

    def _held(self, one: Held) -> tuple[str, ...]:
        until = self._say(words.STILL) if one.until is None else self._at(one.until)
        target, left = self._saying.called(one.target), f"{one.left:.0%}"
        return target, self._at(one.since), until, left, self._kept_back(one), self._rests_on(one)

    def _kept_back(self, one: Held) -> str:
        kept = ", ".join(self._say(words.COUNTED[name], count=count) for name, count in one.kept_back.items())
        if one.hours is not None and one.hours.at_most:
            return self._say(words.AT_MOST, kept=kept)
        return kept or self._say(words.UNKNOWN)

    def _rests_on(self, one: Held) -> str:
        """Where the traffic is known from that it would have had."""
        evidence = self._say(words.ITS_EVIDENCE) if one.in_evidence else ""
        if one.hours is None:
            return evidence or "–"
        known = words.LESSER_HOURS if one.hours.at_most else words.ITS_HOURS
        hours = self._say(known, hours=one.hours.hours)
        return self._say(words.BEYOND, first=evidence, rest=hours) if evidence else hours

    def _table(self, head: tuple[Bilingual, ...], rows: Iterable[tuple[str, ...]]) -> Table:
        return Table(tuple(map(self._say, head)), tuple(rows))


def _figure(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.4g}"
