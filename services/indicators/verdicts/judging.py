"""Judging: rules look at subjects, episodes begin and end, and people and channels are told.

A rule that raises is fenced off: counted, told once, and its siblings go on.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from schemas.base import Bilingual
from services.indicators.rule import Case, Order, Verdict
from services.indicators.seen import FEW, Latest, Seen
from services.indicators.subjects.store import Store, Touched
from services.indicators.verdicts import telling
from services.indicators.verdicts.episodes import Change, Episode, Episodes, Moment, ease, new_orders, ripens, worsen
from services.indicators.verdicts.outbox import Outbox
from services.indicators.verdicts.tuning import InForce, Tuned, Tuning
from services.runtime.ids import derive

REMEMBERED_MS: Final = 3 * 86_400_000
"""How long the episode of a day that is over is remembered: as long as a late event may still count in that day."""


@dataclass(frozen=True, slots=True)
class Place:
    """A record of the log: where it stands, written as in ids, and when it was appended."""

    name: str
    told_ms: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A rule raised."""

    tuned: Tuned
    error: Exception


class Judge:
    """Judges subjects of one store by the policy in force."""

    def __init__(self, store: Store, outbox: Outbox, seen: Seen) -> None:
        self._store = store
        self._outbox = outbox
        self._seen = seen
        self._few = store.kind in FEW
        self._retry: dict[str, set[str]] = {}
        self.episodes = Episodes()
        self.failures: list[Failure] = []
        """Rules that raised and nobody was told of yet."""
        self.closing: dict[tuple[str, str], Verdict] = {}
        """By the rule's name and subject, the verdicts of the pane that closed last, of subjects that are few."""

    def has_work(self) -> bool:
        """Whether a close of any pane would judge anything."""
        return len(self.episodes) > 0 or not self._store.idle()

    def at_once(self, policy: InForce, touched: Iterable[Touched], place: Place) -> None:
        """Judges what new events belong to, at the ends of all panes that they may have changed."""
        for each in touched:
            for tuning in policy.rules:
                tuned = tuning.on(each.subject)
                if tuned is not None and tuned.rule.judged != "at close":
                    ends = {end for name in tuned.rule.reads for end in each.ends.get(name, ())}
                    for end in sorted(ends):
                        self._judge(policy, tuned, each.subject, Moment(end, place.told_ms, closing=False), place)

    def close(self, policy: InForce, end_ms: int, place: Place) -> None:
        """Judges everything at the close of the pane that ends here."""
        self.closing.clear()
        due = {tuning.rule.id: self._due(policy, tuning, end_ms) for tuning in policy.rules}
        moment = Moment(end_ms, place.told_ms, closing=True)
        for subject in sorted(set().union(*due.values())):
            for tuning in policy.rules:
                if subject in due[tuning.rule.id] and (tuned := tuning.on(subject)) is not None:
                    self._judge(policy, tuned, subject, moment, place)
        if any(each.rule.per_day for each in policy.rules):
            self._end_days(moment)

    def _due(self, policy: InForce, tuning: Tuning, end_ms: int) -> set[str]:
        """The subjects that a rule looks at when a pane closes."""
        waiting, rule = self._waiting(policy, tuning, end_ms), tuning.rule
        if rule.waits:
            # One whose figures are new may have passed their horizon long ago.
            return waiting.union(tuning.own, self.episodes.easing(), self._retry.pop(rule.id, ()))
        troubled = waiting.union(self.episodes.of(rule.id, rule.strand))
        # A count was judged with its events; by itself it only falls.
        return troubled if rule.judged == "at once" else troubled.union(self._store.standing_subjects(rule.reads))

    def _waiting(self, policy: InForce, tuning: Tuning, end_ms: int) -> set[str]:
        """The subjects that a rule looks at because time has passed, by the figures for all: the store knows of each
        horizon only how far it has come, so other figures would hide these. A subject with its own is always due."""
        if not tuning.usual.enabled:
            return set()
        try:
            horizons = tuning.rule.horizons(tuning.usual.limits, end_ms, policy.around)
        except Exception as error:  # noqa: BLE001 - as in _judge
            self._failed(tuning.usual, error)
            return set()
        return set(self._store.waiting(horizons)) if horizons else set()

    def take_failures(self) -> list[Failure]:
        """What has failed since the last call."""
        failures, self.failures = self.failures, []
        return failures

    def load(self, episodes: Iterable[Episode]) -> None:
        """Takes back the episodes of a snapshot."""
        self.episodes.load(episodes)
        for subject in self.episodes.subjects():
            self._store.follow(subject, True)

    # -- one verdict

    def _judge(self, policy: InForce, tuned: Tuned, subject: str, moment: Moment, place: Place) -> None:
        try:
            self._step(policy, tuned, subject, moment, place)
        except Exception as error:  # noqa: BLE001 - whatever a rule does, the others go on
            self._failed(tuned, error)
            if tuned.rule.waits:
                self._retry.setdefault(tuned.rule.id, set()).add(subject)

    def _failed(self, tuned: Tuned, error: Exception) -> None:
        self._seen.failures[tuned.rule.id] += 1
        self.failures.append(Failure(tuned, error))

    def _step(self, policy: InForce, tuned: Tuned, subject: str, moment: Moment, place: Place) -> None:
        case = self._case(policy, tuned, subject, moment)
        verdict = case.verdict
        self._seen.verdicts[tuned.rule.id, verdict.verdict] += 1
        if self._few:
            latest = Latest(moment.end_ms, verdict.value, verdict.threshold, verdict.verdict)
            self._seen.note(tuned.rule.name, subject, latest)
            if moment.closing:
                self.closing[tuned.rule.name, subject] = verdict
        day = policy.days.of(moment.end_ms - 1) if tuned.rule.per_day else None
        rule = tuned.rule
        known = self.episodes.get((rule.id, rule.strand, subject, day.date if day else "", tuned.shadow))
        if known is None or known.over:
            if not verdict.troubled or (known is not None and verdict.level <= known.level):
                return
            episode = Episode(
                indicator=rule.id,
                strand=rule.strand,
                subject=subject,
                day=day.date if day else "",
                shadow=tuned.shadow,
                alert_id=derive(rule.name, subject, place.name, str(moment.end_ms)),
                opened_ms=place.told_ms,
                began_ms=moment.end_ms,
                day_end_ms=day.span.end if day else 0,
                severity=rule.severity(verdict) if verdict.level else "warning",
                level=known.level if known else 0,
                quiet=bool(tuned.fires_after),
                given=list(known.given) if known else [],
            )
            self._advance(policy, tuned, episode, case, moment, place, opened=True)
        else:
            # A copy, so that a rule that raises half-way leaves the episode as it was.
            episode = msgspec.structs.replace(known, given=list(known.given))
            self._advance(policy, tuned, episode, case, moment, place, opened=known.quiet)

    def _case(self, policy: InForce, tuned: Tuned, subject: str, moment: Moment) -> Case[Any, Any]:
        view = self._store.view(subject, policy.around)
        judge = tuned.rule.judge_at_close if moment.closing else tuned.rule.judge
        verdict = judge(view, tuned.limits, moment.end_ms)
        return Case(subject, view, tuned.limits, verdict, moment.end_ms, policy.around, closing=moment.closing)

    def _advance(
        self,
        policy: InForce,
        tuned: Tuned,
        episode: Episode,
        case: Case[Any, Any],
        moment: Moment,
        place: Place,
        *,
        opened: bool,
    ) -> None:
        verdict, news = case.verdict, opened
        if episode.quiet and not ripens(episode, verdict, tuned, moment):
            self._keep_quiet(episode, verdict)
            return
        episode.quiet = False
        if verdict.troubled:
            news |= worsen(episode, verdict, tuned.rule.severity(verdict), moment)
        case = _of_episode(case, episode)
        orders = new_orders(episode, self._wanted(tuned, case))
        if news or orders:
            change = Change("open" if opened else "updated", episode, orders)
            self._tell(policy, tuned, change, case, moment)
        if not verdict.troubled and ease(episode, verdict, tuned, moment):
            self._resolve(policy, tuned, episode, case.verdict, moment, place)
        else:
            self._put(episode)

    def _keep_quiet(self, episode: Episode, verdict: Verdict) -> None:
        if verdict.troubled or verdict.verdict == "unsure":
            self._put(episode)
        else:
            self._drop(episode)

    def _wanted(self, tuned: Tuned, case: Case[Any, Any]) -> list[Order]:
        """What the rule orders while the episode stands; not at moments before it began."""
        if case.tripped_ms is None or case.now_ms < case.tripped_ms or case.verdict.verdict == "unsure":
            return []
        return list(tuned.rule.orders(case))

    def _tell(self, policy: InForce, tuned: Tuned, change: Change, case: Case[Any, Any], moment: Moment) -> None:
        if tuned.shadow:
            self._seen.shadow[tuned.rule.id] += 1
            return
        self._outbox.tell(change, case, tuned, policy, moment.told_ms)
        self._seen.alerts[tuned.rule.id, change.what] += 1
        for order in change.orders:
            self._seen.commands[tuned.rule.id, order.action] += tuned.orders(order.action)
            change.episode.ordered |= tuned.orders(order.action)

    # -- the end of episodes

    def _put(self, episode: Episode) -> None:
        self.episodes.put(episode)
        self._store.follow(episode.subject, True)

    def _drop(self, episode: Episode) -> None:
        self.episodes.drop(episode)
        if episode.subject not in self.episodes:
            self._store.follow(episode.subject, False)

    def _resolve(
        self, policy: InForce, tuned: Tuned, episode: Episode, verdict: Verdict, moment: Moment, place: Place
    ) -> None:
        at = f"{policy.days.local(moment.end_ms):%H:%M}"
        summary = telling.over(episode, at, telling.figure(verdict.value))
        self._close(episode, summary, moment, verdict.value)
        self._ease(episode, moment)
        self._drop(episode)
        if tuned.rule.judged != "at close":
            # What came meanwhile stood in this episode; it may be one of its own.
            for end in self._store.later(episode.subject, moment.end_ms):
                self._judge(policy, tuned, episode.subject, Moment(end, moment.told_ms, closing=False), place)

    def _close(self, episode: Episode, summary: Bilingual, moment: Moment, value: float | None) -> None:
        if not episode.shadow and not episode.quiet:
            self._outbox.close(episode, summary, moment.end_ms, moment.told_ms, value)
            self._seen.alerts[episode.indicator, "resolved"] += 1

    def _ease(self, episode: Episode, moment: Moment) -> None:
        if episode.ordered:
            self._outbox.eased(episode, moment.end_ms, moment.told_ms)

    def _end_days(self, moment: Moment) -> None:
        """Midnight empties the counts of a day. What becomes of its holds is the policy's to say."""
        for episode in self.episodes:
            if not episode.day:
                continue
            if not episode.over and episode.day_end_ms <= moment.end_ms:
                ended = msgspec.structs.replace(episode, over=True)
                self._close(ended, telling.over(ended, "", ""), moment, 0.0)
                self._ease(ended, moment)
                self.episodes.put(ended)
            elif episode.day_end_ms + REMEMBERED_MS <= moment.end_ms:
                self._drop(episode)

    # -- another policy

    def adopt(self, policy: InForce, everything: list[Touched], newest_end_ms: int, place: Place) -> None:
        """Figures have changed: ends what is not wanted any more, takes what stands as told, judges the rest."""
        moment = Moment(newest_end_ms, place.told_ms, closing=False)
        for episode in self.episodes:
            tuned = policy.find(episode.indicator, episode.strand, episode.subject)
            if tuned is None or (tuned.shadow != episode.shadow and not episode.over):
                if not episode.over:
                    self._close(episode, telling.switched_off(policy.label, episode), moment, None)
                self._drop(episode)
            elif tuned.rule.judged != "at close" and not episode.over:
                self._take_as_told(policy, tuned, episode, everything, newest_end_ms)
        self.at_once(policy, everything, place)

    def _take_as_told(
        self, policy: InForce, tuned: Tuned, episode: Episode, everything: list[Touched], newest_end_ms: int
    ) -> None:
        """A lower figure makes a level of what has already been told: nothing happened that anyone should be told."""
        last = min(newest_end_ms, episode.day_end_ms) if episode.day else newest_end_ms
        ends = {end for each in everything if each.subject == episode.subject for e in each.ends.values() for end in e}
        for end in sorted({last, *(end for end in ends if end <= last)}):
            try:
                case = self._case(policy, tuned, episode.subject, Moment(end, 0, closing=False))
                if case.verdict.level and episode.tripped_ms is not None:
                    worsen(episode, case.verdict, episode.severity, Moment(end, 0, closing=False))
                    new_orders(episode, self._wanted(tuned, _of_episode(case, episode)))
                    self.episodes.put(episode)
            except Exception as error:  # noqa: BLE001
                self.failures.append(Failure(tuned, error))


def _of_episode(case: Case[Any, Any], episode: Episode) -> Case[Any, Any]:
    return replace(case, given=episode.orders(), tripped_ms=episode.tripped_ms)
