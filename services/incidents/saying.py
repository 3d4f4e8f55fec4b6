"""How a report says things: in one language, with times of one zone."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from schemas import wording
from schemas.audit import AuditRecord
from schemas.base import Bilingual
from schemas.directory import Directory
from services.incidents import report_words as words

Language = Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class Saying:
    """See the module. directory: by which targets are called; others go by their id."""

    language: Language
    zone: ZoneInfo
    directory: Directory = field(default_factory=Directory)

    def say(self, text: Bilingual, **values: object) -> str:
        """A sentence with its values; without any it is said as it stands, since it may be somebody's own words."""
        said = str(getattr(text, self.language))
        return said.format(**values) if values else said

    def at(self, moment: datetime | None) -> str:
        """A time, or a dash."""
        return "–" if moment is None else moment.astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S")

    def called(self, target: str) -> str:
        """A target by its name."""
        label = self.directory.label(target)
        return target if label is None else self.say(label)

    def phrase(self, action: str, targets: Sequence[str]) -> str:
        """An order."""
        return wording.phrase(action, [*map(self.called, targets)], 0 if self.language == "en" else 1)

    def what(self, record: AuditRecord) -> str:
        """What was done or ordered."""
        word = words.WORDS.get(record.what)
        if word is None:
            return self.phrase(record.what, [record.target])
        receiver = record.detail.get("receiver") or self.say(words.ON_CALL)
        kind = str(record.detail.get("type", ""))
        change = self.say(words.CHANGES[kind]) if kind in words.CHANGES else kind
        return self.say(word, target=self.called(record.target), receiver=receiver, change=change)

    def who(self, who: str) -> str:
        """A person by name, and which part of Tidegate."""
        kind, _, name = who.partition(":")
        if kind == "person":
            return name
        return self.say(words.PLATFORM) if who == "reconciler" else self.say(words.TIDEGATE, name=name or who)
