"""One machine and its log, for tests that tell a story: things happen, marks pass, and what came out is looked at."""

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.alerts import AlertFact
from schemas.base import from_ms
from schemas.commands import Command
from schemas.events import TOPIC_OF
from schemas.policy import Policy
from services.indicators.examples import Happening
from services.indicators.machine import IndicatorMachine, build
from services.runtime.machines.machine import Output
from tests.support.frames import FrameMaker
from tests.support.indicator_log import TEN, Event, Log, commands, facts, mark, policy, source_for

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DOUYIN = "channel:douyin"
COMPARING = ("cac_spike", "conversion_drop", "engagement_drop")
EVERY_CHANGE: dict[str, Any] = {"fire": {"hold": "0s"}, "thresholds": {"confidence": 0, "wander": 0}}


def with_every_change(version: int = 1, **says: Any) -> Policy:
    """A policy that takes each change at its word and at once, so that figures are seen to the last digit."""
    return policy(version, **{name: EVERY_CHANGE | says.pop(name, {}) for name in COMPARING}, **says)


class World:
    """Applies each record as it is written. Times are milliseconds after ten in the morning."""

    def __init__(
        self,
        subject: str,
        in_force: Policy | None = None,
        machine: IndicatorMachine | None = None,
        *,
        first_mark: bool = True,
    ) -> None:
        self.machine = machine or build(subject, 0)
        self.log = Log(subject)
        self.outputs: list[Output] = []
        self._offsets: dict[int, int] = {}
        self._maker = FrameMaker()
        self._number = 0
        if first_mark:
            self.apply(mark(TEN - 1, policy=in_force or policy(), read={}))

    def apply(self, message: object) -> list[Output]:
        """Writes one frame or mark and applies it; what comes of it."""
        new = self.machine.apply(self.log.put(message))  # type: ignore[arg-type]
        self.outputs += new
        return new

    def event(self, what: str, at: float, **more: object) -> Event:
        """An event with the next offset of its source; `source` may say which."""
        source = int(str(more.pop("source", source_for(what))))
        offset = self._offsets[source] = self._offsets.get(source, -1) + 1
        return Event(source, offset, TEN + int(at), what, **more)  # type: ignore[arg-type]

    def happen(self, *events: Event) -> list[Output]:
        """A frame of these events."""
        new = self.machine.apply(self.log.frame(events))
        self.outputs += new
        return new

    def raw(self, what: str, at: float, **fields: object) -> list[Output]:
        """A frame of one event as a sender writes it, through ingest's own routing."""
        return self.raw_events([(what, at, fields)])

    def raw_events(self, events: Sequence[tuple[str, float, Mapping[str, object]]]) -> list[Output]:
        """A frame of some of them: type, time and fields."""
        placed = []
        for what, at, fields in events:
            self._number += 1
            common = {"event_id": f"raw-{self._number}", "type": what, "occurred_at": _written(TEN + int(at))}
            placed.append((TOPIC_OF[what], 0, self._number, {**common, **fields}))
        frames = [frame for subject, _, frame in self._maker.poll(placed) if subject == self.machine.subject]
        return [output for frame in frames for output in self.apply(frame)]

    def happenings(self, given: Sequence[Happening]) -> list[Output]:
        """A frame of what an example gives."""
        if any(each.fields is not None for each in given):
            return self.raw_events([(each.what, each.second * SECOND, each.fields or {}) for each in given])
        return self.happen(
            *(
                self.event(
                    each.what,
                    each.second * SECOND,
                    count=each.count,
                    account=each.account,
                    ip=each.ip or ("one-address" if self.machine.subject == "actor" else None),
                    one_click=each.one_click,
                )
                for each in given
            )
        )

    def complaints(self, number: int, at: float, every: float = SECOND, **more: object) -> list[Output]:
        """A frame of complaints, each of another person unless `more` says who."""
        events = [
            self.event("complaints", at + n * every, **({"account": f"person-{at}-{n}"} | more)) for n in range(number)
        ]
        return self.happen(*events)

    def clicks(self, number: int, at: float, within: float = 10 * SECOND, **more: object) -> list[Output]:
        """A frame of clicks from one address."""
        events = [
            self.event("clicks", at + n * within / number, **({"ip": "1.2.3.4", "link": f"link-{n % 3}"} | more))
            for n in range(number)
        ]
        return self.happen(*events)

    def mark(self, at: float, in_force: Policy | None = None, **more: object) -> list[Output]:
        """A mark by which all has been read up to a time."""
        return self.apply(mark(TEN + int(at), policy=in_force, **more))  # type: ignore[arg-type]

    @property
    def facts(self) -> list[AlertFact]:
        """All alert facts so far."""
        return facts(self.outputs)

    @property
    def commands(self) -> list[Command]:
        """All commands so far."""
        return commands(self.outputs)

    def ordered(self) -> list[tuple[str, str, int | None]]:
        """`(command, target, level)` of all commands so far."""
        return [(each.command, each.target, each.level) for each in self.commands]

    def told(self) -> list[tuple[str | None, str | None, int | None]]:
        """`(status, severity, level)` of all alert facts so far."""
        return [(each.status, each.severity, each.level) for each in self.facts]


def sold(world: World, purchases: int, at: float = 0) -> None:
    """So many purchases on douyin at once."""
    world.happen(world.event("purchases", at, count=purchases))


def _written(at_ms: int) -> str:
    return from_ms(at_ms).isoformat()
