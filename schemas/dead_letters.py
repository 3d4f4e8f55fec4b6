"""Dead letters: what is not a valid event, kept and explained on `dead-letters`."""

from schemas.base import Instant, Message, Versioned


class Problem(Message):
    """What is wrong with one field; an empty `field` means the record as a whole."""

    field: str
    problem: str


class DeadLetter(Versioned):
    """One rejected record, with its place. `raw` is its first 64 KB, sealed, since it may hold personal data."""

    topic: str
    partition: int
    offset: int
    at: Instant
    errors: list[Problem]
    size: int
    raw: str
