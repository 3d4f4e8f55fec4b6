"""What was measured, for people: a table in the terminal."""

from collections.abc import Iterator

from rich.table import Table

from tests.quality import score
from tests.quality.labels import HARM
from tests.quality.measure import Measured
from tests.quality.score import Score

COLUMNS = ("incidents", "found", "missed", "doubled", "near misses", "tripped", "false", "delay p50", "delay p95")


def tables(measured: Measured) -> Iterator[Table]:
    """Of the stories, and of the calm days."""
    table = Table("indicator", *COLUMNS, title="Stories")
    for name, each in sorted(measured.stories.items()):
        delays = sorted(delay for found in each.delays_ms.values() for delay in found)
        table.add_row(
            name,
            *map(str, (each.incidents, each.found, len(each.missed), len(each.doubled))),
            *map(str, (each.near_misses, len(each.tripped_near_misses), sum(each.false.values()))),
            *(span(score.quantile(delays, share)) for share in (0.5, 0.95)),
        )
    yield table
    days = measured.calm
    title = f"False trips on {days.get('channel', 0):,} calm channel-days and {days.get('product', 0):,} product-days"
    table = Table("indicator", *HARM, "per 1,000 days", title=title)
    for name, each in sorted(measured.false.items()):
        rate = 1000 * sum(each.false.values()) / days_of(measured, each)
        table.add_row(name, *(str(each.false[harm]) for harm in HARM), f"{rate:.2f}")
    yield table


def days_of(measured: Measured, each: Score) -> int:
    """The subject-days on which an indicator could have erred."""
    kind = "product" if any(example.startswith("product:") for example in each.examples) else "channel"
    return max(measured.calm.get(kind, 0), 1)


def span(seconds: float | None) -> str:
    """A delay as people say it."""
    if seconds is None:
        return "–"
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"
