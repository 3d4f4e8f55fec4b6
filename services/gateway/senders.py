"""Who may send what: the owners of the gateway's tokens."""

from collections.abc import Iterator
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field

from schemas.base import Name
from schemas.dead_letters import Problem
from schemas.events import TOPIC_OF, AnyEvent
from services.runtime.http.tokens import TokenOwner

ALL: Final = "*"


def _listed(value: Any) -> Any:
    if value == ALL:
        return [ALL]
    if not isinstance(value, list):
        raise ValueError('is neither a list nor "*"')
    return value


def _known(value: str) -> str:
    if value != ALL and value not in TOPIC_OF:
        raise ValueError(f"is no event type; there are {', '.join(sorted(TOPIC_OF))}")
    return value


class Sender(TokenOwner):
    """For which channels and types a sender may speak, each a list, or `*` for all.

    An event without a channel speaks for all of them, so it takes `channels: "*"`.
    """

    channels: Annotated[frozenset[Name], BeforeValidator(_listed), Field(strict=False)]
    types: Annotated[frozenset[Annotated[str, AfterValidator(_known)]], BeforeValidator(_listed), Field(strict=False)]

    def objections(self, event: AnyEvent) -> Iterator[Problem]:
        """Why this sender may not send this event; nothing if it may."""
        if ALL not in self.channels and event.channel_id not in self.channels:
            which = "for all channels" if event.channel_id is None else "for this channel"
            yield Problem(field="channel_id", problem=f"this token may not speak {which}")
        if ALL not in self.types and event.type not in self.types:
            yield Problem(field="type", problem="this token may not send this type")
