"""A verdict derived again: the raw records that its evidence names, through ingest's routing and the rules' own code.

The ranges of the evidence hold every event that the verdict rests on, and nothing in them was unknown to the machine
when it judged: a source partition is folded in the order of its offsets. So all of a range is folded, the subject's
windows come out as they were, and the rule judges them as of the same moment.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from schemas.base import Bilingual, to_ms
from schemas.commands import Command, Evidence, SourceRange
from schemas.frames import SubjectFrame
from services.indicators.machine import STORES
from services.indicators.outbox import evidence_of
from services.indicators.rule import AnyRule, Case, Order, Verdict
from services.indicators.standing import CLOSE_AFTER_MS, Standing
from services.indicators.store import Store, Touched
from services.indicators.tuning import InForce, Tuned
from services.ingest.quarantine import BadLimit
from services.ingest.records import Records
from services.ingest.routing import Router, Rows
from services.ingest.source import Source
from services.runtime.murmur import partition_of

_LONGEST_MS: Final = 3_600_000
"""No actor's window is longer."""
_CONTENT: Final = b"content_"
_NEVER_PAUSED: Final = BadLimit(least=2**62)

Raw = tuple[str, int]
"""A raw topic and partition."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What ingest makes of some records of one raw partition, by subject and partition of its frames; `offset` and
    `stamp_ms`, the append time, are those of the first record."""

    offset: int
    stamp_ms: int
    frames: list[tuple[str, int, SubjectFrame]]


class Stretch:
    """A stretch of one raw partition on its way through ingest, in pieces that no edge of a range runs through.

    first: from where on events count. What comes before is only remembered, so that a producer's duplicates are known.
    """

    def __init__(self, raw: Raw, first: int, edges: Iterable[int], router: Router, partitions: int) -> None:
        self._first = first
        self._source = Source(*raw, "wall", _NEVER_PAUSED, first)
        self._edges = sorted({first, *edges}, reverse=True)
        self._router = router
        self._partitions = partitions

    def take(self, records: Records, kinds: Collection[str]) -> Iterator[Piece]:
        """The pieces of the next records, with the frames of some kinds of subject."""
        if "content" in kinds:
            self._cut_at_content(records)
        while len(records):
            before = bisect_left(records.offsets, self._edges[-1]) if self._edges else len(records)
            if before:
                piece = self._piece(records.head(before), kinds)
                if piece.offset >= self._first:
                    yield piece
            if before < len(records):
                self._edges.pop()
            records = records.tail(before)

    def _cut_at_content(self, records: Records) -> None:
        """Each posting of content by itself, so that those of several partitions can be put in order."""
        found = [at for at, value in zip(records.offsets, records.values, strict=True) if _CONTENT in (value or b"")]
        self._edges = sorted({*self._edges, *found, *(at + 1 for at in found)}, reverse=True)

    def _piece(self, records: Records, kinds: Collection[str]) -> Piece:
        rows = Rows()
        self._source.take(records, self._router, rows, seal=lambda raw: "")
        frames = [each for each in rows.frames(self._partitions) if each[0] in kinds]
        return Piece(records.offsets[0], records.stamps[0], frames)


class Material:
    """The pieces that have been read, by raw partition; of each partition in the order of their offsets."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._pieces: dict[Raw, list[Piece]] = defaultdict(list)

    def add(self, raw: Raw, pieces: Iterable[Piece]) -> None:
        """Adds the next ones. Append times never fall within a partition, not even where its leader moved to another
        clock."""
        known = self._pieces[raw]
        for piece in pieces:
            if known and piece.stamp_ms < known[-1].stamp_ms:
                piece = replace(piece, stamp_ms=known[-1].stamp_ms)
            known.append(piece)

    def frames(self, evidence: Evidence) -> Iterator[SubjectFrame]:
        """What the subject's machine was told of the ranges of the evidence."""
        kind, _, name = evidence.subject.partition(":")
        key = bytes.fromhex(name) if kind == "actor" else name.encode()
        home = partition_of(key, self._partitions)
        # The sort is stable, so the order of offsets stays.
        pieces = sorted((piece for each in evidence.sources for piece in self._within(each)), key=_appended)
        return (frame for piece in pieces for one, at, frame in piece.frames if (one, at) == (kind, home))

    def _within(self, wanted: SourceRange) -> list[Piece]:
        pieces = self._pieces[wanted.topic, wanted.partition]
        first, end = (bisect_left(pieces, at, key=lambda piece: piece.offset) for at in (wanted.from_, wanted.to))
        return pieces[first:end]


def _appended(piece: Piece) -> int:
    return piece.stamp_ms


@dataclass(frozen=True, slots=True)
class Derived:
    """What a rule says now. evidence and title only where it orders anything."""

    rule: AnyRule
    tuned: Tuned
    verdict: Verdict
    evidence: Evidence | None = None
    title: Bilingual | None = None
    orders: tuple[Order, ...] = ()


