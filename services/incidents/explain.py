"""The story of one alert as a person reads it: what was seen, on which data, what was ordered, and what became of it.

Pure: from what the topics hold to sections of a document or lines of text, in English or Chinese.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from schemas import wording
from schemas.alerts import AlertFact, AlertState
from schemas.audit import AuditRecord
from schemas.base import Bilingual
from schemas.channels import ChannelState
from schemas.commands import Command, Evidence
from schemas.directory import Directory
from services.incidents import explain_words as words
from services.incidents.document import Section
from services.incidents.saying import Language

_DELIVER: Final = "deliver"
_RECONCILER: Final = "reconciler"


@dataclass(frozen=True, slots=True)
class Story:
    """All that is known of an alert. zone: in which times are told. directory: by which targets are called."""

    alert: AlertState
    facts: Sequence[AlertFact]
    commands: Sequence[Command]
    audit: Sequence[AuditRecord]
    states: Sequence[ChannelState]
    zone: ZoneInfo
    directory: Directory = field(default_factory=Directory)


def about(alert_id: str, audit: Iterable[AuditRecord]) -> list[AuditRecord]:
    """What belongs to an alert: what names it, and what was done to the holds that came of it. By time."""
    records = list(audit)
    holds = {hold for each in records if each.alert_id == alert_id for hold in each.holds}
    own = [each for each in records if alert_id in each.alerts() or holds.intersection(each.holds)]
    return sorted(own, key=lambda each: each.at)


def explain(story: Story, language: Language) -> Iterator[str]:
    """The story, line by line."""
    yield from _Teller(story, language).head()
    for section in chapters(story, language):
        yield ""
        yield section.title
        yield from (f"  {line}" for line in section.listed)


def chapters(story: Story, language: Language) -> Iterator[Section]:
    """What was seen, on which data, what was done, how things stand, and how to derive it again; nothing empty."""
    teller = _Teller(story, language)
    for title, lines in (
        (words.SEEN, teller.seen()),
        (words.DATA, teller.data()),
        (words.HAPPENED, teller.happened()),
        (words.STANDS, teller.stands()),
        (words.PROOF, teller.proof()),
    ):
        found = tuple(lines)
        if found:
            yield Section(teller.say(title), listed=found)


class _Teller:
    def __init__(self, story: Story, language: Language) -> None:
        self._story = story
        self._language = language
        self._number = 0 if language == "en" else 1

    def say(self, text: Bilingual, **values: object) -> str:
        """A sentence in the language of the reader."""
        return str(getattr(text, self._language)).format(**values)

    def _text(self, text: Bilingual) -> str:
        return str(getattr(text, self._language))

    def _at(self, at: datetime) -> str:
        return at.astimezone(self._story.zone).strftime("%Y-%m-%d %H:%M:%S")

    def head(self) -> Iterator[str]:
        """What it is about, how bad, since when, and whether it is over."""
        alert = self._story.alert
        yield self._text(alert.title)
        yield self.say(
            words.HEAD,
            severity=self._text(words.SEVERITIES[alert.severity]),
            indicator=alert.indicator,
            subject=alert.subject,
            alert=alert.alert_id,
        )
        yield self.say(words.OPENED, at=self._at(alert.opened_at), zone=self._story.zone.key)
        if alert.resolved_at is not None:
            yield self.say(words.RESOLVED, at=self._at(alert.resolved_at))
        else:
            yield self.say(words.STILL_OPEN)

    def seen(self) -> Iterator[str]:
        """Each word of the indicator, with its figures."""
        for fact in self._story.facts:
            if fact.status is None or fact.summary is None:
                continue
            title = "" if fact.title is None else f"{self._text(fact.title)}{self.say(words.STOP)}"
            yield f"{self._at(fact.at)}  {self.say(words.STATUSES[fact.status])}{title}{self._text(fact.summary)}"

    def data(self) -> Iterator[str]:
        """On what the newest verdict rests."""
        evidence = self._story.alert.evidence
        if evidence is None:
            return
        yield self.say(words.FIGURE, value=_figure(evidence.value), threshold=_figure(evidence.threshold))
        yield self.say(words.WINDOW, start=self._at(evidence.window.from_), end=self._at(evidence.window.to))
        if evidence.samples:
            counts = (f"{name} {count:,}" for name, count in sorted(evidence.samples.items()))
            yield self.say(words.SAMPLES, samples=self.say(words.COMMA).join(counts))
        for each in evidence.sources:
            yield self.say(
                words.RANGE,
                topic=each.topic,
                partition=each.partition,
                first=each.from_,
                last=each.to - 1,
                count=f"{each.to - each.from_:,}",
            )
        yield self.say(words.POLICY, policy=f"{evidence.policy.name}/{evidence.policy.version}", code=_code(evidence))

    def happened(self) -> Iterator[str]:
        """What was ordered, confirmed and told, and what people did, in the order of time."""
        for record in self._story.audit:
            line = self._delivered(record) if record.what == _DELIVER else self._ordered(record)
            yield f"{self._at(record.at)}  {line}"

    def _delivered(self, record: AuditRecord) -> str:
        what = words.MESSAGES.get(str(record.detail.get("type")), words.MESSAGE)
        receiver = record.detail.get("receiver")
        called = self.say(words.ON_CALL) if receiver is None else self.say(words.RECEIVER, receiver=receiver)
        said = words.DELIVERIES.get(record.outcome, words.NOT_DELIVERED)
        return self.say(said, who=called, what=self._text(what))

    def _ordered(self, record: AuditRecord) -> str:
        target = self._called(record.target)
        waits = record.outcome == "waiting" and record.what in words.ASKED
        said = (words.ASKED if waits else words.PEOPLES_WORDS).get(record.what)
        if said is None:
            phrase = wording.phrase(record.what, [target], self._number)
            line = self.say(words.ORDERED, who=self._who(record.who), what=phrase)
            line += self.say(words.OUTCOMES[record.outcome])
        elif record.outcome in words.IN_VAIN:
            word = self._text(words.CALLED[record.what]) if record.what in words.CALLED else record.what
            line = self.say(words.IN_VAIN[record.outcome], who=self._who(record.who), word=word, target=target)
        else:
            line = self.say(said, who=self._who(record.who), target=target)
        note = record.note() or (record.reason() if record.outcome in words.EXPLAINED else None)
        return line if note is None else line + self.say(words.NOTE, note=self._text(note))

    def _called(self, target: str) -> str:
        label = self._story.directory.label(target)
        return target if label is None else self._text(label)

    def _who(self, who: str) -> str:
        kind, _, name = who.partition(":")
        if kind == "person":
            return name
        return self.say(words.PLATFORM if who == _RECONCILER else words.TIDEGATE)

    def stands(self) -> Iterator[str]:
        """How the targets stand now, by Tidegate and by their platform."""
        for state in sorted(self._story.states, key=lambda each: each.target):
            confirmed = state.platform.confirmed
            yield self.say(
                words.TARGET,
                target=self._called(state.target),
                status=self._text(words.STATUSES_OF_TARGETS[state.status]),
                confirmed=self.say(words.NOTHING if confirmed is None else words.STATUSES_OF_TARGETS[confirmed]),
            )

    def proof(self) -> Iterator[str]:
        """How each order can be derived again."""
        for command in sorted(self._story.commands, key=lambda each: (each.issued_at, each.command_id)):
            if command.is_from_indicator():
                phrase = wording.phrase(command.command, [self._called(command.target)], self._number)
                yield f"tidegate verify {command.command_id}   {phrase}"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.4g}"


def _code(evidence: Evidence) -> str:
    return "–" if evidence.code is None else f"{evidence.code.rule} {evidence.code.digest}"
