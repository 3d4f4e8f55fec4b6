"""The machine of one partition of `alerts`: merges facts, publishes the whole, and decides which messages are due.

Deliveries are not its business: a deliverer beside it reads `heads`, sends them, and reports with facts of its own on
the same log. So what is still due is a function of the log, and survives whatever the log survives.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from pydantic import ValidationError

from schemas.alerts import AlertFact, AlertState, DeliveryReport
from schemas.audit import AuditRecord
from schemas.base import Instant, Versioned
from schemas.topics import ALERT_STATE, AUDIT, DAY_MS
from services.alerting import audit
from services.alerting.merge import Merged, merge, state
from services.alerting.telling import Due, Told, decide, forgo
from services.runtime.machine import Machine, Output, Record
from services.runtime.murmur import misplaced

POLICY_KEY: Final = b"policy"
"""The key of a PolicyInForce, which is no fact."""

KEEP_MS: Final = 31 * DAY_MS
"""How long an alert that is over is remembered: a day longer than the log, so that every repeat is known."""

SWEEP_MS: Final = DAY_MS // 24
"""Between two looks for what is over."""

MAX_FACT_BYTES: Final = 512 * 1024
"""Half of what a record on `alert-state` may be: the merged whole has to fit as well."""

_ALERT: Final = b"alert:"
_DUE: Final = b"due:"
_CLOCK: Final = b"clock"


class Alert(Versioned):
    """All that is remembered of one alert. `touched_ms`: append time of its latest fact."""

    alert_id: str
    merged: Merged = Merged()
    told: Told = Told()
    touched_ms: int


class Clock(Versioned):
    """The latest append time on the log; in the snapshot, so that a replay forgets at the same records."""

    now_ms: int


class AlertingMachine(Machine):
    """See the module. `partition` is that of its log, which has so many."""

    def __init__(self, partition: int, partitions: int = 1) -> None:
        self.partition = partition
        self._partitions = partitions
        self.next_offset = 0
        """All records below this one have been applied."""
        self._alerts: dict[str, Alert] = {}
        self._due: dict[str, list[Due]] = {}
        self._changed: dict[bytes, Alert | Due | Clock | None] = {}
        self._now_ms = 0

    def heads(self) -> Iterator[Due]:
        """The next message of each alert that has any due."""
        return (queue[0] for queue in self._due.values())

    def waiting(self) -> int:
        """How many messages are due."""
        return sum(map(len, self._due.values()))

    def unresolved(self, writer: str) -> Iterator[tuple[AlertState, int]]:
        """The alerts that a writer has spoken of and that are not over, each with the number of its newest fact."""
        for alert in self._alerts.values():
            if writer in alert.merged.heard:
                whole = state(alert.alert_id, alert.merged)
                if whole is not None and whole.status != "resolved":
                    yield whole, alert.merged.heard[writer][0]

    def apply(self, record: Record) -> Iterable[Output]:
        """Forget what is long over, then take in one fact; what is none is told to the audit."""
        self.next_offset = record.offset + 1
        return [*self._pass_time(record.timestamp_ms), *self._judge(record)]

    def _judge(self, record: Record) -> list[Output]:
        if record.key == POLICY_KEY:
            return []
        if len(record.value) > MAX_FACT_BYTES:
            return [_record(audit.refused(self.partition, record, f"larger than {MAX_FACT_BYTES} bytes"))]
        try:
            fact = AlertFact.model_validate_json(record.value)
        except ValidationError as error:
            return [_record(audit.refused(self.partition, record, audit.problems(error)))]
        if problem := self._is_stray(fact, record):
            return [_record(audit.refused(self.partition, record, problem))]
        return list(self._take(fact, record))

    def changed(self) -> Iterable[tuple[bytes, bytes | None]]:
        """The alerts and due messages that changed, a record each, and the clock."""
        records = [(key, None if it is None else it.model_dump_json().encode()) for key, it in self._changed.items()]
        self._changed = {}
        return records

    def load(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Take over a snapshot. A record of another format raises a ValidationError: a newer release wrote it."""
        alerts: list[Alert] = []
        due: list[Due] = []
        for key, value in records:
            if key.startswith(_ALERT):
                alerts.append(Alert.model_validate_json(value))
            elif key == _CLOCK:
                self._now_ms = Clock.model_validate_json(value).now_ms
            else:
                due.append(Due.model_validate_json(value))
        self._alerts = {alert.alert_id: alert for alert in alerts}
        for one in sorted(due, key=lambda one: one.number):
            self._due.setdefault(one.alert_id, []).append(one)

    def rewind(self, next_offset: int) -> int:
        """Nothing has to be replayed; but this tells where the log goes on after a snapshot."""
        self.next_offset = next_offset
        return next_offset

    def fold(self, record: Record) -> None:
        """Never called, since `rewind` goes back to nothing."""

    def _is_stray(self, fact: AlertFact, record: Record) -> str | None:
        """Why this fact is not for this machine: another would merge the same alert from its other facts."""
        if record.key != fact.alert_id.encode():
            return "the record's key is not the fact's alert_id"
        return misplaced(record.key, self.partition, self._partitions)

    def _take(self, fact: AlertFact, record: Record) -> Iterator[Output]:
        now_ms = record.timestamp_ms
        alert = self._alerts.get(fact.alert_id)
        if alert is None:
            alert = Alert(alert_id=fact.alert_id, touched_ms=now_ms)
        merged = merge(alert.merged, fact)
        if merged is None:
            return
        before, after = state(fact.alert_id, alert.merged), state(fact.alert_id, merged)
        told = alert.told
        if after is not None:
            changed, after = after != before, after.model_copy(update={"seq": record.offset})
            if changed:
                yield Output(ALERT_STATE, fact.alert_id.encode(), after.model_dump_json().encode())
            if fact.delivery is not None:
                told, records = self._settle(told, after, fact.delivery, fact.at)
                yield from map(_record, records)
            told, due = decide(told, after, fact.at, now_ms)
            if due is not None:
                self._due.setdefault(due.alert_id, []).append(due)
                self._changed[_DUE + due.webhook_id.encode()] = due
        self._keep(Alert(alert_id=fact.alert_id, merged=merged, told=told, touched_ms=now_ms))

    def _settle(
        self, told: Told, alert: AlertState, report: DeliveryReport, at: Instant
    ) -> tuple[Told, list[AuditRecord]]:
        """What the deliverer's report changes: its message is no longer due, and perhaps neither are the others."""
        queue = self._due.get(alert.alert_id, [])
        due = next((one for one in queue if one.webhook_id == report.webhook_id), None)
        if due is None or report.outcome == "due":
            return told, []
        self._drop(due)
        records = [audit.delivery(self.partition, due, alert.subject, report, report.outcome, at)]
        if due.change == "alert.opened" and report.outcome != "delivered":
            told = forgo(told, due)
            for follower in list(self._due.get(alert.alert_id, [])):
                self._drop(follower)
                records.append(audit.dropped(self.partition, follower, alert.subject, at))
        return told, records

    def _drop(self, due: Due) -> None:
        queue = self._due[due.alert_id]
        queue.remove(due)
        if not queue:
            del self._due[due.alert_id]
        self._changed[_DUE + due.webhook_id.encode()] = None

    def _keep(self, alert: Alert) -> None:
        self._alerts[alert.alert_id] = alert
        self._changed[_ALERT + alert.alert_id.encode()] = alert

    def _pass_time(self, now_ms: int) -> Iterator[Output]:
        """Every full hour of the log's clock forgets the alerts that are over, and takes them off `alert-state`."""
        before, self._now_ms = self._now_ms, max(self._now_ms, now_ms)
        if self._now_ms > before:
            self._changed[_CLOCK] = Clock(now_ms=self._now_ms)
        if self._now_ms // SWEEP_MS > before // SWEEP_MS:
            for alert in sorted(filter(self._is_over, self._alerts.values()), key=lambda alert: alert.alert_id):
                del self._alerts[alert.alert_id]
                self._changed[_ALERT + alert.alert_id.encode()] = None
                if state(alert.alert_id, alert.merged) is not None:
                    yield Output(ALERT_STATE, alert.alert_id.encode(), None)

    def _is_over(self, alert: Alert) -> bool:
        """Whether it is resolved or was never opened, with nothing due and no fact for as long as the log is kept."""
        if self._now_ms - alert.touched_ms <= KEEP_MS or alert.alert_id in self._due:
            return False
        whole = state(alert.alert_id, alert.merged)
        return whole is None or whole.status == "resolved"


def build(partition: int, partitions: int = 1) -> AlertingMachine:
    """A fresh machine for one partition of `alerts`, of so many."""
    return AlertingMachine(partition, partitions)


def _record(record: AuditRecord) -> Output:
    return Output(AUDIT, record.target.encode(), record.model_dump_json().encode())
