"""Changing the policy: what is to be written for it, or why it is refused. Pure; who asks, and when, come in.

A version number stands for one content for ever, and history only goes forward. What makes an indicator act by itself,
or asks fewer people, waits until others approve it (`deciding`): so many, all different, as the policy in force says.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from schemas.audit import AuditRecord, Outcome
from schemas.base import Name, Text
from schemas.policy import Policy, PolicyInForce, PolicyRef
from schemas.policy_topic import ACTIVE_KEY, PolicyRecord, PolicyTopic, history_key
from schemas.problems import ToldError
from schemas.topics import MIB
from services.indicators.registry import flaws_of
from services.policies.differences import NOTHING_ACTS, asks_fewer, becomes_auto
from services.runtime.ids import derive

MAX_BYTES: Final = MIB - 16 * 1024
"""What the logs that are told take of a policy in one record, with what is around it."""
PROPOSAL_STANDS: Final = timedelta(days=7)
ENDED: Final = {"rejected": "驳回", "withdrawn": "撤回"}
"""How a proposal that is over has ended, in Chinese."""
SYSTEM: Final = "system"
"""Who puts the first policy of all in force where nobody is named."""
WHO: Final = "say who you are: --as NAME, or TIDEGATE_CLI_PERSON"
WHO_ZH: Final = "请注明操作人：--as NAME 或 TIDEGATE_CLI_PERSON"
_NAME: Final[TypeAdapter[str]] = TypeAdapter(Name)
_TEXT: Final[TypeAdapter[str]] = TypeAdapter(Text)


class RefusedError(ToldError):
    """A change that is not made; the message says why."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be written, all of it or nothing; and what to say of it. `in_force`: that the logs are to be told."""

    says: str
    in_force: bool = False
    records: Mapping[str, bytes] = field(default_factory=dict)
    audit: AuditRecord | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """Who asks for a change (None: not said), when, and why."""

    name: str | None
    at: datetime
    note: str | None = None

    @property
    def by(self) -> str:
        """As in the audit. Raises RefusedError."""
        if self.name is None or not self.name.strip():
            raise RefusedError(WHO, WHO_ZH)
        if self.name.strip().casefold() == SYSTEM:
            raise RefusedError(f"{SYSTEM} is not a person", f"{SYSTEM} 不是人员")
        try:
            _TEXT.validate_python(self.note or "")
            return _NAME.validate_python(f"person:{self.name.strip()}")
        except ValidationError:
            raise RefusedError(
                "a name is one line of at most 193 characters, and a reason has at most 20,000",
                "姓名须为一行且不超过 193 个字符，原因不超过 20,000 个字符",
            ) from None


def apply(topic: PolicyTopic, policy: Policy, ask: Ask, *, if_newer: bool = False) -> Change:
    """Puts a document in force, or proposes it. `if_newer`: leaves what is in force unless that is an older version."""
    by = SYSTEM if ask.name is None and not topic.documents else None
    known = topic.documents.get(policy.label)
    highest = topic.highest(policy.name)
    if if_newer and _stays(topic.active, policy):
        return Change(f"{topic.active} stays in force, {policy.label} is not newer")
    if known is not None and not _is(policy, known):
        raise RefusedError(
            f"{policy.label} stands for another content already: raise its version above {highest}",
            f"{policy.label} 已用于其他内容：请使用高于 {highest} 的版本号",
        )
    record = topic.records.get(policy.label)
    if policy.label == topic.active:
        return Change(f"{policy.label} is in force", in_force=True)
    if record is not None and record.is_waiting(ask.at):
        return Change(waits(record))
    if record is not None and record.is_ended:
        return _ended(topic, record, leave_it=if_newer)
    renewed = record is not None and record.state == "proposed" and policy.version == highest
    if policy.version <= highest and not renewed:
        hint, zh = (
            (f", or roll back to {policy.version}", f"，或回滚至 {policy.version}") if known is not None else ("", "")
        )
        raise RefusedError(
            f"{policy.name}/{highest} is known already: raise the version above it{hint}",
            f"{policy.name}/{highest} 已存在：请使用更高的版本号{zh}",
        )
    return _enter(topic, policy, by or ask.by, ask)


def rollback(topic: PolicyTopic, label: str, ask: Ask) -> Change:
    """A new version with the content of an old one."""
    by, old = ask.by, document(topic, label)
    if label == topic.active:
        raise RefusedError(f"{label} is in force", f"{label} 正在生效")
    policy = old.model_copy(update={"version": topic.highest(old.name) + 1})
    return _enter(topic, policy, by, ask, restores=old.version)


