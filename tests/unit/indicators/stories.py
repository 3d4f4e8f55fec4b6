"""Random stories for property tests: events in segments, each ended by a mark, cut into frames in any way."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from hypothesis import strategies as st

from schemas.frames import source_of
from services.runtime.machines.machine import Output, Record
from tests.support.indicator_log import TEN, Event, Log, commands, facts, mark, policy
from tests.unit.indicators.world import HOUR, MINUTE, SECOND

SOURCES = {
    "complaints": [source_of("complaint-events", n) for n in (0, 1)],
    "purchases": [source_of("conversion-events", n) for n in (0, 1)],
    "clicks": [source_of("channel-events", n) for n in (0, 1)],
}
ROSTER = [source for sources in SOURCES.values() for source in sources]
EVENING = TEN + 12 * HOUR
"""Ten at night, so that most stories go past midnight."""
LOW: dict[str, dict[str, object]] = {
    "complaint_volume": {"thresholds": {"complaints": 4, "anonymous_share": 0.5}},
    "complaint_rate": {"thresholds": {"min_complaints": 2, "min_purchases": 3, "slow_at": 0.2, "pause_at": 0.5}},
    "click_fraud": {"thresholds": {"clicks": 8, "account_clicks": 4}, "clear": {"below": 0.5, "hold": "30s"}},
}
"""Figures that a few events reach."""
WEIBO = "channel:weibo"
CHANGES: list[dict[str, dict[str, object]]] = [
    LOW,
    {"complaint_volume": {"thresholds": {"complaints": 2}}, "click_fraud": {"thresholds": {"clicks": 4}}},
    {name: {"maturity": "shadow"} if name == "complaint_volume" else {"enabled": False} for name in LOW},
    {
        "complaint_volume": LOW["complaint_volume"] | {"overrides": {WEIBO: {"maturity": "shadow"}}},
        "complaint_rate": LOW["complaint_rate"]
        | {"fire": {"hold": "10m"}, "overrides": {WEIBO: {"maturity": "auto", "fire": {"hold": "0s"}}}},
    },
    {"complaint_volume": {"enabled": False, "overrides": {WEIBO: {"enabled": True, "thresholds": {"complaints": 3}}}}},
]
"""What the policy may become in the middle of a story."""


@dataclass(frozen=True)
class Segment:
    """Events that ingest found between two marks, and the time of the second one."""

    events: tuple[Event, ...]
    until_ms: int


@dataclass(frozen=True)
class Story:
    """What happens to the subjects of one partition."""

    subject: str
    segments: tuple[Segment, ...]

    @property
    def events(self) -> list[Event]:
        """All events."""
        return [event for segment in self.segments for event in segment.events]


@dataclass
class _Numbers:
    """The next offset of each source. Some offsets are other partitions' events."""

    random: Random
    next: dict[int, int]

    def take(self, source: int) -> int:
        offset = self.next.get(source, 0) + self.random.choice((0, 0, 0, 2))
        self.next[source] = offset + 1
        return offset


def _channel_event(random: Random, numbers: _Numbers, now: int) -> Event:
    what = random.choice(("complaints", "complaints", "purchases", "clicks"))
    source = random.choice(SOURCES[what])
    at = now - random.choice((0, 0, 0, MINUTE, 20 * MINUTE, 3 * HOUR)) - random.randrange(5 * MINUTE)
    channel = random.choice(("douyin", "weibo"))
    if what != "complaints":
        return Event(source, numbers.take(source), at, what, channel, count=random.randrange(4))
    return Event(
        source,
        numbers.take(source),
        at,
        what,
        channel,
        account=random.choice((None, "a", "b", "c", "d", "e")),
        ip=random.choice((None, "x", "y", "z")),
        one_click=random.random() < 0.5,
    )


