"""Dead letters opened, to be mended and sent again. Pure."""

from dataclasses import dataclass

from schemas.dead_letters import DeadLetter
from services.ingest.sources.quarantine import KEPT_BYTES
from services.ingest.sources.sealing import Sealer


class CutOffError(ValueError):
    """A dead letter that does not hold all of its record."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which ones. partition, offset: of the rejected record; None: any."""

    topic: str | None
    partition: int | None
    offset: int | None

    def has(self, letter: DeadLetter) -> bool:
        """Whether this is one of them."""
        asked = (self.topic, letter.topic), (self.partition, letter.partition), (self.offset, letter.offset)
        return all(wanted in (None, given) for wanted, given in asked)


def line_of(letter: DeadLetter, sealer: Sealer) -> bytes:
    """The record as one line of NDJSON. Raises CutOffError, and SealError where the key is another.

    An end of a line inside of a record is white space in JSON, so a blank takes its place.
    """
    if letter.size > KEPT_BYTES:
        raise CutOffError
    return b" ".join(sealer.open(letter.raw).splitlines()) + b"\n"


def place_of(letter: DeadLetter) -> str:
    """Where the record stands, and what is wrong with it."""
    errors = "; ".join(f"{each.field} {each.problem}".strip() for each in letter.errors)
    return f"{letter.topic}/{letter.partition} offset {letter.offset}: {errors}"
