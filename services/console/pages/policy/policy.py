"""The view models of the policy pages. Pure; the time and who asks come in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import yaml
from pydantic import ValidationError

from schemas import problem_words
from schemas.base import Bilingual
from schemas.policy import Policy
from schemas.policy_topic import PolicyRecord, PolicyTopic
from services.console.people import Person
from services.console.state.directory import Unnamed
from services.policies.changed_words import ChangedRow, changed_rows
from services.policies.changes import Ask, RefusedError, apply, document
from services.policies.editing import put
from services.policies.reading import Problem, check
from services.policies.text import text_of
from services.policies.words import looser

State = Literal["active", "applied", "waiting", "lapsed", "rejected", "withdrawn"]
MAX_ROWS: Final = 300
"""Of differences on a page."""
MAX_UNNAMED: Final = 50
"""Of channels, and of products, that are told at once."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version. state: in force, was in force once, waits for others, was not approved in time, or had a no."""

    label: str
    state: State
    record: PolicyRecord | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A version that others have to agree to. more: differences beyond those in `rows`. why_not: why this visitor
    cannot. own: whether this visitor proposed it; may_reject: whether they may say no."""

    version: Version
    rows: Sequence[ChangedRow]
    more: int
    looser: Sequence[Bilingual]
    left: int
    why_not: Bilingual | None
    own: bool
    may_reject: bool


@dataclass(frozen=True, slots=True)
class LineProblem:
    """What is wrong at a line of the document."""

    line: int
    path: str
    problem: Bilingual


@dataclass(frozen=True, slots=True)
class Checked:
    """A document that somebody writes: all that is wrong with it; else what it changes and what would come of it.

    refused: why it could not be put in force as it is. others: how many people have to agree, 0 for none.
    """

    problems: Sequence[LineProblem]
    label: str | None = None
    rows: Sequence[ChangedRow] = ()
    looser: Sequence[Bilingual] = ()
    others: int = 0
    refused: Bilingual | None = None


def still(topic: PolicyTopic) -> PolicyTopic:
    """The topic as it is now, for a thread that looks at it while more is read."""
    copied = PolicyTopic()
    copied.active, copied.documents, copied.records = topic.active, dict(topic.documents), dict(topic.records)
    return copied


def versions(topic: PolicyTopic, now: datetime) -> list[Version]:
    """The newest first."""
    return [_version(topic, label, now) for label in sorted(topic.documents, key=_order, reverse=True)]


def _order(label: str) -> tuple[str, int]:
    name, _, version = label.rpartition("/")
    return name, int(version) if version.isdecimal() else 0


def _version(topic: PolicyTopic, label: str, now: datetime) -> Version:
    record = topic.records.get(label)
    state: State = "active" if label == topic.active else "applied"
    if record is not None and record.state == "proposed":
        state = "waiting" if record.is_waiting(now) and record.follows == topic.active else "lapsed"
    elif record is not None and record.state in ("rejected", "withdrawn"):
        state = record.state
    return Version(label, state, record)


def policy_of(topic: PolicyTopic, label: str | None) -> Policy | None:
    """A version, if there is one that this release can judge by."""
    try:
        return document(topic, label or "")
    except (RefusedError, ValidationError):
        return None


def waiting(topic: PolicyTopic, person: Person, now: datetime) -> list[Waiting]:
    """What others have to agree to, with what each changes."""
    before = policy_of(topic, topic.active)
    found = []
    for version in versions(topic, now):
        after = policy_of(topic, version.label)
        if version.state != "waiting" or version.record is None or before is None or after is None:
            continue
        record = version.record
        lines = [looser(line) for line in (*record.becomes_auto, *record.asks_fewer)]
        left = record.approvals_needed - len(record.agreed)
        rows = changed_rows(before, after)
        more = max(len(rows) - MAX_ROWS, 0)
        own = _is(record.by, person)
        may_reject = not own and person.is_at_least("approver")
        why_not = _why_not(record, person)
        found.append(Waiting(version, rows[:MAX_ROWS], more, lines, left, why_not, own, may_reject))
    return found


def _is(name: str, person: Person) -> bool:
    return name.casefold() == person.issuer.casefold()


def _why_not(record: PolicyRecord, person: Person) -> Bilingual | None:
    if _is(record.by, person):
        return Bilingual(en="You proposed it: others have to agree.", zh="由您提出，须由他人批准。")
    if any(_is(each, person) for each in record.agreed):
        return Bilingual(en="You have agreed. Others have to agree as well.", zh="您已批准，还需其他人批准。")
    if not person.is_at_least("approver"):
        return Bilingual(en="It takes the role approver to agree.", zh="批准需要“审批”角色。")
    return None


def checked(text: str, topic: PolicyTopic, ask: Ask) -> Checked:
    """What is to be said of a document that somebody writes."""
    policy, problems = check(text)
    if policy is None:
        return Checked([_told(each) for each in problems])
    before = policy_of(topic, topic.active)
    rows = [] if before is None else changed_rows(before, policy)
    try:
        change = apply(topic, policy, ask)
    except RefusedError as error:
        return Checked([], policy.label, rows, refused=error.told)
    history = [value for key, value in change.records.items() if key.startswith("history/")]
    record = PolicyRecord.model_validate_json(history[0]) if history else None
    if record is None or record.state == "applied":
        return Checked([], policy.label, rows)
    lines = [looser(line) for line in (*record.becomes_auto, *record.asks_fewer)]
    return Checked([], policy.label, rows, lines, record.approvals_needed)


def _told(found: Problem) -> LineProblem:
    return LineProblem(found.line, ".".join(map(str, found.flaw.path)), problem_words.both(found.flaw.problem))


def draft_of(topic: PolicyTopic, label: str | None) -> str:
    """A version as a document to go on from, under a number that is free."""
    policy = policy_of(topic, label)
    if policy is None:
        return "name: default\nversion: 1\n"
    return text_of(policy.model_copy(update={"version": topic.highest(policy.name) + 1}))


def renumbered(text: str, topic: PolicyTopic) -> str:
    """The text under a number that is free, if its own is taken."""
    policy, _ = check(text)
    if policy is None or policy.version > topic.highest(policy.name):
        return text
    return put(text, ["version"], topic.highest(policy.name) + 1)


def naming(unnamed: Unnamed) -> str:
    """What a document says so that ids have names: the ids, for somebody to write over. Nothing where all have."""
    told = {"channels": unnamed.channels, "products": unnamed.products}
    entries = {
        kind: {each: {"name": {"en": each, "zh": each}} for each in ids[:MAX_UNNAMED]}
        for kind, ids in told.items()
        if ids
    }
    return yaml.safe_dump({"directory": entries}, allow_unicode=True, default_flow_style=None) if entries else ""


def rest_of(policy: Policy) -> str:
    """What a policy says beside the indicators, as a document."""
    return text_of(policy.model_copy(update={"indicators": {}}))
