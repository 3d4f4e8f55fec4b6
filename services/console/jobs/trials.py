"""Trying a policy on the past: what is known of a trial, and what is kept of its report. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import SecretStr

from schemas.backtest import Difference, Report, Series, Source, Trip
from schemas.base import Bilingual
from services.runtime.settings import CommonSettings, variable

State = Literal["running", "done", "failed", "cancelled"]
DAYS: Final = (7, 14, 30, 60, 90)
MAX_ROWS: Final = 200
_DAY: Final = timedelta(days=1)
MAX_DRAWN: Final = 8
"""Indicators on a subject that are drawn, first those of which the two policies say most different things."""


@dataclass(frozen=True, slots=True)
class Row:
    """An episode of which the two policies say different things; each side None where that one has none."""

    kind: Literal["only_first", "only_second", "changed"]
    indicator: str
    subject: str
    label: Bilingual
    first: Trip | None
    second: Trip | None


@dataclass(frozen=True, slots=True)
class Totals:
    """Of one policy: trips, warnings that came to nothing, orders done at once and orders that would wait."""

    trips: int
    warnings: int
    auto: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """A series of both policies, with the trips of each."""

    series: Series
    trips: Sequence[Sequence[Trip]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trial has found. trips: of each policy, for a chart of all. uncovered: of which days of the window there
    was nothing to read, from when to when."""

    source: Source
    since: datetime
    until: datetime
    totals: Sequence[Totals]
    rows: Sequence[Row]
    differ: int
    trips: Sequence[Sequence[Trip]]
    drawings: Sequence[Drawing]
    notes: Sequence[Bilingual]
    uncovered: Sequence[tuple[datetime, datetime]]


@dataclass(slots=True)
class Trial:
    """One trial. text: the document that was tried. done, total: records."""

    trial_id: str
    by: str
    at: datetime
    days: int
    before: str
    after: str
    text: str
    state: State = "running"
    done: int = 0
    total: int = 0
    problem: str = ""
    outcome: Outcome | None = field(default=None, repr=False)


def outcome_of(report: Report) -> Outcome:
    """What is worth keeping of a report of two policies."""
    first, second = ([trip for trip in run.trips if trip.tripped is not None] for run in report.runs)
    rows = [_row(each, report) for each in report.differences]
    return Outcome(
        source=report.source,
        since=report.window.from_,
        until=report.window.to,
        totals=[_totals(run.trips) for run in report.runs],
        rows=rows[:MAX_ROWS],
        differ=len(rows),
        trips=[first, second],
        drawings=list(_drawings(report, (first, second))),
        notes=report.notes,
        uncovered=list(_uncovered(report)),
    )


def _uncovered(report: Report) -> Iterator[tuple[datetime, datetime]]:
    """A day and more of which no part tells: a quiet day is one too, since a log cannot tell the two apart."""
    reached = report.window.from_
    for part in sorted(report.source.parts, key=lambda each: each.first):
        if part.first - reached >= _DAY:
            yield reached, part.first
        reached = max(reached, part.last)
    if report.source.parts and report.window.to - reached >= _DAY:
        yield reached, report.window.to


def _row(found: Difference, report: Report) -> Row:
    first, second = found.sides(report.runs)
    return Row(found.kind, found.indicator, found.subject, found.label, first, second)


def _totals(trips: Sequence[Trip]) -> Totals:
    tripped = sum(trip.tripped is not None for trip in trips)
    orders = [order.maturity for trip in trips for order in trip.orders]
    return Totals(tripped, len(trips) - tripped, orders.count("auto"), orders.count("approve"))


def _drawings(report: Report, trips: Sequence[Sequence[Trip]]) -> Iterator[Drawing]:
    differing = [(each.indicator, each.subject) for each in report.differences]
    drawn: list[tuple[int, int, Drawing]] = []
    for series in report.series:
        own = [[trip for trip in side if trip.key == (series.rule, series.subject)] for side in trips]
        if any(own):
            drawn.append((-differing.count((series.indicator, series.subject)), len(drawn), Drawing(series, own)))
    yield from (each for _, _, each in sorted(drawn, key=lambda found: found[:2])[:MAX_DRAWN])


def command(trial: Trial, folder: Path, archive: Path | None, topics: bool) -> list[str]:
    """The arguments of `tidegate` for a trial whose policies are in a folder, where the report goes too. topics: these
    as well, from where the archive ends."""
    said = ["backtest", "--policy", str(folder / "before.yaml"), "--against", str(folder / "after.yaml")]
    said += ["--from", f"{trial.days}d", "--json", str(folder / "report.json"), "--progress"]
    if archive is None:
        return said
    return [*said, "--archive", str(archive), *(["--topics"] if topics else [])]


def environment(environ: Mapping[str, str], kafka: CommonSettings | None) -> dict[str, str]:
    """What the process of a trial is told: nothing of ours but the way to Kafka, and not even that for an archive."""
    told = {name: value for name, value in environ.items() if not name.startswith("TIDEGATE_")}
    if kafka is not None:
        known = {field: getattr(kafka, field) for field in CommonSettings.model_fields}
        told |= {variable(field): _plain(value) for field, value in known.items() if value not in (None, "")}
    return told


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)
