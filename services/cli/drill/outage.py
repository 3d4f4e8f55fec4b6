"""The drill of an outage: a stop is ordered while its platform does not answer. Pure.

The platform is played by the drill itself. First it carries out a slowing, which proves that the way to it is right;
then it refuses everything, a pause is ordered, and it answers again once people were told.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from schemas.alerts import AlertState
from schemas.audit import AuditRecord
from schemas.channels import ChannelState, WantedState
from schemas.directory import Directory
from schemas.topics import ALERT_STATE, AUDIT, CHANNEL_STATE
from services.channel_control.enforcing.addresses import address_of
from services.cli.drill.course import Drill, marked

STEPS: Final[Mapping[str, str]] = {
    "there": "the platform has confirmed a slowing: it is there",
    "away": "the platform refuses everything from now on",
    "in force": "a pause is wanted of it",
    "alert": "an alert says that the platform does not do what it is told",
    "told": "a receiver has taken that message to people",
    "back": "the platform answers again",
    "confirmed": "it has confirmed the pause",
    "all clear": "the alert is resolved",
    "told again": "a receiver has taken that message too",
    "let go": "the platform has confirmed that the channel runs",
}
"""`confirmed` and `all clear` may come in either order."""
UNTIL_TOLD: Final = ("in force", "alert", "told")
"""What is waited for while the platform is away."""
UNTIL_CLEAR: Final = ("confirmed", "all clear", "told again")
"""And once it is back."""
_AFTER: Final = dict.fromkeys(UNTIL_TOLD, "away") | dict.fromkeys(UNTIL_CLEAR, "back")
ELSEWHERE: Final = "Another platform than the one that the drill plays has confirmed the slowing: see its address."


@dataclass(frozen=True, slots=True)
class Outage:
    """An outage of a marked platform, which serves a marked channel."""

    channel: str
    platform: str

    @property
    def target(self) -> str:
        """What is to be paused."""
        return f"channel:{self.channel}"

    def drill(self, within_s: float) -> Drill:
        """The drill of it."""
        return Drill(
            name="outage",
            about=f"on channel `{self.channel}`, whose platform `{self.platform}` the drill played",
            since="the beginning",
            steps=STEPS,
            within_s=within_s,
            watches=(ALERT_STATE, CHANNEL_STATE, AUDIT),
            shown_by=self._shown_by,
            left="the records of it, and a platform for drills that is not there until the next one",
            after=_AFTER,
        )

    def _shown_by(self, topic: str, value: bytes) -> Iterator[str]:
        about = f"platform:{self.platform}"
        if topic == ALERT_STATE:
            alert = AlertState.model_validate_json(value)
            if alert.subject == about:
                yield "all clear" if alert.status == "resolved" else "alert"
        elif topic == CHANNEL_STATE:
            yield from self._stands(ChannelState.model_validate_json(value))
        else:
            record = AuditRecord.model_validate_json(value)
            if (record.target, record.what, record.outcome) == (about, "deliver", "delivered"):
                yield "told again" if record.detail.get("type") == "alert.resolved" else "told"

    def _stands(self, state: ChannelState) -> Iterator[str]:
        if state.target != self.target:
            return
        confirmed = {"throttled": "there", "paused": "confirmed", "running": "let go"}
        if state.status == "paused":
            yield "in force"
        if state.platform.confirmed == state.status and state.platform.confirmed_generation == state.generation:
            yield from (step for status, step in confirmed.items() if status == state.status)


def outage_of(channel: str, directory: Directory) -> Outage:
    """Raises NotMarkedError where the channel, or the platform that serves it, is not marked for drills."""
    found = Outage(marked("channel", channel), "")
    return Outage(channel, marked("platform", address_of(found.target, directory).platform))


@dataclass(slots=True)
class PlayedPlatform:
    """The platform: it keeps what it is told of one target, and refuses everything while it is away."""

    target: str
    away: bool = False
    kept: WantedState | None = field(default=None)

    def put(self, wanted: WantedState) -> int:
        """The status of the answer to an order."""
        if self.away:
            return 503
        if wanted.target != self.target:
            return 404
        if self.kept is not None and wanted.generation < self.kept.generation:
            return 409
        self.kept = wanted
        return 200

    def get(self, target: str) -> tuple[int, WantedState | None]:
        """The status, and what is kept, of the answer to a question."""
        if self.away:
            return 503, None
        return (404, None) if self.kept is None or target != self.target else (200, self.kept)
