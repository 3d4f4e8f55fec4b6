"""The report on a terminal."""

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from schemas.backtest import Report, Run, Trip
from services.cli.backtest.readable import amount, clock, figure, lasting, short

SHOWN = 40
"""Rows of a table at most; the JSON and the page have all."""
_KINDS = {"only_first": "only under {a}", "only_second": "only under {b}", "changed": "changed"}


def of(report: Report) -> Iterator[Table | Text]:
    """All that is worth a look."""
    yield _read(report)
    for run in report.runs:
        yield _totals(run)
        yield _trips(run, report.time_zone)
        if run.held:
            yield _held(run)
    if len(report.runs) > 1:
        yield _differences(report)
    for note in report.notes:
        yield Text(f"· {note.en}")


def _read(report: Report) -> Text:
    source, zone = report.source, report.time_zone
    start, end = clock(report.window.from_, zone), clock(report.window.to, zone)
    return Text(
        f"{source.name}: {source.records:,} records, {source.dead:,} of them no events; {start} to {end} ({zone})"
    )


def _table(title: str, left: str, right: str = "") -> Table:
    table = Table(title=title, title_justify="left")
    for name in left.split():
        table.add_column(name.replace("_", " "))
    for name in right.split():
        table.add_column(name.replace("_", " "), justify="right")
    return table


def _totals(run: Run) -> Table:
    table = _table(f"Under {run.policy}", "indicator subject", "trips warnings stood auto approve")
    for each in run.totals[:SHOWN]:
        orders = [str(each.orders.get(way, 0)) for way in ("auto", "approve")]
        numbers = str(each.trips), str(each.warnings), lasting(each.seconds)
        table.add_row(each.indicator, short(each.subject), *numbers, *orders)
    return _cut(table, len(run.totals))


def _trips(run: Run, zone: str) -> Table:
    table = _table(f"What fired under {run.policy}", "indicator subject tripped resolved", "stood level value limit")
    table.add_column("ordered")
    tripped = [trip for trip in run.trips if trip.tripped is not None]
    for trip in tripped[:SHOWN]:
        table.add_row(*_trip(trip, zone), style="dim" if trip.shadow else None)
    return _cut(table, len(tripped))


def _trip(trip: Trip, zone: str) -> tuple[str, ...]:
    return (
        trip.indicator + (" (shadow)" if trip.shadow else ""),
        short(trip.subject),
        clock(trip.tripped or trip.opened, zone),
        "stands" if trip.resolved is None else clock(trip.resolved, zone),
        lasting(trip.seconds),
        str(trip.level),
        figure(trip.value, trip.threshold),
        figure(trip.threshold, trip.threshold),
        ordered(trip),
    )


def ordered(trip: Trip) -> str:
    """What was ordered, each action once, with what became of it."""
    said = {"auto": "", "approve": " (waits)"}
    return ", ".join(dict.fromkeys(f"{each.action}{said.get(each.maturity, '')}" for each in trip.orders))


def _held(run: Run) -> Table:
    columns = "hours clicks impressions spend accounts purchases"
    table = _table(f"Traffic that {run.policy} would have held back, at least", "channel by", columns)
    ways = {"auto": "itself", "approve": "approval"}
    for each in run.held[:SHOWN]:
        sums = each.clicks, each.impressions, each.spend, each.accounts_opened, each.purchases
        table.add_row(short(each.channel), ways[each.by], f"{each.hours:.1f}", *map(amount, sums))
    return _cut(table, len(run.held))


def _differences(report: Report) -> Table:
    a, b = (run.policy for run in report.runs)
    table = _table(f"{a} against {b}", "what indicator subject first second")
    for each in report.differences[:SHOWN]:
        what = _KINDS[each.kind].format(a=a, b=b)
        table.add_row(
            what,
            each.indicator,
            short(each.subject),
            *(_side(trip, report.time_zone) for trip in each.sides(report.runs)),
        )
    return _cut(table, len(report.differences))


def _side(trip: Trip | None, zone: str) -> str:
    """When and at which level it tripped."""
    if trip is None:
        return "–"
    what = "warned" if trip.tripped is None else f"level {trip.level}"
    return f"{clock(trip.tripped or trip.opened, zone)}, {what}, {lasting(trip.seconds)}"


def _cut(table: Table, rows: int) -> Table:
    if rows > SHOWN:
        table.caption = f"and {rows - SHOWN:,} more"
    return table
