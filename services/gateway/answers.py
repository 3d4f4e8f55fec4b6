"""What the gateway answers. Pure."""

from collections.abc import Collection, Sequence

from pydantic import BaseModel, Field

from schemas.dead_letters import Problem
from schemas.problems import ProblemDetails
from services.gateway.checking import Refused


class Accepted(BaseModel):
    """All events of the request are on the broker's disk, as it understands that."""

    accepted: int = Field(description="How many events the broker has acknowledged.")


class Rejection(BaseModel):
    """One event that was not accepted."""

    index: int = Field(description="Its place in the request, from 0; empty lines of NDJSON do not count.")
    errors: list[Problem]


class EventsProblem(ProblemDetails):
    """Not all events were accepted; those that were not are listed."""

    accepted: int = Field(description="How many events the broker has acknowledged.")
    rejected: list[Rejection] = Field(default=[], description="Not valid, or not this sender's: mend, then send again.")
    unacknowledged: list[int] = Field(
        default=[],
        description="Places of events of which it is not known that the broker has them: send them again. With the "
        "same event_id that is safe.",
    )


def problem(accepted: int, refused: Sequence[Refused], unacknowledged: Collection[int]) -> EventsProblem | None:
    """What is wrong with a request as a whole; None when every event was accepted.

    The broker's failure comes first (503), since the same request may then succeed; 403 where all that was sent is
    valid but not this sender's; else 422.
    """
    if unacknowledged:
        status, detail = 503, f"Kafka has not acknowledged {len(unacknowledged)} of the events in time"
    elif not refused:
        return None
    elif not accepted and all(one.forbidden for one in refused):
        status, detail = 403, "this token may not send these events"
    else:
        status, detail = 422, f"{len(refused)} of the events are not accepted"
    rejected = [Rejection(index=one.index, errors=one.errors) for one in refused]
    return EventsProblem.of(status, detail, accepted=accepted, rejected=rejected, unacknowledged=sorted(unacknowledged))
