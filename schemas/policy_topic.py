"""What is on the `policy` topic: the documents, which of them is active, and how each version came about."""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field

from schemas.base import Fingerprint, Instant, Name, Text, Versioned
from schemas.policy import Policy, PolicyRef

ACTIVE_KEY: Final = "active"
HISTORY: Final = "history/"
CHAINS_KEY: Final = "audit-chains"


class AuditChains(Versioned):
    """Where the policy command's chains on `audit` stand: writer, partition, number and digest of each.

    Written with every audit record of the command, in the same transaction.
    """

    heads: list[tuple[Name, int, int, Fingerprint]] = []


class PolicyRecord(Versioned):
    """How a version came about; key `history/<name>/<version>`.

    by: `person:<name>`, or `system` for the first of all. follows: what was active then. restores: the version whose
    content it has again. becomes_auto: what may act by itself under it that might not before. asks_fewer: what takes
    fewer people under it. Such a version is `proposed` until as many others agree as approvals_needed, by `expires_at`;
    agreed: those who do. approved_by: the last of them. Somebody else's no makes it `rejected`, and whoever proposed it
    takes it back (`withdrawn`): ended_by, ended_at, ended_why.
    """

    name: Name
    version: Annotated[int, Field(ge=1)]
    state: Literal["proposed", "applied", "rejected", "withdrawn"]
    by: Name
    at: Instant
    note: Text | None = None
    follows: str | None = None
    restores: int | None = None
    becomes_auto: list[str] = []
    asks_fewer: list[str] = []
    approvals_needed: Annotated[int, Field(ge=1)] = 1
    agreed: list[Name] = []
    expires_at: Instant | None = None
    approved_by: Name | None = None
    approved_at: Instant | None = None
    ended_by: Name | None = None
    ended_at: Instant | None = None
    ended_why: Text | None = None

    @property
    def label(self) -> str:
        """`name/version`."""
        return f"{self.name}/{self.version}"

    @property
    def is_ended(self) -> bool:
        """Whether somebody has said no to it, for good."""
        return self.state in ("rejected", "withdrawn")

    def is_waiting(self, now: datetime) -> bool:
        """Whether it may still be approved."""
        return self.state == "proposed" and self.expires_at is not None and now < self.expires_at


class PolicyTopic:
    """The topic, folded. Documents stay as they are: an old one may be of a form that this release cannot read."""

    def __init__(self) -> None:
        self.active: str | None = None
        self.documents: dict[str, bytes] = {}
        self.records: dict[str, PolicyRecord] = {}
        self.chains = AuditChains()

    def fold(self, key: bytes, value: bytes | None) -> None:
        """Takes in one record; what is none of ours raises ValueError."""
        name = key.decode()
        if name == ACTIVE_KEY:
            ref = PolicyRef.model_validate_json(value or b"")
            self.active = f"{ref.name}/{ref.version}"
        elif name.startswith(HISTORY):
            record = PolicyRecord.model_validate_json(value or b"")
            self.records[record.label] = record
        elif name == CHAINS_KEY:
            self.chains = AuditChains.model_validate_json(value or b"")
        elif value is not None:
            self.documents[name] = value

    def in_force(self) -> Policy | None:
        """The active policy, None where there is none; one that this release cannot read raises ValueError."""
        document = self.documents.get(self.active or "")
        return None if document is None else Policy.model_validate_json(document)

    def highest(self, name: str) -> int:
        """The highest version that any document of this name has, 0 where there is none."""
        versions = [label.rpartition("/")[2] for label in self.documents if label.rpartition("/")[0] == name]
        return max((int(each) for each in versions if each.isdecimal()), default=0)


def history_key(label: str) -> str:
    """The key of a version's PolicyRecord."""
    return HISTORY + label
