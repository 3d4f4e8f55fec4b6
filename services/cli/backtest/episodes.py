"""From the alerts and commands of a run to its episodes, each once."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from schemas.alerts import AlertFact
from schemas.backtest import Level, Ordered, Total, Trip
from schemas.base import Bilingual, from_ms
from schemas.commands import Command
from schemas.topics import ALERTS, CHANNEL_COMMANDS, SUBJECTS
from services.indicators.registry import all_rules
from services.indicators.seen import Latest
from services.indicators.windows.days import Span
from services.runtime.machines.machine import Output


@dataclass(slots=True)
class _Told:
    """What is known of an episode so far.

    fact: the latest that says how bad it is. known: when, by the log, it tripped, or if it only warned, opened.
    """

    fact: AlertFact
    opened: datetime
    known: datetime
    value: float
    threshold: float
    tripped: datetime | None = None
    resolved: datetime | None = None
    levels: list[Level] = field(default_factory=list)
    orders: list[Ordered] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, str]:
        """The rule and the subject."""
        return rule_of(self.fact), self.fact.subject or ""


class Episodes:
    """Collects what a run says."""

    def __init__(self) -> None:
        self._told: dict[str, _Told] = {}
        self._standing: dict[tuple[str, str], set[str]] = {}
        self.troubles: list[Bilingual] = []

    def take(self, outputs: Iterable[Output]) -> None:
        """The messages of a machine, in their order."""
        for output in outputs:
            if output.topic == ALERTS:
                self._fact(AlertFact.model_validate_json(output.value or b""))
            elif output.topic == CHANNEL_COMMANDS:
                self._command(Command.model_validate_json(output.value or b""))

    def _fact(self, fact: AlertFact) -> None:
        kind = (fact.subject or "").partition(":")[0]
        if kind not in SUBJECTS:
            if fact.status == "open" and fact.title is not None and fact.title not in self.troubles:
                self.troubles.append(fact.title)
            return
        told = self._told.get(fact.alert_id)
        if fact.status == "resolved":
            if told is not None:
                told.resolved = fact.event_time
                self._standing[told.key].discard(fact.alert_id)
            return
        at, value, threshold = fact.event_time, fact.value, fact.threshold
        if at is None or value is None or threshold is None:
            raise ValueError(f"an alert of {fact.indicator} without a time or value")
        if told is None:
            told = self._told[fact.alert_id] = _Told(fact, at, fact.at, value, threshold)
            self._standing.setdefault(told.key, set()).add(fact.alert_id)
        told.fact = fact
        _worse(told, value, threshold)
        # Who judges many events at once is told of the highest level only.
        told.levels += [Level(level=each, at=at) for each in range(len(told.levels) + 1, (fact.level or 0) + 1)]
        if told.levels and told.tripped is None:
            told.tripped, told.known = at, fact.at

    def _command(self, command: Command) -> None:
        if not command.is_from_indicator():
            return
        told = self._told.get(command.alert_id or "")
        if told is None or command.event_time is None or command.maturity is None:
            raise ValueError(f"a {command.command} that belongs to no alert")
        told.orders.append(
            Ordered(
                at=command.event_time,
                action=command.command,  # type: ignore[arg-type]
                target=command.target,
                factor=command.factor,
                level=command.level,
                maturity=command.maturity,
            )
        )

    def see(self, latest: Mapping[tuple[str, str], Latest]) -> None:
        """How subjects stand: an episode may have been worse between what was told."""
        for key in latest.keys() & self._standing.keys():  # the smaller of the two is gone through
            seen = latest[key]
            if seen.verdict != "unsure":
                for each in self._standing[key]:
                    _worse(self._told[each], seen.value, seen.threshold)

    def trips(
        self, window: Span, label: Callable[[str], Bilingual], shadowed: Callable[[str, str], bool]
    ) -> list[Trip]:
        """The episodes that tripped, or only warned, within a window of the log, in order."""
        start, end = from_ms(window.start), from_ms(window.end)
        within = [each for each in self._told.values() if start <= each.known <= end]
        found = [_trip(each, end, label, shadowed) for each in within]
        return sorted(found, key=lambda trip: (trip.opened, trip.indicator, trip.subject))

    def stood_at(self, moment_ms: int) -> int:
        """How many episodes tripped before a moment and stood then."""
        moment = from_ms(moment_ms)
        before = (each for each in self._told.values() if each.tripped and each.known < moment)
        return sum(each.resolved is None or each.resolved > moment for each in before)


def rule_of(fact: AlertFact) -> str:
    """The name of the rule that speaks. The second strand of an indicator is that of its good news."""
    strands = [rule.name for rule in all_rules() if rule.id == fact.indicator and rule.strand]
    return strands[0] if strands and fact.severity == "info" else fact.indicator or ""


def _worse(told: _Told, value: float, threshold: float) -> None:
    if value >= told.value:
        told.value, told.threshold = value, threshold


def _trip(told: _Told, end: datetime, label: Callable[[str], Bilingual], shadowed: Callable[[str, str], bool]) -> Trip:
    fact = told.fact
    indicator, subject = fact.indicator or "", fact.subject or ""
    return Trip(
        indicator=indicator,
        rule=rule_of(fact),
        subject=subject,
        label=label(subject),
        title=fact.title or Bilingual(en="", zh=""),
        severity=fact.severity or "warning",
        opened=told.opened,
        tripped=told.tripped,
        resolved=told.resolved,
        seconds=max(0.0, ((told.resolved or end) - told.opened).total_seconds()),
        levels=told.levels,
        value=told.value,
        threshold=told.threshold,
        orders=told.orders,
        shadow=shadowed(rule_of(fact), subject),
    )


def totals(trips: Iterable[Trip]) -> Iterator[Total]:
    """By indicator and subject, the busiest subject of each indicator first."""
    by_subject: dict[tuple[str, str], list[Trip]] = {}
    for trip in trips:
        by_subject.setdefault((trip.indicator, trip.subject), []).append(trip)
    ranked = sorted(by_subject.items(), key=lambda item: (item[0][0], -len(item[1]), item[0][1]))
    for (indicator, subject), found in ranked:
        tripped = sum(trip.tripped is not None for trip in found)
        yield Total(
            indicator=indicator,
            subject=subject,
            label=found[0].label,
            trips=tripped,
            warnings=len(found) - tripped,
            seconds=sum(trip.seconds for trip in found),
            orders=dict(Counter(order.maturity for trip in found for order in trip.orders)),
        )
