"""The machine of the indicators: one partition of one subject's frames, from records to alerts and commands."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from schemas.frames import Mark, decode
from schemas.topics import frames
from services.indicators import snapshot
from services.indicators.readings import herald
from services.indicators.readings.answers import count_answers
from services.indicators.readings.figures import figures
from services.indicators.readings.suspicion import count_suspicious
from services.indicators.readings.tallies import KEY as TALLY
from services.indicators.readings.tallies import Tallies
from services.indicators.registry import rules_of
from services.indicators.rule import AnyRule
from services.indicators.seen import Seen
from services.indicators.snapshot import Progress
from services.indicators.standing import Ledger, Standing
from services.indicators.subjects.actor import ActorStore
from services.indicators.subjects.brand import BrandStore
from services.indicators.subjects.cases import ComplaintStore
from services.indicators.subjects.channel import ChannelStore
from services.indicators.subjects.content import ContentStore
from services.indicators.subjects.market import MarketStore
from services.indicators.subjects.minutes import MINUTE_MS
from services.indicators.subjects.product import ProductStore
from services.indicators.subjects.store import Store, Touched
from services.indicators.verdicts.episodes import Episode
from services.indicators.verdicts.judging import Judge, Place
from services.indicators.verdicts.outbox import Outbox
from services.indicators.verdicts.troubles import Troubles
from services.indicators.verdicts.tuning import InForce, PolicyRefusedError, tune
from services.runtime.machines.machine import Output, Record

FIRST_CLOSE_MS: Final = 24 * 3_600_000
"""On the wall clock a first start judges no further back: commands of older verdicts would be stale, and one event with
a wrong year would keep it busy for hours."""

MOST_POINTS: Final = 32
"""Earlier places that a snapshot names. They are taken with every snapshot, and add up while nothing is forgotten."""

STORES: Final[dict[str, type[Store]]] = {
    "channel": ChannelStore,
    "product": ProductStore,
    "actor": ActorStore,
    "content": ContentStore,
    "brand": BrandStore,
    "market": MarketStore,
    "complaint": ComplaintStore,
}
"""The subjects that are served, each with its windows."""


def build(subject: str, partition: int, *, readings: bool = False) -> "IndicatorMachine":
    """The machine of one partition of a subject's frames, with all rules about it.

    readings: whether people's charts and figures are fed; a backtest has no use for that.
    """
    return IndicatorMachine(subject, partition, STORES[subject](), rules_of(subject), readings=readings)


class IndicatorMachine:
    """See services.runtime.machines.machine.Machine. Time and policy come with the marks: they are part of the log."""

    def __init__(
        self, subject: str, partition: int, store: Store, rules: Sequence[AnyRule], *, readings: bool = False
    ) -> None:
        self.partition = partition
        self.subject = subject
        self.seen = Seen()
        self.ledger = Ledger()
        self.standing = Standing()
        self._place = f"{frames(subject)}/{partition}"
        self._rules = tuple(rules)
        self._store = store
        self._outbox = Outbox(f"indicators:{subject}:{partition}")
        self._judge = Judge(store, self._outbox, self.seen)
        self._policy: InForce | None = None
        self._document: bytes | None = None
        self._document_changed = False
        self._points: list[Standing] = []
        self._troubles = Troubles(self._outbox)
        self._resume: Standing | None = None
        self._readings = readings
        self._tallies = store.tallies if isinstance(store, ChannelStore | ComplaintStore | BrandStore) else Tallies()
        self._minute = herald.Minute()

    @property
    def open_episodes(self) -> int:
        """How many stand."""
        return self._judge.episodes.open_count()

    @property
    def indicators(self) -> list[str]:
        """The ids of the rules."""
        return [rule.id for rule in self._rules]

    @property
    def policy_version(self) -> int | None:
        """Of the policy that is judged by; None before the first."""
        return None if self._policy is None else self._policy.around.policy.version

    # -- the log

    def apply(self, record: Record) -> list[Output]:
        """Folds a frame or hears a mark, judges, and returns the alerts and commands that come of it."""
        if self._resume is not None:
            self._begin_to_apply(self._resume)
        self._begin(record)
        message, place = decode(record.value), Place(f"{self._place}/{record.offset}", record.timestamp_ms)
        if isinstance(message, Mark):
            self.seen.marks += 1
            self._hear(message, place)
        else:
            self.seen.frames += 1
            touched = self._noted(self._store.fold(record.offset, message, self.standing, self.ledger), place)
            if self._policy is not None:
                self._judge.at_once(self._policy, touched, place)
            _exhaust(touched)
            self.ledger.reach(message.slices)
        if self._judge.failures and self._policy is not None:
            self._troubles.failed(self._judge.take_failures(), self._policy, place)
        return self._outbox.take()

    def fold(self, record: Record) -> None:
        """Rebuilds the windows that a snapshot leaves out; nothing is judged or counted again."""
        self._begin(record)
        message = decode(record.value)
        if not isinstance(message, Mark):
            _exhaust(self._store.fold(record.offset, message, self.standing, None))
            return
        self.standing.hear(message, record.timestamp_ms, self._store.pane_ms, self._store.feeds)
        last = self.standing.last_closable(self._store.pane_ms)
        if last is not None and last > (self.standing.closed_ms or 0):
            self._closed(last)

    def _begin_to_apply(self, standing: Standing) -> None:
        """All is folded again, maybe more than was still there: panes may have closed for want of room, too."""
        self.standing, self._resume = standing, None
        if standing.closed_ms is not None:
            self._store.evict(standing.closed_ms)

    def _noted(self, touched: Iterable[Touched], place: Place) -> Iterator[Touched]:
        """Passes on what was touched, and to the audit what it says of it: with no rule and no policy too."""
        for each in touched:
            if each.note is not None:
                self._outbox.audit(each.subject, each.note, place.told_ms)
            yield each

    def _begin(self, record: Record) -> None:
        if self._store.rebuilt and not self._points:
            self._points = [Standing(offset=record.offset)]
        self.standing.offset = record.offset + 1

    # -- marks

    def _hear(self, mark: Mark, place: Place) -> None:
        self._count()
        self.ledger.hear(mark)
        self.standing.hear(mark, place.told_ms, self._store.pane_ms, self._store.feeds)
        document = mark.document or (self._document if self._policy is None else None)
        if document is not None and (document != self._document or self._policy is None):
            self._adopt(document, mark.policy, place)
        if self._policy is not None:
            self._troubles.other_code(self._rules, self._policy, place)
        before = self.standing.closed_ms or 0
        self._close_panes(self.standing.last_closable(self._store.pane_ms), mark.clock, place)
        self._close_panes(self._store.overfull_ms(self.standing.newest_ms), mark.clock, place)
        if self._readings and self._policy is not None:
            self._tell_people(self._policy, before)

    def _close_panes(self, last_ms: int | None, clock: str, place: Place) -> None:
        """Closes the panes up to there, in order; the first time from the oldest one, on the wall clock not too old."""
        if last_ms is None:
            return
        pane_ms, end = self._store.pane_ms, self.standing.closed_ms
        if end is None:
            earliest = self._store.earliest_ms()
            since_ms = last_ms - FIRST_CLOSE_MS if clock == "wall" else 0
            end = last_ms if earliest is None else min(max(earliest, since_ms), last_ms)
        elif end >= last_ms:
            return
        self._judge.closing.clear()
        while end < last_ms and self._policy is not None and self._has_work():
            end += pane_ms
            self._judge.close(self._policy, end, place)
            if isinstance(self._store, ActorStore):
                count_suspicious(self._store, self._judge.episodes, self._policy.around, end, self._tallies)
            if isinstance(self._store, ChannelStore):
                silences = self._store.silences(end, self._policy.around.max_silence_ms)
                self._troubles.silent(silences, self._policy, place)
        self._tell_governor(last_ms, place)
        self._closed(last_ms)

    def _tell_governor(self, end_ms: int, place: Place) -> None:
        """Once for all panes that closed together; where nothing moved there is nothing to tell."""
        if self._policy is None or not isinstance(self._store, ChannelStore):
            return
        told = figures(self._store, self._outbox.writer, end_ms, self._policy.around)
        if told.channels and self._policy.around.policy.governor.enabled:
            self._outbox.figures(told, end_ms, place.told_ms)

    def _count(self) -> None:
        """What the store has seen meanwhile for people's figures."""
        if isinstance(self._store, ComplaintStore):
            count_answers(self._store, self._policy)
            if not self._readings:
                self._store.untold.clear()
        if isinstance(self._store, ChannelStore):
            self._tallies.touch(self._store.touched_hours())

    def _tell_people(self, policy: InForce, before_ms: int) -> None:
        """How the subjects stand once a minute at most; the hours' sums once a minute of the marks."""
        closed_ms = self.standing.closed_ms or 0
        if closed_ms // MINUTE_MS > before_ms // MINUTE_MS:
            for reading in herald.readings(self._outbox.writer, self._store, self._judge, policy, closed_ms):
                self._outbox.reading(reading)
        names = len(self._store) if isinstance(self._store, ChannelStore) else 0
        if self._minute.passed(self.standing.clock_ms, names):
            for tally in herald.tallies(self._outbox.writer, self._store, self._tallies):
                self._outbox.reading(tally)
            if isinstance(self._store, ComplaintStore):
                for told_cases in herald.cases(self._outbox.writer, self._store, self.standing.clock_ms or 0):
                    self._outbox.reading(told_cases)

    def _has_work(self) -> bool:
        """Whether the close of a pane may tell anything; what stands may be over even when nothing is left to judge."""
        return self._judge.has_work() or bool(self._troubles.standing)

    def _closed(self, last_ms: int) -> None:
        self.standing.closed_ms = last_ms
        self._store.evict(last_ms)
        self._count()
        self._tallies.evict(last_ms)
        self.seen.forget(last_ms)

    def _adopt(self, document: bytes, label: str, place: Place) -> None:
        try:
            policy = tune(document, self._rules)
        except PolicyRefusedError as error:
            self.seen.refused += 1
            self._troubles.refused(label, str(error), self._policy, place)
            return
        self._document, self._document_changed, self._policy = document, True, policy
        self._store.watch(policy.floors())
        pane_ms, closed = self._store.pane_ms, self.standing.closed_ms
        newest_end = (self.standing.newest_ms // pane_ms + 1) * pane_ms
        everything = self._store.everything(newest_end - pane_ms if closed is None else closed)
        self._judge.adopt(policy, everything, newest_end, place)
        self._troubles.adopted(place)

    # -- snapshots

    def changed(self) -> Iterator[tuple[bytes, bytes | None]]:
        """The machine's own record, the policy when it is new, the episodes and windows that changed."""
        self._note_point()
        self._count()
        progress = Progress(
            at=self.standing,
            points=self._points,
            ledger=self.ledger.rows(),
            anew=self.ledger.anew(),
            seq=self._outbox.seq,
            troubles=self._troubles.standing,
            told_minute=self._minute.told,
            untold=sorted(self._tallies.untold),
            cases=sorted(self._store.untold) if isinstance(self._store, ComplaintStore) else [],
        )
        yield snapshot.MACHINE, snapshot.encode(progress)
        if self._document_changed and self._document is not None:
            yield snapshot.POLICY, self._document
        self._document_changed = False
        for key, episode in self._judge.episodes.changed():
            yield snapshot.episode_key(key), None if episode is None else snapshot.encode(episode)
        yield from self._tallies.changed()
        yield from self._store.changed()

    def _note_point(self) -> None:
        """Adds where we stand to the points of the log, and drops those that lie before the one to begin from: the
        newest that no event still in memory precedes."""
        if not self._store.rebuilt:
            return
        self._points.append(self.standing.copy())
        oldest = self._store.oldest_offset()
        if oldest is not None:
            usable = [index for index, point in enumerate(self._points) if point.offset <= oldest]
            self._points = self._points[usable[-1] if usable else 0 :]
        else:
            self._points = self._points[-1:]
        if len(self._points) > MOST_POINTS:
            self._points = [*self._points[:-1:2], self._points[-1]]

    def rewind(self, next_offset: int) -> int:
        """Where the windows have to be folded again from, if snapshots leave them out."""
        return self._points[0].offset if self._points else next_offset

    def load(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Takes over a snapshot; a record that this release does not know raises ValueError."""
        windows: list[tuple[bytes, bytes]] = []
        counted: list[tuple[bytes, bytes]] = []
        episodes: list[Episode] = []
        cases: list[str] | None = []
        for key, value in records:
            if key == snapshot.MACHINE:
                progress = snapshot.decode_progress(value)
                self._take_progress(progress)
                cases = progress.cases
            elif key == snapshot.POLICY:
                self._document = value
            elif key.startswith(snapshot.EPISODE):
                episodes.append(snapshot.decode_episode(value))
            elif key.startswith(TALLY):
                counted.append((key, value))
            else:
                windows.append((key, value))
        self._tallies.load(counted)
        closed_ms = (self._resume or self.standing).closed_ms
        if closed_ms is not None:
            self._tallies.evict(closed_ms)
        self._store.load(windows)
        if isinstance(self._store, ComplaintStore):
            self._store.take_untold(cases)
        self._judge.load(episodes)
        self._restore_policy()

    def _take_progress(self, progress: Progress) -> None:
        self.ledger = Ledger(progress.ledger, progress.anew)
        self._outbox.seq = progress.seq
        self._troubles.standing = progress.troubles
        self._points = progress.points
        self._minute.told = progress.told_minute
        self._tallies.untold.update(progress.untold)
        self.standing = progress.at
        if self._points:
            self.standing, self._resume = self._points[0].copy(), progress.at

    def _restore_policy(self) -> None:
        """A release may refuse what an earlier one accepted; the next mark then tells."""
        if self._document is None:
            return
        try:
            self._policy = tune(self._document, self._rules)
        except PolicyRefusedError:
            return
        self._store.watch(self._policy.floors())


def _exhaust(touched: Iterable[Touched]) -> None:
    """A generator folds while it is asked."""
    for _ in touched:
        pass
