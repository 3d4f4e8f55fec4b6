"""The indicators of a target as small lines, for tables. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from markupsafe import Markup

from services.console.pages.charts.chart_data import Frame, Reading, Show
from services.console.pages.charts.charts import SPARK_SPOTS, spark
from services.console.pages.frame.indicators import Known, figure, of_subject
from services.console.pages.frame.speaking import Speaker

DAY_MS: Final = 24 * 3_600_000
GAP_MS: Final = 15 * 60_000
"""Of the last day there is a reading every five minutes: a line ends where three are missing."""


class Source(Protocol):
    """What is asked of readings: the newest, and the largest of each of so many parts of a stretch of time."""

    def last(self, indicator: str, subject: str) -> Reading | None: ...
    def largest(
        self, indicator: str, subject: str, since_ms: int, until_ms: int, most: int
    ) -> Sequence[tuple[int, float]]: ...


@dataclass(frozen=True, slots=True)
class Line:
    """One indicator. value, threshold: of the last reading, as they are written. subject: what it is about."""

    known: Known
    subject: str
    drawn: Markup
    value: str
    threshold: str
    verdict: str


def shown_by(known: Known, threshold: float | None, speaker: Speaker) -> Show:
    """How the figures of an indicator are written beside this threshold."""
    return lambda value: figure(known.id, value, threshold, speaker)


def line(known: Known, subject: str, source: Source, frame: Frame, speaker: Speaker) -> Line | None:
    """None where nothing was read."""
    last = source.last(known.id, subject)
    if last is None:
        return None
    show = shown_by(known, last.threshold, speaker)
    kept = source.largest(known.id, subject, frame.since_ms, frame.until_ms + 1, SPARK_SPOTS)
    drawn = spark(kept, last, last.threshold, speaker.text(known.title), replace(frame, show=show))
    value = "–" if last.value is None else show(last.value)
    threshold = "–" if last.threshold is None else show(last.threshold)
    return Line(known, subject, drawn, value, threshold, last.verdict)


class Lines:
    """Those of many targets over the day up to a moment, drawn once as long as that moment stays the same: it is the
    end of the last pane of which was read."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._drawn: dict[tuple[str, str], Line | None] = {}
        self._for: tuple[int, str, str] = (0, "", "")

    def of(self, kind: str, target: str, until_ms: int, speaker: Speaker) -> list[Line | None]:
        """One for each indicator of a kind of subject."""
        return [self.one(known, target, until_ms, speaker) for known in of_subject(kind)]

    def one(self, known: Known, target: str, until_ms: int, speaker: Speaker) -> Line | None:
        """One of them."""
        asked = until_ms, speaker.language, speaker.zone.key
        if asked != self._for:
            self._for, self._drawn = asked, {}
        key = known.id, target
        if key not in self._drawn:
            frame = Frame(until_ms - DAY_MS, until_ms, speaker.zone, speaker.language, GAP_MS)
            self._drawn[key] = line(known, target, self._source, frame, speaker)
        return self._drawn[key]
