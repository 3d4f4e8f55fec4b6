"""A backtest: one pass over a log, on virtual time, under one policy or two."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from schemas.backtest import Part, Report, Run, Series, Source
from schemas.base import Bilingual, Window, from_ms
from schemas.policy import Policy
from services.cli.backtest import notes
from services.cli.backtest.comparing import differences
from services.cli.backtest.episodes import Episodes, totals
from services.cli.backtest.pipeline import Pipeline, RawRecord
from services.cli.backtest.sampling import Key, Sampler
from services.cli.backtest.shadows import Shadows, unveiled
from services.cli.backtest.timeline import BLOCK_MS, boundary, slices
from services.cli.backtest.traffic import Traffic, held
from services.indicators.registry import all_rules, code_of
from services.indicators.rule import AnyRule
from services.indicators.windows.days import Span
from services.indicators.windows.panes import HOUR_MS

WARM_UP_MS: Final = 9 * 24 * HOUR_MS
"""What indicators look back to: a week before the trailing day, and a day to spare."""
_DRAWN: Final = 8
"""Subjects of an indicator whose series are kept: those that tripped most, or the one that came nearest."""


class _Trial:
    """The log under one policy."""

    def __init__(self, policy: Policy, key: bytes, window: Span, traffic: Traffic | None, archived: bool) -> None:
        self.policy = policy
        heard = None if traffic is None else traffic.hear
        self.pipeline = Pipeline(unveiled(policy), key, archived=archived, heard=heard)
        self.episodes = Episodes()
        self.sampler = Sampler(window, policy.time_zone)

    def feed(self, records: Sequence[RawRecord], until_ms: int) -> None:
        self.episodes.take(self.pipeline.feed(records, until_ms))

    def mark(self, at_ms: int) -> None:
        self.episodes.take(self.pipeline.mark(at_ms))
        if at_ms == boundary(at_ms - 1):
            for machine in self.pipeline.machines.values():
                self.sampler.look(machine.seen.latest)
                self.episodes.see(machine.seen.latest)

    def label(self, subject: str) -> Bilingual:
        name = subject.partition(":")[2]
        return self.policy.directory.label(subject) or Bilingual(en=name, zh=name)

    def run(self, window: Span, traffic: Traffic) -> Run:
        trips = self.episodes.trips(window, self.label, Shadows(self.policy).cover)
        codes = {rule.id: code_of(rule) for rule in all_rules()}
        return Run(
            policy=self.policy.label,
            codes=list(codes.values()),
            trips=trips,
            totals=list(totals(trips)),
            held=held(trips, traffic, from_ms(window.end), self.label),
            troubles=self.episodes.troubles,
        )


class Backtest:
    """Takes a log in, block by block in the order of time, and reports on a window of it.

    window: what to report on, ms. begins_ms: where the log begins, before the window if there is history to warm up
    with. key: of the pseudonyms, which archived events carry already.
    """

    def __init__(
        self, policies: Sequence[Policy], key: bytes, window: Span, begins_ms: int, *, archived: bool = False
    ) -> None:
        self._window = window
        self._begins_ms = min(begins_ms, window.start)
        self._traffic = Traffic()
        self._trials = [
            _Trial(policy, key, window, self._traffic if number == 0 else None, archived)
            for number, policy in enumerate(policies)
        ]
        self._topics: Counter[str] = Counter()
        self._read_from, self._read_to = 0, 0
        self._now = boundary(begins_ms) - BLOCK_MS
        self._mark(self._now)

    def take(self, block: Sequence[RawRecord], end_ms: int) -> None:
        """A block of the timeline (see `timeline.blocks`), all of it before the window's end; its predecessors have
        been taken."""
        self._topics.update(record.topic for record in block)
        self._read_from = min(self._read_from or block[0].stamp_ms, block[0].stamp_ms)
        self._read_to = max(self._read_to, block[-1].stamp_ms)
        self._pass(end_ms - BLOCK_MS)
        for start, records, until in slices(block):
            self._pass(start)
            until = min(until, self._window.end)
            for trial in self._trials:
                trial.feed(records, until)
            self._mark(until)

    def _pass(self, to_ms: int) -> None:
        """Lets time go by, an hour at most at once, so that what is over is forgotten in between."""
        while self._now < to_ms:
            self._mark(min(to_ms, boundary(self._now, HOUR_MS)))

    def _mark(self, at_ms: int) -> None:
        self._now = at_ms
        for trial in self._trials:
            trial.mark(at_ms)

    def finish(self, source: str, more: Sequence[Bilingual] = (), parts: Sequence[Part] = ()) -> Report:
        """Nothing more comes: time goes on to the end of the window, and this is what happened."""
        self._pass(self._window.end)
        for trial in self._trials:
            trial.sampler.finish()
        runs = [trial.run(self._window, self._traffic) for trial in self._trials]
        counts = self._trials[0].pipeline.counts
        warm_up_ms = min(self._window.start - self._begins_ms, WARM_UP_MS)
        read = Source(
            name=source,
            records=counts["read"],
            dead=counts["dead"],
            by_topic=dict(sorted(self._topics.items())),
            warm_up_s=warm_up_ms / 1000,
            warm_up_wanted_s=WARM_UP_MS / 1000,
            first=from_ms(self._read_from) if self._read_from else None,
            last=from_ms(self._read_to) if self._read_to else None,
            parts=list(parts),
        )
        stood = self._trials[0].episodes.stood_at(self._window.start)
        return Report(
            window=Window(from_=from_ms(self._window.start), to=from_ms(self._window.end)),
            time_zone=self._trials[0].policy.time_zone,
            source=read,
            runs=runs,
            differences=differences(runs[0].trips, runs[1].trips) if len(runs) > 1 else [],
            series=self._series(runs),
            notes=[*more, *notes.about(read, runs, stood, from_ms(self._window.start))],
        )

    # -- what is drawn

    def _series(self, runs: Sequence[Run]) -> list[Series]:
        tripped = Counter(trip.key for run in runs for trip in run.trips)
        return [self._one(key) for rule in all_rules() for key in self._chosen(rule, tripped)]

    def _chosen(self, rule: AnyRule, tripped: Counter[Key]) -> list[Key]:
        """Those that tripped most; of a rule that never did, but for one of good news, the one that came nearest."""
        samplers = [trial.sampler for trial in self._trials]
        near = {key: max(each.nearness(key) for each in samplers) for one in samplers for key in one.keys(rule.name)}
        ranked = sorted((key for key in near if near[key] > 0), key=lambda key: (-tripped[key], -near[key], key))
        return [key for key in ranked if tripped[key]][:_DRAWN] or ranked[: 0 if rule.strand else 1]

    def _one(self, key: Key) -> Series:
        rule, subject = key
        return Series(
            rule=rule,
            indicator=rule.partition("/")[0],
            subject=subject,
            label=self._trials[0].label(subject),
            runs=[trial.sampler.points(key) for trial in self._trials],
        )
