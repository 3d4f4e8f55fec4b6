"""Alert facts and commands: the messages that an episode becomes, with their evidence and with ids that repeat."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from schemas.alerts import ActionTaken, AlertFact, Status
from schemas.audit import AuditRecord
from schemas.base import Bilingual, Severity, Window, from_ms
from schemas.commands import Command, Evidence, SourceRange
from schemas.frames import source_name
from schemas.governor import GOVERNOR, Figures
from schemas.readings import Cases, Reading, Tally
from schemas.topics import ALERTS, AUDIT, CHANNEL_COMMANDS, READINGS
from services.indicators.registry import code_of
from services.indicators.rule import AnyRule, Case, Order, Words
from services.indicators.subjects.store import Note, View
from services.indicators.verdicts import telling
from services.indicators.verdicts.episodes import Change, Episode
from services.indicators.verdicts.tuning import InForce, Tuned
from services.runtime.ids import derive
from services.runtime.machines.machine import Output

MAX_ACTIONS: Final = 100
"""So many orders are listed in an alert, so that it can be sent however many are given: alerting keeps no more."""


@dataclass(frozen=True, slots=True)
class About:
    """What an alert about the indicators themselves says of its matter; `runbook` is a heading there."""

    indicator: str
    subject: str
    runbook: str
    severity: Severity = "critical"


class Outbox:
    """Collects the messages of one record. `seq` counts the facts of this writer and goes into the snapshots."""

    def __init__(self, writer: str) -> None:
        self.writer = writer
        self._messages: list[Output] = []
        self.seq = 0

    def take(self) -> list[Output]:
        """What has been collected since the last call."""
        messages, self._messages = self._messages, []
        return messages

    def fact(self, fact: AlertFact) -> None:
        """Adds one alert fact."""
        self._messages.append(Output(ALERTS, fact.alert_id.encode(), fact.model_dump_json(by_alias=True).encode()))

    def next_seq(self) -> int:
        """The number of the next fact."""
        self.seq += 1
        return self.seq

    def tell(self, change: Change, case: Case[View, Any], tuned: Tuned, policy: InForce, told_ms: int) -> None:
        """An episode that opened or got worse: the alert, and a command for each order that is to be given."""
        words: Words = tuned.rule.words(case)
        evidence = evidence_of(case, tuned.rule, policy)
        fact = self._fact(change.episode, change.what, told_ms).model_copy(
            update={
                "severity": change.episode.severity,
                "level": change.episode.level,
                "title": words.title,
                "summary": telling.joined(words.summary, telling.ordered(tuned, change.orders)),
                "event_time": from_ms(case.now_ms),
                "value": case.verdict.value,
                "threshold": case.verdict.threshold,
                "evidence": evidence,
                "runbook": tuned.rule.runbook,
            }
        )
        given = [order for order in change.orders if tuned.orders(order.action)]
        by = f"indicator:{tuned.rule.id}"
        done = [
            ActionTaken(what=order.action, target=order.target, state="ordered", by=by, at=from_ms(told_ms))
            for order in given[:MAX_ACTIONS]
        ]
        commands = [self._command(order, fact, evidence, tuned, words.title) for order in given]
        self.fact(fact.model_copy(update={"actions": done}))
        self._messages += commands

    def _command(self, order: Order, fact: AlertFact, evidence: Evidence, tuned: Tuned, title: Bilingual) -> Output:
        command = Command(
            command_id=derive(fact.alert_id, order.action, order.target, str(order.level)),
            command=order.action,
            target=order.target,
            factor=order.factor,
            level=order.level,
            issued_by=f"indicator:{tuned.rule.id}",
            alert_id=fact.alert_id,
            issued_at=fact.at,
            event_time=fact.event_time,
            maturity=tuned.maturity[order.action],
            reason=order.reason or title,
            evidence=evidence,
        )
        key, value = order.target.encode(), command.model_dump_json(by_alias=True).encode()
        return Output(CHANNEL_COMMANDS, key, value)

    def close(self, episode: Episode, summary: Bilingual, end_ms: int, told_ms: int, value: float | None) -> None:
        """An episode that ended."""
        update = {"summary": summary, "event_time": from_ms(end_ms), "value": value}
        self.fact(self._fact(episode, "resolved", told_ms).model_copy(update=update))

    def eased(self, episode: Episode, end_ms: int, told_ms: int) -> None:
        """To each target that an episode held: its trouble is over. What that means for the hold is the policy's."""
        for target in dict.fromkeys(target for action, target, _ in episode.given if action != "escalate"):
            command = Command(
                command_id=derive(episode.alert_id, "eased", target),
                command="eased",
                target=target,
                issued_by=f"indicator:{episode.indicator}",
                alert_id=episode.alert_id,
                issued_at=from_ms(told_ms),
                event_time=from_ms(end_ms),
            )
            self._messages.append(Output(CHANNEL_COMMANDS, target.encode(), command.model_dump_json().encode()))

    def figures(self, told: Figures, end_ms: int, told_ms: int) -> None:
        """To the governor, what the channels moved in the hour before `end_ms`."""
        command = Command(
            command_id=derive("figures", told.writer, str(end_ms)),
            command="figures",
            target=GOVERNOR,
            issued_by="governor",
            issued_at=from_ms(told_ms),
            event_time=from_ms(end_ms),
            figures=told,
        )
        self._messages.append(Output(CHANNEL_COMMANDS, GOVERNOR.encode(), command.model_dump_json().encode()))

    def reading(self, told: Reading | Tally | Cases) -> None:
        """For people's charts and figures."""
        self._messages.append(Output(READINGS, told.writer.encode(), told.model_dump_json().encode()))

    def _fact(self, episode: Episode, status: Status, told_ms: int) -> AlertFact:
        return AlertFact(
            alert_id=episode.alert_id,
            writer=self.writer,
            seq=self.next_seq(),
            at=from_ms(told_ms),
            status=status,
            indicator=episode.indicator,
            subject=episode.subject,
            opened_at=from_ms(episode.opened_ms),
        )

    def audit(self, subject: str, note: Note, told_ms: int) -> None:
        """What a store wants kept for ever. The id is the event's, so a replay repeats it."""
        record = AuditRecord(
            audit_id=derive("audit", note.place),
            at=from_ms(told_ms),
            writer=self.writer,
            who=self.writer,
            what=note.what,
            target=subject,
            outcome="recorded",
            detail=dict(note.detail),
        )
        self._messages.append(Output(AUDIT, subject.encode(), record.model_dump_json().encode()))

    def trouble(self, alert_id: str, about: About, status: Status, words: Words, told_ms: int, opened_ms: int) -> None:
        """A fact about the indicators themselves; a settled trouble keeps the title it was opened with."""
        self.fact(
            AlertFact(
                alert_id=alert_id,
                writer=self.writer,
                seq=self.next_seq(),
                at=from_ms(told_ms),
                status=status,
                severity=about.severity,
                indicator=about.indicator,
                subject=about.subject,
                level=1,
                title=words.title if status == "open" else None,
                summary=words.summary,
                opened_at=from_ms(opened_ms),
                runbook=f"services/indicators/runbook.md#{about.runbook}",
            )
        )


def evidence_of(case: Case[View, Any], rule: AnyRule, policy: InForce) -> Evidence:
    """On what a verdict rests: enough to derive it again from the raw topics."""
    verdict = case.verdict
    detail = {**verdict.detail, **rule.detail(case)}  # first, since it may look at more
    return Evidence(
        indicator=rule.id,
        subject=case.subject,
        value=verdict.value,
        threshold=verdict.threshold,
        window=Window(from_=from_ms(verdict.span.start), to=from_ms(verdict.span.end)),
        samples=dict(verdict.samples),
        policy=policy.version,
        code=code_of(rule),
        sources=_ranges(case.view.sources()),
        detail=detail,
    )


def _ranges(found: Sequence[tuple[int, int, int]]) -> list[SourceRange]:
    """One range for each source partition, from the first to the last event that was looked at."""
    joined: dict[int, tuple[int, int]] = {}
    for source, first, after in found:
        low, high = joined.get(source, (first, after))
        joined[source] = min(low, first), max(high, after)
    return [
        SourceRange(topic=source_name(source)[0], partition=source_name(source)[1], from_=first, to=after)
        for source, (first, after) in sorted(joined.items())
    ]
