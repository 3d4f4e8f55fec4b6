"""The report of a backtest: what would have fired, what would have been held, and where two policies differ.

Times are RFC 3339 in JSON, money is in CNY. An episode is reported by its place in event time.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Bilingual, Instant, Maturity, Message, Severity, Window
from schemas.commands import Action, Code


class Level(Message):
    """A step that an episode reached, and when."""

    level: int
    at: Instant


class Ordered(Message):
    """A command: done by itself at maturity `auto`, waiting for a person at `approve`."""

    at: Instant
    action: Action
    target: str
    factor: float | None
    level: int | None
    maturity: Maturity


class Trip(Message):
    """One episode of one indicator on one subject. rule: its name, which sets good news of an indicator apart from bad.

    tripped: None where it only warned. resolved: None where it still stood at the end. value, threshold: at the worst.
    shadow: the policy keeps it in the shadow, so nobody would have been told.
    """

    indicator: str
    rule: str
    subject: str
    label: Bilingual
    title: Bilingual
    severity: Severity
    opened: Instant
    tripped: Instant | None
    resolved: Instant | None
    seconds: float
    levels: list[Level]
    value: float
    threshold: float
    orders: list[Ordered]
    shadow: bool

    @property
    def level(self) -> int:
        """The highest step; 0 for a warning."""
        return max((each.level for each in self.levels), default=0)

    @property
    def key(self) -> tuple[str, str]:
        """What it is an episode of."""
        return self.rule, self.subject


class Total(Message):
    """An indicator on a subject: trips, warnings that came to nothing, how long they stood, orders by maturity."""

    indicator: str
    subject: str
    label: Bilingual
    trips: int
    warnings: int
    seconds: float
    orders: dict[str, int]


class Held(Message):
    """Traffic of a channel that orders would have held back; of a throttle the share that is not let through.

    by: what acts by itself, or what waits for a person, as if approved at once. From each order to the end of its
    episode, orders at the same time counted once, from hourly sums.
    """

    channel: str
    label: Bilingual
    by: Literal["auto", "approve"]
    hours: float
    clicks: float
    impressions: float
    spend: float
    accounts_opened: float
    purchases: float


class Run(Message):
    """What would have happened under one policy. troubles: of the indicators themselves, such as a rule that raised."""

    policy: str
    codes: list[Code]
    trips: list[Trip]
    totals: list[Total]
    held: list[Held]
    troubles: list[Bilingual]


class Difference(Message):
    """An episode under the first policy, the second, or both; first and second are its places in the runs' trips."""

    kind: Literal["only_first", "only_second", "changed"]
    indicator: str
    subject: str
    label: Bilingual
    first: int | None
    second: int | None

    def sides(self, runs: Sequence[Run]) -> tuple[Trip | None, Trip | None]:
        """The episode under each policy."""
        first = None if self.first is None else runs[0].trips[self.first]
        second = None if self.second is None else runs[1].trips[self.second]
        return first, second


class Point(Message):
    """A verdict: `at` in ms since the epoch; no value where there was too little to say."""

    at: int
    value: float | None
    threshold: float


class Series(Message):
    """A rule on a subject over time, by run; of each stretch the worst verdict."""

    rule: str
    indicator: str
    subject: str
    label: Bilingual
    runs: list[list[Point]]


Origin = Literal["archive", "topics"]


class Part(Message):
    """From when to when there was anything in the window to read from an archive, or from the topics."""

    of: Origin
    first: Instant
    last: Instant


class Source(Message):
    """What was read. warm_up_s: how far the log reaches back before the window, of what the indicators look back to.

    first, last: the times of the first and the last record that was read. parts: none for a file.
    """

    name: str
    records: int
    dead: int
    by_topic: dict[str, int]
    warm_up_s: float
    warm_up_wanted_s: float
    first: Instant | None = None
    last: Instant | None = None
    parts: list[Part] = []


class Report(Message):
    """The whole."""

    v: Literal[1] = 1
    window: Window
    time_zone: str
    source: Source
    runs: Annotated[list[Run], Field(min_length=1, max_length=2)]
    differences: list[Difference]
    series: list[Series]
    notes: list[Bilingual]