def _click(random: Random, numbers: _Numbers, now: int) -> Event:
    source = random.choice(SOURCES["clicks"])
    return Event(
        source,
        numbers.take(source),
        now - random.choice((0, 0, 0, 20, 60, 300)) * SECOND - random.randrange(10 * SECOND),
        "clicks",
        random.choice(("douyin", "weibo")),
        count=random.choice((1, 1, 1, 0, 3)),
        account=random.choice((None, "a", "b")),
        ip=random.choice(("1.1.1.1", "2.2.2.2")),
        link=random.choice((None, "l1", "l2")),
    )


def tell(subject: str, seed: int) -> Story:
    """A story. Shrinking a seed says little, but stories are short."""
    random = Random(seed)
    numbers = _Numbers(random, {})
    make = _channel_event if subject == "channel" else _click
    steps = (0, MINUTE, 20 * MINUTE, 2 * HOUR) if subject == "channel" else (0, 5 * SECOND, 30 * SECOND, 3 * MINUTE)
    segments, now = [], EVENING
    for _ in range(random.randrange(1, 6)):
        now += random.choice(steps)
        events = tuple(make(random, numbers, now) for _ in range(random.randrange(12)))
        segments.append(Segment(events, now - random.choice((0, MINUTE))))
    segments.append(Segment((), now + random.choice((0, HOUR, 3 * HOUR))))
    return Story(subject, tuple(segments))


def stories(subject: str) -> st.SearchStrategy[Story]:
    """Stories about one kind of subject."""
    return st.integers(0, 2**32).map(lambda seed: tell(subject, seed))


def cut(
    story: Story, seed: int, *, repeats: bool = False, changes: bool = False, still: int | None = None
) -> list[Record]:
    """A log of the story: the events of a segment in frames of any size, each source in the order of its offsets.

    With `repeats` some stretches are sent twice, as ingest does after a restart; with `changes` marks bring other
    policies. still: a source whose time stands still after the first mark, as that of a paused partition does.
    """
    random = Random(seed)
    log = Log(story.subject)
    log.put(mark(TEN - 1, policy=policy(1, **LOW), roster=ROSTER, read={}))
    sent: list[Event] = []
    for segment in story.segments:
        waiting = {source: [event for event in segment.events if event.source == source] for source in ROSTER}
        while any(waiting.values()):
            frame: list[Event] = []
            for source in random.sample(ROSTER, len(ROSTER)):
                number = random.randrange(len(waiting[source]) + 1)
                frame += waiting[source][:number]
                waiting[source] = waiting[source][number:]
            if repeats and sent and random.random() < 0.5:
                source = random.choice(ROSTER)
                again = [event for event in sent if event.source == source][-random.randrange(1, 6) :]
                frame = again + frame
            if frame:
                log.frame(frame)
                sent += [event for event in frame if event not in sent]
        version, says = len(log.records), random.choice(CHANGES)
        change = policy(version, **says) if changes and random.random() < 0.5 else None
        read = {source: EVENING if source == still else segment.until_ms for source in ROSTER}
        log.put(mark(segment.until_ms, policy=change, roster=ROSTER, read=read))
    return log.records


Told = tuple[str | None, str | None, tuple[tuple[str, str, int | None], ...], int, str | None, bool]


def episodes(outputs: Sequence[Output]) -> list[Told]:
    """What was told and ordered, episode by episode, without ids and times of the log: indicator, subject, orders,
    highest level, severity and whether it is over."""
    by_alert: dict[str, list[Told]] = {}
    orders: dict[str | None, list[tuple[str, str, int | None]]] = {}
    for command in commands(outputs):
        orders.setdefault(command.alert_id, []).append((command.command, command.target, command.level))
    for fact in facts(outputs):
        told = (
            fact.indicator,
            fact.subject,
            tuple(sorted(orders.get(fact.alert_id, []), key=str)),
            fact.level or 0,
            fact.severity,
            fact.status == "resolved",
        )
        by_alert.setdefault(fact.alert_id, []).append(told)
    return sorted((_whole(found) for found in by_alert.values()), key=str)


def _whole(found: list[Told]) -> Told:
    indicator, subject, orders, *_ = found[0]
    severity = "critical" if any(each[4] == "critical" for each in found) else found[0][4]
    return indicator, subject, orders, max(each[3] for each in found), severity, any(each[5] for each in found)
