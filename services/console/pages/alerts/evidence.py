"""The evidence of an alert for people: figures, and tables for what has several lines. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError

from schemas.base import Bilingual, read_instant
from schemas.commands import Evidence
from services.console.pages.alerts.evidence_words import KINDS, PARTS, SHARES
from services.console.pages.frame.speaking import Speaker
from services.incidents.document import Table

_SHORT: Final = 12
"""Characters of a pseudonym or fingerprint that are shown."""
_LONG: Final = 32
_HEX: Final = frozenset("0123456789abcdef")
Fact = tuple[str, str]
"""What it is, and its value."""


@dataclass(slots=True)
class Shown:
    """facts: what fits into a line each. tables: the rest, each under its name."""

    facts: list[Fact] = field(default_factory=list)
    tables: list[tuple[str, Table]] = field(default_factory=list)


def shown(evidence: Evidence, speaker: Speaker) -> Shown:
    """All that it says but for value, window, policy, code and the places in the log."""
    return _Teller(speaker).shown({**evidence.samples, **evidence.detail})


class _Teller:
    def __init__(self, speaker: Speaker) -> None:
        self._speaker = speaker
        self._found = Shown()

    def shown(self, parts: Mapping[str, Any]) -> Shown:
        """Adds each part where it belongs."""
        for name, value in parts.items():
            self._add(name, value)
        return self._found

    def _add(self, name: str, value: Any) -> None:
        if value is None or value in ({}, [], ""):
            return
        if isinstance(value, Mapping) and not _is_bilingual(value):
            if all(isinstance(each, int | float) for each in value.values()):
                self._table(name, (self._say("name", "名称"), self._say("figure", "数值")), self._counts(name, value))
            else:
                self.shown(value)
        elif isinstance(value, list | tuple) and any(isinstance(each, Mapping) for each in value):
            self._rows(name, [each for each in value if isinstance(each, Mapping)])
        else:
            self._found.facts.append((self._called(name), self._written(name, value)))

    def _counts(self, name: str, counts: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
        for each, count in counts.items():
            yield self._named(name, str(each)), self._speaker.number(count)

    def _rows(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        if all(_is_bilingual(each) for each in rows):
            self._found.facts.append((self._called(name), self._list(self._text(each) for each in rows)))
            return
        columns = list(dict.fromkeys(key for row in rows for key in row))
        head = [self._called(key) for key in columns]
        self._table(name, head, ([self._written(key, row.get(key)) for key in columns] for row in rows))

    def _table(self, name: str, head: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
        self._found.tables.append((self._called(name), Table(tuple(head), tuple(map(tuple, rows)))))

    def _written(self, name: str, value: Any) -> str:
        if value is None:
            return "–"
        if isinstance(value, bool):
            return self._say("yes", "是") if value else self._say("no", "否")
        if isinstance(value, int | float):
            return self._speaker.share(value) if name in SHARES else self._speaker.number(value)
        if isinstance(value, Mapping):
            return self._text(value) if _is_bilingual(value) else str(dict(value))
        if isinstance(value, list | tuple):
            return self._list(self._written(name, each) for each in value)
        return self._moment(str(value)) or self._named(name, str(value))

    def _moment(self, text: str) -> str | None:
        try:
            at = read_instant(text)
        except (ValueError, ValidationError):
            return None
        return f"{at.astimezone(self._speaker.zone):%Y-%m-%d %H:%M:%S}"

    def _named(self, part: str, name: str) -> str:
        """By the directory where it is a channel or product, and short where it is a pseudonym."""
        if part in KINDS:
            return self._speaker.name(f"{KINDS[part]}:{name}")
        return f"{name[:_SHORT]}…" if len(name) >= _LONG and not set(name) - _HEX else name

    def _list(self, texts: Iterable[str]) -> str:
        return self._say(", ", "、").join(texts)

    def _called(self, name: str) -> str:
        known = PARTS.get(name)
        return name.replace("_", " ") if known is None else self._speaker.text(known)

    def _text(self, both: Mapping[str, Any]) -> str:
        return self._speaker.text(Bilingual.model_validate(both))

    def _say(self, en: str, zh: str) -> str:
        return self._speaker.say(en, zh)


def _is_bilingual(value: object) -> bool:
    return isinstance(value, Mapping) and set(value) == {"en", "zh"}
