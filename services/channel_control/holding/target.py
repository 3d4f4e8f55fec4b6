"""One target: the holds that stand on it, and what is wanted of the platform beside what it has confirmed."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from schemas.base import Bilingual, HexId, Message
from schemas.channels import (
    ChannelState,
    Drift,
    FourEyesRequest,
    Hold,
    HoldKind,
    Override,
    Platform,
    TargetStatus,
    WantedState,
)
from services.channel_control.holding.holds import acts, effective
from services.channel_control.holding.masks import mask
from services.channel_control.sentences import chinese

_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Target:
    """An immutable picture of one target; every change makes a new one.

    since: for each standing hold the generation that it came with, or was raised in.
    touched: whether anything but running was ever wanted. A target that only ever ran is the platform's own affair:
    telling it to run could undo what someone stopped there by hand.
    drift: what the platform shows since it has confirmed; drifts: how many there were, so that reports on each differ.
    """

    name: str
    generation: int = 0
    holds: tuple[Hold, ...] = ()
    since: tuple[int, ...] = ()
    override: Override | None = None
    requests: tuple[FourEyesRequest, ...] = ()
    touched: bool = False
    confirmed: TargetStatus | None = None
    confirmed_generation: int | None = None
    confirmed_at: datetime | None = None
    error: Bilingual | None = None
    drift: Drift | None = None
    drifts: int = 0

    def with_holds(self, holds: tuple[Hold, ...]) -> "Target":
        """These holds instead, one generation on, masked as the override says. Holds that are new or differ count from
        that generation; that one opens by itself is no news to its alert when the platform confirms it. A request goes
        with the first of its holds."""
        generation, holds = self.generation + 1, mask(holds, self.override)
        before = dict(zip((hold.hold_id for hold in self.holds), zip(self.holds, self.since, strict=True), strict=True))
        since: list[int] = []
        for hold in holds:
            old, came = before.get(hold.hold_id, (hold, generation))
            since.append(came if old.model_copy(update={"ramp": hold.ramp}) == hold else generation)
        standing = {hold.hold_id for hold in holds}
        return replace(
            self,
            requests=tuple(request for request in self.requests if standing.issuperset(request.hold_ids)),
            generation=generation,
            holds=holds,
            since=tuple(since),
            touched=self.touched or effective(holds) != ("running", 1.0),
        )

    def wanted(self) -> WantedState:
        """What the platform is to do."""
        status, factor = effective(self.holds)
        return WantedState(target=self.name, status=status, factor=factor, generation=self.generation)

    def settled(self) -> bool:
        """Whether the platform needs no call: it confirmed this generation, or never had anything to do."""
        return not self.touched or self.confirmed_generation == self.generation

    def acting_since(self, after: int, up_to: int) -> list[Hold]:
        """The acting holds that came in the generations after `after`, up to and with `up_to`."""
        pairs = zip(self.holds, self.since, strict=True)
        return [hold for hold, came in pairs if after < came <= up_to and acts(hold)]

    def for_logs(self) -> dict[str, object]:
        """Which it is, and the alert behind the newest hold that acts, where one is."""
        alerts = [hold.alert_id for hold in self.acting_since(0, self.generation) if hold.alert_id is not None]
        return {"target": self.name, "generation": self.generation, **({"alert_id": alerts[-1]} if alerts else {})}

    def has_confirmed(self, kind: HoldKind, alert_id: str | None) -> bool:
        """Whether the platform has said that it did what a hold of this alert wants."""
        mine = [
            came
            for hold, came in zip(self.holds, self.since, strict=True)
            if hold.kind == kind and hold.alert_id is not None and hold.alert_id == alert_id and acts(hold)
        ]
        return bool(mine) and max(mine) <= (self.confirmed_generation or 0)

    def state(self) -> ChannelState:
        """The message for `channel-state`."""
        status, factor = effective(self.holds)
        return ChannelState(
            target=self.name,
            generation=self.generation,
            status=status,
            factor=factor,
            holds=list(self.holds),
            override=self.override,
            requests=list(self.requests),
            platform=Platform(
                wanted=status,
                confirmed=self.confirmed,
                confirmed_generation=self.confirmed_generation,
                confirmed_at=self.confirmed_at,
                error=None if self.error is None else self.error.en,
                error_zh=None if self.error is None else chinese(self.error),
                drift=self.drift,
            ),
        )


class _Stored(Message):
    """A target in a snapshot."""

    format: Literal[1] = _FORMAT
    state: ChannelState
    since: dict[HexId, int]
    touched: bool
    drifts: int = 0


def encode(target: Target) -> bytes:
    """The snapshot record of a target."""
    since = dict(zip((hold.hold_id for hold in target.holds), target.since, strict=True))
    stored = _Stored(state=target.state(), since=since, touched=target.touched, drifts=target.drifts)
    return stored.model_dump_json().encode()


def decode(raw: bytes) -> Target:
    """The target in a snapshot record; raises ValueError for another format."""
    stored = _Stored.model_validate_json(raw)
    state, platform = stored.state, stored.state.platform
    return Target(
        name=state.target,
        generation=state.generation,
        holds=tuple(state.holds),
        since=tuple(stored.since[hold.hold_id] for hold in state.holds),
        override=state.override,
        requests=tuple(state.requests),
        touched=stored.touched,
        confirmed=platform.confirmed,
        confirmed_generation=platform.confirmed_generation,
        confirmed_at=platform.confirmed_at,
        error=Bilingual.of(platform.error, platform.error_zh),
        drift=platform.drift,
        drifts=stored.drifts,
    )
