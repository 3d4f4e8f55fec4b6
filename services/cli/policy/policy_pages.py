"""The policy topic as people read it: one version as a document, and the history of all."""

from datetime import datetime
from typing import Final

from schemas.policy_topic import PolicyRecord, PolicyTopic
from services.policies.changes import RefusedError, document
from services.policies.text import text_of

IN_FORCE: Final = "in-force"
"""What stands for the version in force where a command without a version takes another policy."""
_DATE = "%Y-%m-%d %H:%M"


def label_of(topic: PolicyTopic, version: str | None) -> str:
    """`name/version` of what people call `3` or `default/3`; of the one in force for `in-force` or None.

    Raises RefusedError.
    """
    if version is None or version == IN_FORCE:
        if topic.active is None:
            raise RefusedError("no policy is in force", "没有生效的策略")
        return topic.active
    check_version(version)
    if "/" in version:
        return version
    return f"{(topic.active or 'default').rpartition('/')[0] or 'default'}/{int(version)}"


def check_version(version: str) -> None:
    """Raises RefusedError for what cannot name a version on any cluster."""
    if version != IN_FORCE and not version.rpartition("/")[2].isdecimal():
        raise RefusedError(
            f"{version} is neither a file nor a version such as 3, default/3 or {IN_FORCE}",
            f"{version} 既不是文件，也不是 3、default/3 或 {IN_FORCE} 这样的版本",
        )


def policy_page(topic: PolicyTopic, label: str) -> str:
    """A version as a document that can be applied again, without what is as it is by default; how it came about above.

    Raises RefusedError.
    """
    policy = document(topic, label)
    record = topic.records.get(label)
    lines = [f"# {label}{', in force' if label == topic.active else ''}"]
    lines += [f"#   {line}" for line in _story(record)] if record is not None else []
    return "\n".join(lines) + "\n" + text_of(policy)


def history_page(topic: PolicyTopic, now: datetime) -> str:
    """All versions, the newest last."""
    if not topic.documents:
        return "no policy was ever applied"
    pages = []
    for label in sorted(topic.documents, key=_order):
        record = topic.records.get(label)
        mark = "→" if label == topic.active else " "
        pages.append(f"{mark} {label}{_state(record, now)}")
        pages += [f"      {line}" for line in _story(record)] if record is not None else []
    return "\n".join(pages)


def _order(label: str) -> tuple[str, int]:
    name, _, version = label.rpartition("/")
    return name, int(version) if version.isdecimal() else 0


def _state(record: PolicyRecord | None, now: datetime) -> str:
    if record is None or record.state == "applied":
        return ""
    if record.is_ended:
        return f"  was {record.state}"
    return "  waits for approval" if record.is_waiting(now) else "  was not approved in time"


def _story(record: PolicyRecord) -> list[str]:
    """How a version came about, a sentence a line."""
    verb = "applied" if record.expires_at is None else "proposed"
    restores = f", the content of {record.name}/{record.restores} again" if record.restores is not None else ""
    lines = [f"{verb} by {record.by} at {record.at:{_DATE}} UTC{restores}"]
    if record.becomes_auto:
        lines.append(f"acts by itself since then: {'; '.join(record.becomes_auto)}")
    if record.asks_fewer:
        lines.append(f"asks fewer people since then: {'; '.join(record.asks_fewer)}")
    if record.approved_by is not None and record.approved_at is not None:
        lines.append(
            f"approved by {', '.join(record.agreed or [record.approved_by])} at {record.approved_at:{_DATE}} UTC"
        )
    elif record.ended_by is not None and record.ended_at is not None:
        lines.append(f"{record.state} by {record.ended_by} at {record.ended_at:{_DATE}} UTC: {record.ended_why}")
    elif record.expires_at is not None:
        lines.append(f"to be approved until {record.expires_at:{_DATE}} UTC")
    return lines + ([f"note: {record.note}"] if record.note else [])
