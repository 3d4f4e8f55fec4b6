"""What a renderer is given."""

import json
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from schemas.alerts import AlertState, MessageLinks, WebhookMessage
from schemas.base import HexId
from services.alerting.receivers.words import ACKNOWLEDGE, SEE, Words, label, words
from services.alerting.telling import Due

JSON: Final = {"content-type": "application/json; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Notice:
    """A message that is due, read, with its links. Without a console there are none.

    rest: the alerts that it tells of and has no line for, as they are now; for a receiver where each stands for itself.
    """

    due: Due
    message: WebhookMessage
    links: MessageLinks | None = None
    rest: tuple[AlertState, ...] = ()

    @classmethod
    def of(cls, due: Due, links: MessageLinks | None = None) -> "Notice":
        """The notice of a message that is due."""
        return cls(due, WebhookMessage.model_validate_json(due.body), links)

    def unnamed(self) -> list[HexId]:
        """The alerts of the message that it has no line for."""
        group = self.message.group
        return [] if group is None or self.due.group is None else self.due.group.alerts[len(group.alerts) :]

    def words(self, zone: ZoneInfo) -> Words:
        """What people read of it."""
        return words(self.message, self.due.language, zone)

    def named_links(self) -> list[tuple[str, str]]:
        """What each link is called, and where it leads: first to acknowledge, if that is of any use."""
        if self.links is None:
            return []
        see = (label(SEE, self.due.language), self.links.alert)
        if self.links.acknowledge is None:
            return [see]
        return [(label(ACKNOWLEDGE, self.due.language), self.links.acknowledge), see]

    def plain_links(self) -> str:
        """The links as lines of a text."""
        return "\n".join(f"{name}: {url}" for name, url in self.named_links())


def json_body(value: Any) -> bytes:
    """JSON in UTF-8, the same bytes for the same value."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
