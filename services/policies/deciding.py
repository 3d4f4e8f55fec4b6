"""What people say to a version that waits: others agree or say no, and whoever proposed it takes it back. Pure."""

from typing import Literal

from schemas.policy_topic import ACTIVE_KEY, PolicyRecord, PolicyTopic, history_key
from services.policies.changes import (
    ENDED,
    Ask,
    Change,
    RefusedError,
    audit_of,
    document,
    json_of,
    ref_of,
    waits,
    written,
)


def approve(topic: PolicyTopic, label: str, ask: Ask) -> Change:
    """Another person's word. That of the last one that it takes puts a proposal in force."""
    by, known = ask.by, topic.records.get(label)
    if known is not None and label == topic.active:  # said again by whoever saw no answer, for all to be told
        return Change(f"{label} is in force", in_force=True, records={history_key(label): json_of(known)})
    record = _proposed(topic, label)
    if _is(record.by, by):
        raise RefusedError(
            f"{record.by} proposed {label}: it takes another person to approve it",
            f"{label} 由 {record.by} 提出：须由他人批准",
        )
    if any(_is(each, by) for each in record.agreed):
        raise RefusedError(
            f"{by} has approved {label} before: it takes another person", f"{by} 已批准过 {label}：还须由他人批准"
        )
    if not record.is_waiting(ask.at):
        raise RefusedError(
            f"{label} waited until {written(record.expires_at)}: apply it again",
            f"{label} 的审批期限为 {written(record.expires_at)}：请重新提交",
        )
    if record.follows != topic.active:
        raise RefusedError(
            f"{topic.active} came into force since {label} was proposed: apply it as a newer version",
            f"{label} 提出之后 {topic.active} 已生效：请以更新的版本号重新提交",
        )
    policy = document(topic, label)
    agreed = record.model_copy(update={"agreed": [*record.agreed, by]})
    if len(agreed.agreed) < record.approvals_needed:
        says = f"{len(agreed.agreed)} of {record.approvals_needed} people agree. {waits(agreed)}"
        return Change(
            says,
            records={history_key(label): json_of(agreed)},
            audit=audit_of("approve_policy", agreed, by, ask, "waiting"),
        )
    approved = agreed.model_copy(update={"state": "applied", "approved_by": by, "approved_at": ask.at})
    records = {history_key(label): json_of(approved), ACTIVE_KEY: ref_of(policy)}
    audit = audit_of("approve_policy", approved, by, ask, "done")
    return Change(f"{label} is in force now", in_force=True, records=records, audit=audit)


def reject(topic: PolicyTopic, label: str, ask: Ask) -> Change:
    """Another person's no, also of one who agreed before: it ends the proposal."""
    record = _proposed(topic, label)
    if _is(record.by, ask.by):
        raise RefusedError(
            f"{record.by} proposed {label}: they withdraw it, others reject it",
            f"{label} 由 {record.by} 提出：本人请撤回，他人可驳回",
        )
    return _end(record, "rejected", "reject_policy", ask)


def withdraw(topic: PolicyTopic, label: str, ask: Ask) -> Change:
    """The word of the person who proposed it that they ask no more."""
    record = _proposed(topic, label)
    if not _is(record.by, ask.by):
        raise RefusedError(
            f"only {record.by}, who proposed {label}, takes it back; others reject it",
            f"只有提出 {label} 的 {record.by} 可撤回；他人请驳回",
        )
    return _end(record, "withdrawn", "withdraw_policy", ask)


def _proposed(topic: PolicyTopic, label: str) -> PolicyRecord:
    record = topic.records.get(label)
    if record is not None and record.is_ended:
        raise RefusedError(
            f"{label} was {record.state} by {record.ended_by}",
            f"{label} 已被 {record.ended_by} {ENDED[record.state]}",
        )
    if record is None or record.state != "proposed":
        raise RefusedError(f"{label} does not wait for approval", f"{label} 并非待批准")
    return record


def _end(record: PolicyRecord, state: Literal["rejected", "withdrawn"], what: str, ask: Ask) -> Change:
    if ask.note is None or not ask.note.strip():
        raise RefusedError("say why: the audit keeps it, and whoever reads the history", "请填写原因，将写入审计与历史")
    if not record.is_waiting(ask.at):
        raise RefusedError(
            f"{record.label} waited until {written(record.expires_at)}: nobody is asked any more",
            f"{record.label} 的审批期限为 {written(record.expires_at)}：已不再等待",
        )
    ended = record.model_copy(
        update={"state": state, "ended_by": ask.by, "ended_at": ask.at, "ended_why": ask.note.strip()}
    )
    return Change(
        f"{record.label} is {state}; {record.follows} stays in force",
        records={history_key(record.label): json_of(ended)},
        audit=audit_of(what, ended, ask.by, ask, "done"),
    )


def _is(one: str, other: str) -> bool:
    """Whether two names are one person's, however they are written."""
    return one.casefold() == other.casefold()
