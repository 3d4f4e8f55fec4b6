"""A proof of an alert's decisions as it goes on: what `tidegate verify --alert … --json` says, line by line. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

from schemas.base import Bilingual
from services.console.people import Person

Outcome = Literal["proved", "differs", "not available", "stopped", "failed"]
"""The first three as `tidegate verify` means them. `stopped`: nobody looked any more. `failed`: it could not be run."""
_EXIT: Final[Mapping[int, Outcome]] = {0: "proved", 1: "differs", 3: "not available"}
_SAID: Final = 500
"""Characters of what it said last that are shown."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of an order: what it says, and what is derived."""

    field: str
    said: str
    derived: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one order."""

    command_id: str
    command: str
    target: str
    level: int | None
    outcome: Outcome
    differences: Sequence[Difference]
    notes: Sequence[Bilingual]


@dataclass(frozen=True, slots=True)
class Proof:
    """by: who wanted it. read, of: records, as far as is known. outcome: None while it goes on. why: of what has no
    finding."""

    alert_id: str
    by: str
    since: datetime
    until: datetime | None = None
    read: int = 0
    of: int = 0
    findings: Sequence[Finding] = ()
    outcome: Outcome | None = None
    why: str = ""

    def may_be_stopped_by(self, person: Person) -> bool:
        """Who started it may, and whoever gives orders; others wait, since one runs at a time for all."""
        return person.is_at_least("operator") or person.name.casefold() == self.by.casefold()

    def told(self, line: str) -> "Proof":
        """With one more line; one that is none of ours says nothing."""
        try:
            said = json.loads(line)
        except ValueError:
            return self
        if "finding" in said:
            return replace(self, findings=(*self.findings, _finding(said["finding"])))
        return replace(self, read=said["read"], of=said["of"]) if "read" in said else self

    def ended(self, code: int, said: str, now: datetime) -> "Proof":
        """When the process has ended by itself. said: its last words for people."""
        outcome = _EXIT.get(code, "failed")
        if outcome != "not available" and not self.findings:
            outcome = "failed"  # an interpreter that falls over ends with 1 as well
        why = said[-_SAID:] if outcome == "not available" and not self.findings else ""
        return replace(self, until=now, outcome=outcome, why=why)

    def stopped(self, now: datetime) -> "Proof":
        """When it was ended."""
        return replace(self, until=now, outcome="stopped")


def environ_of(environ: Mapping[str, str], user: str | None, password: str | None) -> dict[str, str]:
    """That of the process that proves: the console's own, but for who it is to Kafka, where somebody else is named."""
    if user is None or password is None:
        return dict(environ)
    own = {name: value for name, value in environ.items() if not name.startswith("TIDEGATE_KAFKA_SASL_PASSWORD")}
    return own | {"TIDEGATE_KAFKA_SASL_USERNAME": user, "TIDEGATE_KAFKA_SASL_PASSWORD": password}


def _finding(told: Mapping[str, Any]) -> Finding:
    differences = tuple(Difference(**each) for each in told["differences"])
    notes = told["notes"], told.get("notes_zh", told["notes"])
    both = tuple(Bilingual(en=en, zh=zh) for en, zh in zip(*notes, strict=True))
    known = {name: told[name] for name in ("command_id", "command", "target", "level", "outcome")}
    return Finding(**known, differences=differences, notes=both)