def _enter(topic: PolicyTopic, policy: Policy, by: str, ask: Ask, restores: int | None = None) -> Change:
    """A version that is new: in force at once, unless more would act by itself than does now, or fewer be asked."""
    if (size := len(json_of(PolicyInForce(policy=policy)))) > MAX_BYTES:
        raise RefusedError(
            f"{policy.label} takes {size:,} bytes, more than {MAX_BYTES:,}: shorten its lists",
            f"{policy.label} 有 {size:,} 字节，超过 {MAX_BYTES:,}：请精简其列表",
        )
    before = policy if topic.active is None else _active(topic)
    acting, fewer = becomes_auto(before, policy), asks_fewer(before, policy)
    is_asked = bool(acting or fewer)
    four_eyes = before.four_eyes
    record = PolicyRecord(
        name=policy.name,
        version=policy.version,
        state="proposed" if is_asked else "applied",
        by=by,
        at=ask.at,
        note=ask.note,
        follows=topic.active,
        restores=restores,
        becomes_auto=acting,
        asks_fewer=fewer,
        approvals_needed=four_eyes.approvals if "policy" in four_eyes.orders else 1,
        expires_at=ask.at + PROPOSAL_STANDS if is_asked else None,
    )
    records = {policy.label: json_of(policy), history_key(policy.label): json_of(record)}
    what = "apply_policy" if restores is None else "roll_back_policy"
    if is_asked:
        return Change(waits(record), records=records, audit=audit_of(what, record, by, ask, "waiting"))
    records[ACTIVE_KEY] = ref_of(policy)
    first = " (the first one, which needs no approval)" if topic.active is None else ""
    audit = audit_of(what, record, by, ask, "done")
    return Change(f"{policy.label} is in force now{first}", in_force=True, records=records, audit=audit)


def _ended(topic: PolicyTopic, record: PolicyRecord, *, leave_it: bool) -> Change:
    """A no stands for this version: the same may be asked for again as a newer one, but not by a mere start."""
    said = f"{record.label} was {record.state} by {record.ended_by}"
    if leave_it:
        return Change(f"{said}: {topic.active} stays in force")
    highest = topic.highest(record.name)
    raise RefusedError(
        f"{said}: raise the version above {highest} to ask again",
        f"{record.label} 已被 {record.ended_by} {ENDED[record.state]}：再次申请请使用高于 {highest} 的版本号",
    )


def _stays(active: str | None, policy: Policy) -> bool:
    """Whether a start leaves the active policy in force: it is another one, or a later version than the document."""
    if active is None:
        return False
    name, _, version = active.rpartition("/")
    return name != policy.name or int(version) > policy.version


def _active(topic: PolicyTopic) -> Policy:
    """The policy in force; where this release cannot read it, one under which nothing acts by itself."""
    try:
        policy = topic.in_force()
    except ValidationError:
        policy = None
    if policy is None or flaws_of(policy.indicators):
        return Policy(version=1, indicators=NOTHING_ACTS)
    return policy


def document(topic: PolicyTopic, label: str) -> Policy:
    """A version that this release can judge by. Raises RefusedError."""
    if label not in topic.documents:
        raise RefusedError(f"there is no {label}", f"没有 {label}")
    try:
        policy = Policy.model_validate_json(topic.documents[label])
    except ValidationError as error:
        raise RefusedError(f"{label} is of a form that this release cannot read", f"本版本无法读取 {label}") from error
    if flaws := flaws_of(policy.indicators):
        raise RefusedError(
            f"{label} is not valid in this release: {'; '.join(map(str, flaws))}",
            f"{label} 在本版本中无效，问题位于：{'、'.join('.'.join(map(str, flaw.path)) for flaw in flaws)}",
        )
    return policy


def audit_of(what: str, record: PolicyRecord, by: str, ask: Ask, outcome: Outcome) -> AuditRecord:
    """What the audit keeps of a change or a word about one."""
    detail: dict[str, Any] = {"follows": record.follows, "restores": record.restores, "proposed_by": record.by}
    detail |= {"becomes_auto": record.becomes_auto, "asks_fewer": record.asks_fewer, "agreed": record.agreed}
    return AuditRecord(
        audit_id=derive("policy", what, record.label, record.at.isoformat(), by),
        at=ask.at,
        writer="policy",
        who=by,
        what=what,
        target=f"policy:{record.label}",
        outcome=outcome,
        why=ask.note,
        detail=detail,
    )


def waits(record: PolicyRecord) -> str:
    """For whom a proposal waits, why, and until when."""
    lines = [f"{record.label} would act by itself where {record.follows} does not:"] if record.becomes_auto else []
    lines += [f"  {each}" for each in record.becomes_auto]
    lines += [f"{record.label} would ask fewer people than {record.follows}:"] if record.asks_fewer else []
    lines += [f"  {each}" for each in record.asks_fewer]
    left = record.approvals_needed - len(record.agreed)
    whom = "another person" if left == 1 else f"{left} other people"
    but = ", ".join([record.by, *record.agreed])
    lines.append(
        f"It waits until {written(record.expires_at)} for {whom} than {but}: "
        f"tidegate policy approve {record.label} --as NAME"
    )
    return "\n".join(lines)


def _is(policy: Policy, document: bytes) -> bool:
    """Whether a stored document says the same."""
    try:
        return Policy.model_validate_json(document) == policy
    except ValidationError:
        return False


def ref_of(policy: Policy) -> bytes:
    """What makes a version the active one."""
    return json_of(PolicyRef(name=policy.name, version=policy.version))


def json_of(message: Policy | PolicyInForce | PolicyRef | PolicyRecord) -> bytes:
    """As it is on the topic."""
    return message.model_dump_json().encode()


def written(at: datetime | None) -> str:
    """A time in what a change says."""
    return "" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"
