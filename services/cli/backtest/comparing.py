"""Where two runs over the same log differ, episode by episode."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Literal

from schemas.backtest import Difference, Trip

Kind = Literal["only_first", "only_second", "changed"]
_NEVER = datetime.max.replace(tzinfo=UTC)


def differences(first: Sequence[Trip], second: Sequence[Trip]) -> list[Difference]:
    """Episodes of one run only, and those of both that tripped at another time or level, or ordered something else."""
    pairs = list(_paired(first, second))
    return [
        Difference(kind=kind, indicator=trip.indicator, subject=trip.subject, label=trip.label, first=a, second=b)
        for a, b in pairs
        for trip in (first[a] if a is not None else second[b or 0],)
        if (kind := _kind(None if a is None else first[a], None if b is None else second[b])) is not None
    ]


def _kind(first: Trip | None, second: Trip | None) -> Kind | None:
    if first is None:
        return "only_second"
    if second is None:
        return "only_first"
    return None if _essence(first) == _essence(second) else "changed"


def _essence(trip: Trip) -> object:
    return trip.opened, trip.tripped, trip.resolved, trip.levels, trip.orders, trip.severity


def _paired(first: Sequence[Trip], second: Sequence[Trip]) -> Iterator[tuple[int | None, int | None]]:
    """Episodes of the same indicator and subject belong together if they overlap, each to one other, oldest first."""
    free: dict[tuple[str, str], list[int]] = {}
    for index, trip in enumerate(second):
        free.setdefault(trip.key, []).append(index)
    taken: set[int] = set()
    for index, trip in enumerate(first):
        partner = next((b for b in free.get(trip.key, ()) if b not in taken and _overlap(trip, second[b])), None)
        if partner is not None:
            taken.add(partner)
        yield index, partner
    yield from ((None, index) for index in range(len(second)) if index not in taken)


def _overlap(first: Trip, second: Trip) -> bool:
    return first.opened <= (second.resolved or _NEVER) and second.opened <= (first.resolved or _NEVER)
