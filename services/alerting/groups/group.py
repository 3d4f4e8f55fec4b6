"""What is remembered of a group of alerts that are told together. Moments in ms of the log's clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from schemas.alerts import AlertState, Language
from schemas.base import HexId, Instant, Message, Name, Versioned
from services.alerting.telling import Told

Kind = Literal["own", "storm", "held"]
"""own: alerts with the same labels; storm: whatever came while too many groups opened; held: what nobody was to be told
of until the same moment."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What is so now.

    at: the time that messages bear. gather_ms: how long followers are collected after a message. quiet_until: 0, or
    until when nobody is told of an alert.
    """

    now_ms: int
    at: Instant
    zone: ZoneInfo
    gather_ms: int
    alerts: Mapping[str, AlertState]
    quiet_until: Callable[[AlertState], int]


class Talk(Message):
    """What one receiver is told of a group.

    told: of each alert. flight: the message that is due, which tells `sent` when it arrives and `lost` when it does
    not. count: messages so far; last_ms: when the last one became due; run: how many followed closely on another.
    loudest: a severity that was told elsewhere. rings: how often it is to have been called again of each alert.
    """

    receiver: Name
    told: dict[HexId, Told] = {}
    flight: HexId | None = None
    sent: dict[HexId, Told] = {}
    lost: dict[HexId, Told] = {}
    count: int = 0
    last_ms: int | None = None
    run: int = 0
    loudest: int = -1
    rings: dict[HexId, int] = {}
    escalated: bool = False


class Rung(Message):
    """A step of a ladder."""

    after_ms: int
    receivers: list[Name]


class Group(Versioned):
    """Alerts that are told together, as its route was when the group began.

    key: by which an alert finds it. acked: when someone took charge of an alert. calling_ms: since when nobody has of
    some; step: how many rungs were climbed since. look_ms: when to look at it, if nothing happens before.
    """

    group_id: HexId
    key: str
    route: Name
    kind: Kind
    labels: dict[str, str]
    language: Language
    repeat_ms: int | None
    ladder: list[Rung]
    alerts: list[HexId] = []
    talks: dict[Name, Talk] = {}
    acked: dict[HexId, int] = {}
    calling_ms: int | None = None
    step: int = 0
    look_ms: int | None = None
