"""How a report says things: in one language, with times of one zone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from schemas import wording
from schemas.base import Bilingual
from services.incidents import report_words as words

Language = Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class Saying:
    """See the module."""

    language: Language
    zone: ZoneInfo

    def say(self, text: Bilingual, **values: object) -> str:
        """A sentence with its values; without any it is said as it stands, since it may be somebody's own words."""
        said = str(getattr(text, self.language))
        return said.format(**values) if values else said

    def at(self, moment: datetime | None) -> str:
        """A time, or a dash."""
        return "–" if moment is None else moment.astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S")

    def phrase(self, action: str, targets: Sequence[str]) -> str:
        """An order."""
        return wording.phrase(action, targets, 0 if self.language == "en" else 1)

    def who(self, who: str) -> str:
        """A person by name, and which part of Tidegate."""
        kind, _, name = who.partition(":")
        if kind == "person":
            return name
        return self.say(words.PLATFORM) if who == "reconciler" else self.say(words.TIDEGATE, name=name or who)