@dataclass(frozen=True, slots=True)
class Before:
    """What had happened in the episode of a command before it. given: the orders. tripped_ms: when it tripped."""

    given: tuple[Order, ...]
    tripped_ms: int


def derive(
    command: Command, evidence: Evidence, frames: Sequence[SubjectFrame], policy: InForce, before: Before
) -> Iterator[list[Derived]]:
    """What each rule of that name says of the subject at the command's moment, in each way it may have been asked.

    Further lists follow, for what the records alone do not tell: up to which time the machine had closed its panes when
    events came that late that some may have been turned away, and whether an episode had ended between two events.
    """
    if command.event_time is None:
        return
    now_ms, subject = to_ms(command.event_time), evidence.subject
    strands = [each for each in policy.rules if each.rule.id == evidence.indicator]
    tuned = [found for each in strands if (found := each.on(subject)) is not None]
    guesses = [(None, False), (None, True), *((closed_ms, False) for closed_ms in _closings(command, evidence, now_ms))]
    for closed_ms, lasts in guesses:
        store = _folded(subject, frames, tuned, policy, closed_ms, lasts)
        yield [
            _judged(store, subject, each, policy, now_ms, closing, before)
            for each in tuned
            for closing in (False, True)
        ]


def _closings(command: Command, evidence: Evidence, now_ms: int) -> range:
    """The times up to which an actor's machine may have closed its panes when it turned away a part of the window: it
    keeps no more than one. Events that were in time leave none."""
    if not evidence.subject.startswith("actor:"):
        return range(0)
    pane_ms = STORES["actor"].pane_ms
    kept_ms = to_ms(evidence.window.to) - to_ms(evidence.window.from_) - pane_ms
    latest = to_ms(command.issued_at) - CLOSE_AFTER_MS
    return range(now_ms, min(now_ms + min(kept_ms, _LONGEST_MS), latest) + 1, pane_ms)


def _folded(
    subject: str,
    frames: Iterable[SubjectFrame],
    tuned: Sequence[Tuned],
    policy: InForce,
    closed_ms: int | None,
    lasts: bool,
) -> Store:
    """The subject's windows. lasts: whether its episodes go on while their events have none of the trouble left."""
    store, standing, troubled = STORES[subject.partition(":")[0]](), Standing(closed_ms=closed_ms), False
    if closed_ms is not None:
        store.evict(closed_ms)
    for number, frame in enumerate(frames):
        for touched in store.fold(number, frame, standing, None):
            if touched.subject == subject:
                now = any(_troubled(store, touched, each, policy) for each in tuned)
                troubled = now or (lasts and troubled)
                store.follow(subject, troubled)
    return store


def _troubled(store: Store, touched: Touched, tuned: Tuned, policy: InForce) -> bool:
    ends = {end for name in tuned.rule.reads for end in touched.ends.get(name, ())}
    view = store.view(touched.subject, policy.around)
    return any(tuned.rule.judge(view, tuned.limits, end).troubled for end in ends)


def _judged(
    store: Store, subject: str, tuned: Tuned, policy: InForce, now_ms: int, closing: bool, before: Before
) -> Derived:
    rule, view = tuned.rule, store.view(subject, policy.around)
    verdict = (rule.judge_at_close if closing else rule.judge)(view, tuned.limits, now_ms)
    case: Case[Any, Any] = Case(
        subject, view, tuned.limits, verdict, now_ms, policy.around, before.given, before.tripped_ms, closing
    )
    # While an episode stands, a rule may have something to order though the verdict itself is calm.
    orders = () if verdict.verdict == "unsure" else tuple(rule.orders(case))
    if not orders:
        return Derived(rule, tuned, verdict)
    title = rule.words(case).title
    return Derived(rule, tuned, verdict, evidence_of(case, rule, policy), title, orders)


def ranges_of(evidences: Iterable[Evidence]) -> Mapping[Raw, list[SourceRange]]:
    """The ranges to read, by raw partition."""
    found: dict[Raw, list[SourceRange]] = defaultdict(list)
    for evidence in evidences:
        for each in evidence.sources:
            found[each.topic, each.partition].append(each)
    return found


def joined(ranges: Iterable[SourceRange]) -> list[tuple[int, int, set[int]]]:
    """`(first, end, edges)` of each stretch that ranges of one partition make together where they meet or overlap."""
    stretches: list[tuple[int, int, set[int]]] = []
    for each in sorted(ranges, key=lambda one: one.from_):
        edges = {each.from_, each.to}
        if stretches and each.from_ <= stretches[-1][1]:
            first, end, known = stretches[-1]
            stretches[-1] = first, max(end, each.to), known | edges
        else:
            stretches.append((each.from_, each.to, edges))
    return stretches
