"""The policy in force, as the `policy` topic tells it."""

from pydantic import ValidationError

from schemas.policy import Policy, PolicyRef
from services.ingest.marks import PolicyInMarks
from services.ingest.reading.records import Records

ACTIVE = b"active"


class PolicyBook:
    """Folds the records of the `policy` topic. A broken document never takes the place of a good one.

    active: the policy in force, None before the first. position: the next offset of the topic to read.
    """

    def __init__(self) -> None:
        self.active: Policy | None = None
        self.position = 0
        self._document = b""
        self._documents: dict[str, bytes] = {}
        self._wanted: str | None = None
        self._refused: dict[str, str] = {}

    def read(self, records: Records, end: int) -> bool:
        """Takes in what was read of the topic, which ends at `end`; whether another policy is in force now.

        Only at the end of what is there: a late start must not act on last year's versions first.
        """
        for key, value in zip(records.keys, records.values, strict=True):
            self.fold(key, value)
        self.position = records.next
        return self.position >= end and self.adopt()

    def fold(self, key: bytes | None, value: bytes | None) -> None:
        """Takes in one record; what it changes comes into force with `adopt`."""
        label = (key or b"").decode(errors="replace")
        if key == ACTIVE:
            try:
                ref = PolicyRef.model_validate_json(value or b"")
            except ValidationError:
                self._refused[label] = "the record that names the active policy is not one"
            else:
                self._wanted = f"{ref.name}/{ref.version}"
        elif value is None:
            self._documents.pop(label, None)
        else:
            self._documents[label] = value

    def adopt(self) -> bool:
        """Puts the policy in force that the records read so far name; whether it is another one than before."""
        document = self._documents.get(self._wanted or "")
        if document is None or (self.active is not None and document == self._document):
            return False
        try:
            policy = Policy.model_validate_json(document)
        except ValidationError as error:
            places = sorted({".".join(map(str, each["loc"])) for each in error.errors()})
            self._refused[str(self._wanted)] = f"policy {self._wanted} is not valid at {', '.join(places) or 'its top'}"
            return False
        if policy.label != self._wanted:
            self._refused[str(self._wanted)] = f"the document under {self._wanted} says that it is {policy.label}"
            return False
        self.active, self._document = policy, document
        return True

    def take_refusals(self) -> list[str]:
        """Why records were not taken, each told once."""
        refused, self._refused = list(self._refused.values()), {}
        return refused

    def in_marks(self, *, told: bool) -> PolicyInMarks:
        """For a mark; `told` once the document is in an earlier one. Raises LookupError while there is no policy."""
        if self.active is None:
            raise LookupError("no policy is in force")
        return PolicyInMarks(self.active.label, None if told else self._document)
