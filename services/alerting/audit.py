"""What alerting has to say for the audit: each delivery's outcome, and each fact that it could not read."""

from pydantic import ValidationError

from schemas.alerts import DeliveryReport
from schemas.audit import AuditRecord, Outcome
from schemas.base import Bilingual, Instant, Ref, from_ms
from schemas.problems import problems_of
from services.alerting.telling import Due
from services.runtime.ids import derive
from services.runtime.machines.machine import Record


def delivery(
    partition: int, due: Due, subject: Ref, report: DeliveryReport, outcome: Outcome, at: Instant
) -> AuditRecord:
    """A message that was delivered, given up, or had nobody to go to."""
    return _ended(partition, due, subject, at, outcome, Bilingual.of(report.error, report.error_zh), report.status_code)


def replaced(partition: int, due: Due, subject: Ref, at: Instant) -> AuditRecord:
    """A message that was on its way for long, and that a newer one has made needless."""
    why = Bilingual(en="not sent any more: a newer message says what is so now", zh="不再发送：已有更新的通知")
    return _ended(partition, due, subject, at, "recorded", why, None)


def _ended(
    partition: int,
    due: Due,
    subject: Ref,
    at: Instant,
    outcome: Outcome,
    why: Bilingual | None,
    status_code: int | None,
) -> AuditRecord:
    """A message ends once, so its id and how it ended name the record."""
    return AuditRecord(
        audit_id=derive("alerting", due.webhook_id, outcome),
        at=at,
        writer=_writer(partition),
        who="alerting",
        what="deliver",
        target=subject,
        outcome=outcome,
        why=None if why is None else why.en,
        why_zh=None if why is None else why.zh,
        alert_id=due.alert_id,
        detail={
            "webhook_id": due.webhook_id,
            "type": due.change,
            "receiver": due.receiver,
            "alerts": [due.alert_id] if due.group is None else due.group.alerts,
            "status_code": status_code,
        },
    )


def refused(partition: int, record: Record, why: str) -> AuditRecord:
    """A record on `alerts` that is no fact. The record itself is not quoted."""
    return AuditRecord(
        audit_id=derive("alerting", "refused", str(partition), str(record.offset)),
        at=from_ms(record.timestamp_ms),
        writer=_writer(partition),
        who="alerting",
        what="merge",
        target=f"log:alerts/{partition}/{record.offset}",
        outcome="refused",
        why=why,
    )


def problems(error: ValidationError) -> str:
    """What is wrong with a fact, field by field, without its values."""
    return "; ".join(f"{one.field or 'the fact'} {one.problem}" for one in problems_of(error))


def _writer(partition: int) -> str:
    return f"alerting:{partition}"
