"""Readings for the tests of charts and pages."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from schemas.base import to_ms
from services.console.pages.charts.chart_data import Frame
from tests.unit.console.samples import NOW

MINUTE_MS = 60_000
NOW_MS = to_ms(NOW)


@dataclass(frozen=True, slots=True)
class Read:
    """A reading of so many minutes before NOW is made with `read`."""

    at_ms: int
    value: float | None
    threshold: float | None = 20.0
    verdict: str = "calm"


def read(minutes_ago: int, value: float | None, threshold: float | None = 20.0, verdict: str = "calm") -> Read:
    return Read(NOW_MS - minutes_ago * MINUTE_MS, value, threshold, verdict)


def frame(hours: int = 1, **fields: object) -> Frame:
    known: dict[str, object] = {
        "since_ms": NOW_MS - hours * 60 * MINUTE_MS,
        "until_ms": NOW_MS,
        "zone": ZoneInfo("Asia/Shanghai"),
        "language": "en",
        "gap_ms": 12 * MINUTE_MS,
    }
    return Frame(**known | fields)  # type: ignore[arg-type]
