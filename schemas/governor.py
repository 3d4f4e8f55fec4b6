"""The governor: how much automation may stop at once. What it is asked, what it is told, and what the policy says.

A channel's machine asks before a stop of automation acts (`claim`), and tells when that stands no more (`release`); the
machine that owns `governor:all` answers (`granted`, `declined`). The indicators tell it what each channel moves.
"""

from typing import Annotated, Final

from pydantic import Field

from schemas.base import HexId, Message, Name, Ref
from schemas.channels import HoldKind
from schemas.closed import Closed

GOVERNOR: Final = "governor:all"
"""The one target at which all claims meet."""

Count = Annotated[int, Field(ge=1)]
TrafficShare = Annotated[float, Field(gt=0, le=1)]


class Governor(Closed):
    """How much automation may stop or slow. What is beyond waits for two people, and one alert says so.

    Traffic is counted in clicks of the last hour; a channel that is slowed to half counts half of its own. Promotions
    are counted by their products, since one verdict stops a product's on every channel that carries it.
    """

    enabled: bool = True
    channels_at_once: Count = 5
    """Five channels rarely go wrong by themselves within a day, so more are likelier to have the policy in common."""
    channels_per_hour: Count = 10
    """Also of those that were let go meanwhile: a rule that trips, clears and trips again runs against it."""
    products_at_once: Count = 3
    """Of so many products automation stops promotions. A product goes wrong by itself; several at once seldom do."""
    products_per_hour: Count = 6
    traffic_share_at_once: TrafficShare = 0.6
    """More than half of the business is a decision for people."""
    traffic_share_per_hour: TrafficShare = 0.8
    always: Annotated[int, Field(ge=0)] = 3
    """So many channels at once are never too many, whatever their traffic: with few channels each is a large share."""


class Hour(Message):
    """What one channel moved in the last hour. spend: CNY; accounts: opened."""

    clicks: int = 0
    spend: float = 0.0
    accounts: int = 0


class Figures(Message):
    """The channels of one writer: all that moved anything."""

    writer: Name
    channels: dict[Name, Hour]


class Claim(Message):
    """A hold that automation wants to act. left: the share of traffic that it leaves. approved: people have decided for
    it, so it acts, and the governor only has to know. guardrail: it protects customers."""

    target: Ref
    hold_id: HexId
    kind: HoldKind
    left: Annotated[float, Field(ge=0, le=1)]
    indicator: Name
    level: int = 1
    guardrail: bool = False
    approved: bool = False
