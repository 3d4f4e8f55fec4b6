"""A verdict derived again from the raw records that its evidence names, by the rules' own code.

The ranges of the evidence hold every event that the verdict rests on, and nothing in them was unknown to the machine
when it judged: a source partition is folded in the order of its offsets. So all of a range is folded, the subject's
windows come out as they were, and the rule judges them as of the same moment.

What the records do not tell is how far the machine's clock had come between them. It matters only to events that came
very late, and to content, where a body that comes while an episode stands is its correction. There the ways it may have
been are tried: see Clock.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from schemas.base import Bilingual, to_ms
from schemas.commands import Command, Evidence
from services.cli.proof.material import Told
from services.indicators.machine import STORES
from services.indicators.rule import AnyRule, Case, Order, Verdict
from services.indicators.standing import CLOSE_AFTER_MS, Standing
from services.indicators.subjects.store import Store, Touched
from services.indicators.verdicts.outbox import evidence_of
from services.indicators.verdicts.tuning import InForce, Tuned

_LONGEST_MS: Final = 3_600_000
"""No actor's window is longer."""


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


@dataclass(frozen=True, slots=True)
class Clock:
    """How far the machine's time had come. closed_ms: up to where panes had closed before all events. running: whether
    it went with the append times."""

    closed_ms: int | None = None
    running: bool = False


def derive(
    command: Command, evidence: Evidence, told: Sequence[Told], policy: InForce, before: Before
) -> Iterator[list[Derived]]:
    """What each rule of that name says of the subject at the command's moment, in each way it may have been asked; then
    the same again by other clocks."""
    if command.event_time is None:
        return
    now_ms, subject = to_ms(command.event_time), evidence.subject
    strands = [each for each in policy.rules if each.rule.id == evidence.indicator]
    tuned = [found for each in strands if (found := each.on(subject)) is not None]
    for clock in _clocks(command, evidence, now_ms):
        store = Refolding(subject, tuned, policy, clock).fold(told)
        yield [
            _judged(store, subject, each, policy, now_ms, closing, before)
            for each in tuned
            for closing in (False, True)
        ]


def _clocks(command: Command, evidence: Evidence, now_ms: int) -> Iterator[Clock]:
    """For an actor also those by which a part of the window was turned away: its machine keeps no more than one window.
    Where all events were in time there are none."""
    kind = evidence.subject.partition(":")[0]
    yield Clock(running=kind == "content")
    if kind == "content":
        yield Clock()
    if kind == "actor":
        pane_ms = STORES[kind].pane_ms
        kept_ms = to_ms(evidence.window.to) - to_ms(evidence.window.from_) - pane_ms
        latest = to_ms(command.issued_at) - CLOSE_AFTER_MS
        for closed_ms in range(now_ms, min(now_ms + min(kept_ms, _LONGEST_MS), latest) + 1, pane_ms):
            yield Clock(closed_ms)


class Refolding:
    """Folds what a machine was told of one subject, and says to its store whether an episode stands."""

    def __init__(self, subject: str, tuned: Sequence[Tuned], policy: InForce, clock: Clock) -> None:
        self._subject = subject
        self._tuned = tuned
        self._policy = policy
        self._running = clock.running
        self._store = STORES[subject.partition(":")[0]]()
        self._standing = Standing(closed_ms=clock.closed_ms)
        self._troubled = False
        if clock.closed_ms is not None:
            self._store.evict(clock.closed_ms)

    def fold(self, told: Iterable[Told]) -> Store:
        """The store with all of it."""
        for number, (stamp_ms, frame) in enumerate(told):
            if self._running:
                self._close(stamp_ms)
            for touched in self._store.fold(number, frame, self._standing, None):
                if touched.subject == self._subject:
                    self._follow(self._troubled or self._any_trouble(_ends(touched, self._tuned)))
        return self._store

    def _close(self, stamp_ms: int) -> None:
        """Panes close behind the clock; an episode of which nothing is left then ends."""
        closed_ms = (stamp_ms - CLOSE_AFTER_MS) // self._store.pane_ms * self._store.pane_ms
        if closed_ms > (self._standing.closed_ms or 0):
            if self._troubled and not self._any_trouble([closed_ms]):
                self._follow(False)
            self._standing.closed_ms = closed_ms
            self._store.evict(closed_ms)

    def _any_trouble(self, ends: Iterable[int]) -> bool:
        view = self._store.view(self._subject, self._policy.around)
        return any(each.rule.judge(view, each.limits, end).troubled for end in ends for each in self._tuned)

    def _follow(self, troubled: bool) -> None:
        self._troubled = troubled
        self._store.follow(self._subject, troubled)


def _ends(touched: Touched, tuned: Iterable[Tuned]) -> list[int]:
    return sorted({end for each in tuned for name in each.rule.reads for end in touched.ends.get(name, ())})


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
