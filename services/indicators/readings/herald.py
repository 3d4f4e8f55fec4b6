"""What people are told besides alerts, for their charts and figures: how the subjects stood when a pane closed, and
once a minute the sums of each hour that has changed. Nothing is judged by it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from typing import Final

from schemas.base import from_ms
from schemas.readings import MAX_SUBJECTS, Cases, Measure, OpenCase, Reading, ReadingVerdict, Scope, Standing, Tally
from services.indicators.readings.tallies import IN_MICROS, MEASURES, Tallies
from services.indicators.rule import Verdict
from services.indicators.seen import FEW
from services.indicators.subjects.cases import ComplaintStore, Opening
from services.indicators.subjects.channel import ChannelStore
from services.indicators.subjects.minutes import MINUTE_MS
from services.indicators.subjects.store import Store
from services.indicators.verdicts.judging import Judge
from services.indicators.verdicts.tuning import InForce, Tuning
from services.indicators.windows.panes import HOUR_MS

CASES: Final = 100
"""In one message: with the longest names they are 180 KB, of the 256 KB that a batch may have."""
_MICROS: Final = 1_000_000
_FEW: Final = 25
_SELDOM: Final = 5
"""Minutes between two tallies of more than FEW channels: a day's are then some 10 MB for 200 of them."""
_Sums = dict[Scope, dict[str, dict[Measure, float]]]


def readings(writer: str, store: Store, judge: Judge, policy: InForce, end_ms: int) -> Iterator[Reading]:
    """How the subjects stand at the end of a pane, in as many messages as it takes."""
    indicators = sorted(each.rule.id for each in policy.rules)
    told = Reading(writer=writer, subject_kind=store.kind, at=from_ms(end_ms), indicators=indicators)
    if store.kind not in FEW:
        yield told.model_copy(update={"counts": _counts(store, judge, policy)})
        return
    verdicts = sorted({**_judged_at_once(store, policy, end_ms), **judge.closing}.items())
    kept = [each for _, own in groupby(verdicts, lambda each: each[0][0]) for each in islice(own, MAX_SUBJECTS)]
    left_out = len(verdicts) - len(kept)
    for begin in range(0, max(len(kept), 1), MAX_SUBJECTS):
        values: dict[str, dict[str, Standing]] = defaultdict(dict)
        for (rule, subject), verdict in kept[begin : begin + MAX_SUBJECTS]:
            values[rule][subject] = _standing(verdict)
        yield told.model_copy(update={"values": dict(values), "left_out": left_out})


def _judged_at_once(store: Store, policy: InForce, end_ms: int) -> dict[tuple[str, str], Verdict]:
    """Counts are judged with their events, and what stands in no trouble is not judged when a pane closes."""
    found = {}
    for tuning in policy.rules:
        if tuning.rule.judged == "at once":
            for subject in store.standing_subjects(tuning.rule.reads):
                verdict = _verdict(store, policy, tuning, subject, end_ms)
                if verdict is not None:
                    found[tuning.rule.name, subject] = verdict
    return found


def _verdict(store: Store, policy: InForce, tuning: Tuning, subject: str, end_ms: int) -> Verdict | None:
    tuned = tuning.on(subject)
    if tuned is None:
        return None
    try:
        return tuned.rule.judge(store.view(subject, policy.around), tuned.limits, end_ms)
    except Exception:  # noqa: BLE001 - it is told of where its events are judged; the others are read all the same
        return None


def _standing(verdict: Verdict) -> Standing:
    if verdict.verdict == "unsure":
        return None, _short(verdict.threshold), "unsure"
    word: ReadingVerdict = "warning" if verdict.troubled and verdict.verdict == "calm" else verdict.verdict
    return _short(verdict.value), _short(verdict.threshold), word


def _short(figure: float) -> float:
    """Six digits are more than a chart can show."""
    return float(f"{figure:.6g}")


def _counts(store: Store, judge: Judge, policy: InForce) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {each.rule.id: Counter(warning=0, breach=0) for each in policy.rules}
    for (indicator, tripped), number in judge.episodes.stages().items():
        if indicator in counts:
            counts[indicator]["breach" if tripped else "warning"] += number
    if isinstance(store, ComplaintStore):
        for each in counts.values():
            each["open"] = store.open_count()
    return {name: dict(each) for name, each in counts.items()}


def cases(writer: str, store: ComplaintStore, at_ms: int) -> Iterator[Cases]:
    """The complaints that were opened or settled since the last call, some in each message; and each that waits on
    once a day, so that who has read for a week knows them all.
    """
    untold = sorted(store.untold.union(store.told_again(at_ms // MINUTE_MS)))
    for begin in range(0, len(untold), CASES):
        names = untold[begin : begin + CASES]
        found = {name: opening for name in names if (opening := store.opening(name)) is not None}
        yield Cases(
            writer=writer,
            at=from_ms(at_ms),
            waiting={name: _case(opening) for name, opening in found.items()},
            settled=[name for name in names if name not in found],
        )
    store.untold.clear()


def _case(opening: Opening) -> OpenCase:
    return OpenCase(
        at=from_ms(opening.at_ms),
        channel=opening.channel,
        product=opening.product,
        entry=opening.entry,
        high_net_worth=opening.high_net_worth,
    )


class Minute:
    """Which minute of the marks' clock was told of last."""

    def __init__(self) -> None:
        self.told = 0

    def passed(self, clock_ms: int | None, names: int) -> bool:
        """Whether it is time to tell again: of many names less often, since each telling names them all."""
        minute, every = 0 if clock_ms is None else clock_ms // MINUTE_MS, 1 if names <= _FEW else _SELDOM
        if minute // every <= self.told // every:
            return False
        self.told = minute
        return True


def tallies(writer: str, store: Store, counted: Tallies) -> Iterator[Tally]:
    """The sums of each hour that has changed since the last call, as far as they go, each scope by itself."""
    for hour in sorted(counted.untold):
        for scope, names in sorted(_sums(store, counted, hour).items()):
            left_out = max(len(names) - MAX_SUBJECTS, 0)
            if names:
                at = from_ms(hour * HOUR_MS)
                yield Tally(writer=writer, hour=at, sums={scope: _largest(names)}, left_out=left_out)
    counted.untold.clear()


def _sums(store: Store, counted: Tallies, hour: int) -> _Sums:
    found: _Sums = {}
    for scope, table in counted.of(hour):
        _put(found.setdefault(scope, {}), table.rows())
    if isinstance(store, ChannelStore):
        _put(found.setdefault("channel", {}), store.hour_sums(hour))
    return found


def _put(names: dict[str, dict[Measure, float]], rows: Iterable[tuple[str, list[int]]]) -> None:
    for name, sums in rows:
        if any(sums):
            counts = names.setdefault(name, {})
            for measure, amount in zip(MEASURES, sums, strict=True):
                if amount:
                    counts[measure] = amount / _MICROS if measure in IN_MICROS else amount


def _largest(names: dict[str, dict[Measure, float]]) -> dict[str, dict[Measure, float]]:
    """Those with the most clicks, if they are too many."""
    if len(names) <= MAX_SUBJECTS:
        return names
    ranked = sorted(names, key=lambda name: (-names[name].get("clicks", 0), name))
    return {name: names[name] for name in sorted(ranked[:MAX_SUBJECTS])}
