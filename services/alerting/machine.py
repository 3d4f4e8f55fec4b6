"""The machine of one partition of `alerts`: merges facts, publishes the whole, and decides which messages are due.

Deliveries are not its business: a deliverer beside it reads `heads`, sends them, and reports with facts of its own on
the same log. So what is still due is a function of the log, and survives whatever the log survives.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from pydantic import ValidationError

from schemas.alerts import AlertFact, AlertState, DeliveryReport
from schemas.audit import AuditRecord
from schemas.base import HexId, Instant, Versioned, from_ms
from schemas.topics import ALERT_STATE, AUDIT, DAY_MS
from services.alerting import audit
from services.alerting.groups.group import Group, Scene
from services.alerting.groups.group_desk import DUE, GROUP, PACE, Desk, Look, Pace
from services.alerting.groups.muting import MUTING_KEYS, Muting
from services.alerting.merge import Merged, merge, state
from services.alerting.telling import SEVERITIES, Due, is_over
from services.runtime.machines.machine import Machine, Output, Record
from services.runtime.murmur import misplaced

KEEP_MS: Final = 31 * DAY_MS
"""How long an alert that is over is remembered: a day longer than the log, so that every repeat is known."""

SWEEP_MS: Final = DAY_MS // 24
"""Between two looks for what is over."""

MAX_FACT_BYTES: Final = 512 * 1024
"""Half of what a record on `alert-state` may be: the merged whole has to fit as well."""

_ALERT: Final = b"alert:"
_CLOCK: Final = b"clock"


class Alert(Versioned):
    """All that is remembered of one alert.

    seq: the offset of the fact that last changed it. routed: the severity (0 to 2) with which it was last seen who has
    to hear of it. touched_ms: append time of its latest fact.
    """

    alert_id: str
    merged: Merged = Merged()
    seq: int = 0
    routed: int = -1
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
        self._whole: dict[str, AlertState] = {}
        self._desk = Desk()
        self._muting = Muting(partition, partitions)
        self._changed: dict[bytes, Versioned | None] = {}
        self._now_ms = 0

    def heads(self) -> Iterator[Due]:
        """The next message of each group to each receiver."""
        return iter(self._desk.due.values())

    def waiting(self) -> int:
        """How many messages are due."""
        return len(self._desk.due)

    def whole(self, alert_ids: Iterable[HexId]) -> Iterator[AlertState]:
        """Those of these alerts that are known, as they are now."""
        return (self._whole[each] for each in alert_ids if each in self._whole)

    def next_look(self) -> Look | None:
        """When the machine has something to do even if nothing comes; any record after that moment makes it do so."""
        return self._desk.next_look()

    def unresolved(self, writer: str) -> Iterator[tuple[AlertState, int]]:
        """The alerts that a writer has spoken of and that are not over, each with the number of its newest fact."""
        for alert in self._alerts.values():
            if writer in alert.merged.heard:
                whole = state(alert.alert_id, alert.merged)
                if whole is not None and whole.status != "resolved":
                    yield whole, alert.merged.heard[writer][0]

    def apply(self, record: Record) -> Iterable[Output]:
        """Do what the time has come for, then take in one record; what cannot be read is told to the audit."""
        self.next_offset = record.offset + 1
        return [*self._pass_time(record.timestamp_ms), *self._judge(record)]

    def _judge(self, record: Record) -> list[Output]:
        if len(record.value) > MAX_FACT_BYTES:
            return [_record(audit.refused(self.partition, record, f"larger than {MAX_FACT_BYTES} bytes"))]
        try:
            if record.key in MUTING_KEYS:
                return list(self._take_muting(record))
            fact = AlertFact.model_validate_json(record.value)
        except ValidationError as error:
            return [_record(audit.refused(self.partition, record, audit.problems(error)))]
        if problem := self._is_stray(fact, record):
            return [_record(audit.refused(self.partition, record, problem))]
        return list(self._take(fact, record) if fact.delivery is None else self._settle(fact, fact.delivery))

    def changed(self) -> Iterable[tuple[bytes, bytes | None]]:
        """What changed, a record each: alerts, groups, due messages, the policy and silences, and the clock."""
        for part in (self._desk.changed, self._muting.changed):
            self._changed.update(part)
            part.clear()
        records = [(key, None if it is None else it.model_dump_json().encode()) for key, it in self._changed.items()]
        self._changed = {}
        return records

    def load(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Take over a snapshot. A record of another format raises a ValidationError: a newer release wrote it."""
        found: dict[type[Versioned], list[Any]] = {}
        for key, value in records:
            kind = next((each for prefix, each in _KINDS.items() if key.startswith(prefix)), None)
            if kind is not None:
                found.setdefault(kind, []).append(kind.model_validate_json(value))
            else:
                self._muting.load(key, value)
        for clock in found.get(Clock, ()):
            self._now_ms = clock.now_ms
        for alert in found.get(Alert, ()):
            self._alerts[alert.alert_id] = alert
            if (whole := state(alert.alert_id, alert.merged)) is not None:
                self._whole[alert.alert_id] = whole.model_copy(update={"seq": alert.seq})
        self._desk.load(found.get(Group, ()), found.get(Due, ()), found.get(Pace, ()))

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
        alert = self._alerts.get(fact.alert_id) or Alert(alert_id=fact.alert_id, touched_ms=record.timestamp_ms)
        merged = merge(alert.merged, fact)
        if merged is None:
            return
        alert = alert.model_copy(update={"merged": merged, "touched_ms": record.timestamp_ms})
        before, after = self._whole.get(fact.alert_id), state(fact.alert_id, merged)
        if after is not None:
            if before is None or after != before.model_copy(update={"seq": 0}):
                alert = alert.model_copy(update={"seq": record.offset})
                after = self._whole[fact.alert_id] = after.model_copy(update={"seq": record.offset})
                yield Output(ALERT_STATE, fact.alert_id.encode(), after.model_dump_json().encode())
                yield from self._muting.announce(after, before)
            alert, dropped = self._tell(alert, self._whole[fact.alert_id], fact)
            yield from map(_record, dropped)
        self._alerts[alert.alert_id] = self._changed[_ALERT + alert.alert_id.encode()] = alert

    def _tell(self, alert: Alert, whole: AlertState, fact: AlertFact) -> tuple[Alert, list[AuditRecord]]:
        """Who hears of a change. An alert that is over when it becomes known is nobody's news."""
        scene = self._scene(fact.at)
        severity = SEVERITIES.index(whole.severity)
        routing = not is_over(whole) and (severity > alert.routed or not self._desk.has(alert.alert_id))
        acknowledged = fact.acknowledged_by is not None
        dropped = self._desk.take(whole, self._muting.rules, scene, route=routing, acknowledged=acknowledged)
        records = self._replaced(dropped, scene)
        if is_over(whole) and self._muting.rules.is_source(whole):
            records += self._replaced(self._desk.look_at_all(scene), scene)
        return alert.model_copy(update={"routed": max(severity, alert.routed)} if routing else {}), records

    def _settle(self, fact: AlertFact, report: DeliveryReport) -> Iterator[Output]:
        """What the deliverer's report changes. One that only says that time has passed has done so by coming."""
        due = self._desk.due.get(report.webhook_id)
        if due is None or report.outcome == "due":
            return
        subject = self._whole[due.alert_id].subject
        yield _record(audit.delivery(self.partition, due, subject, report, report.outcome, fact.at))
        scene = self._scene(fact.at)
        dropped = self._desk.end(due, scene, arrived=report.outcome == "delivered")
        yield from map(_record, self._replaced(dropped, scene))

    def _take_muting(self, record: Record) -> Iterator[Output]:
        """A policy, a silence, or word of an alert elsewhere: of what people may be told has changed."""
        yield from self._muting.take(record, self._whole.values())
        scene = self._scene(from_ms(self._now_ms))
        yield from map(_record, self._replaced(self._desk.look_at_all(scene), scene))

    def _scene(self, at: Instant) -> Scene:
        rules, now_ms = self._muting.rules, self._now_ms
        return Scene(
            now_ms=now_ms,
            at=at,
            zone=rules.zone,
            gather_ms=round(rules.alerting.gather.total_seconds() * 1000),
            alerts=self._whole,
            quiet_until=lambda alert: self._muting.quiet_until(alert, now_ms),
        )

    def _replaced(self, dropped: list[Due], scene: Scene) -> list[AuditRecord]:
        return [audit.replaced(self.partition, due, self._whole[due.alert_id].subject, scene.at) for due in dropped]

    def _pass_time(self, now_ms: int) -> Iterator[Output]:
        """The log's clock goes on: what is to be told by now, and every full hour what is long over is forgotten."""
        before, self._now_ms = self._now_ms, max(self._now_ms, now_ms)
        if self._now_ms > before:
            self._changed[_CLOCK] = Clock(now_ms=self._now_ms)
        scene = self._scene(from_ms(self._now_ms))
        yield from map(_record, self._replaced(self._desk.look(scene), scene))
        if self._now_ms // SWEEP_MS > before // SWEEP_MS:
            self._muting.sweep(self._now_ms)
            for alert in sorted(filter(self._is_forgotten, self._alerts.values()), key=lambda alert: alert.alert_id):
                del self._alerts[alert.alert_id]
                self._changed[_ALERT + alert.alert_id.encode()] = None
                if self._whole.pop(alert.alert_id, None) is not None:
                    yield Output(ALERT_STATE, alert.alert_id.encode(), None)

    def _is_forgotten(self, alert: Alert) -> bool:
        """Whether it is over or was never opened, with nothing to tell and no fact for as long as the log is kept."""
        if self._now_ms - alert.touched_ms <= KEEP_MS or self._desk.has(alert.alert_id):
            return False
        whole = self._whole.get(alert.alert_id)
        return whole is None or is_over(whole)


_KINDS: Final[dict[bytes, type[Versioned]]] = {_ALERT: Alert, GROUP: Group, DUE: Due, PACE: Pace, _CLOCK: Clock}


def build(partition: int, partitions: int = 1) -> AlertingMachine:
    """A fresh machine for one partition of `alerts`, of so many."""
    return AlertingMachine(partition, partitions)


def _record(record: AuditRecord) -> Output:
    return Output(AUDIT, record.target.encode(), record.model_dump_json().encode())
