"""How a page says things in one of the two languages: words, times, durations, numbers, names. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from markupsafe import Markup

from schemas.base import Bilingual
from schemas.directory import Directory

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_UNITS: Final = ((_DAY, "d", "天"), (_HOUR, "h", "小时"), (_MINUTE, "min", "分钟"), (1, "s", "秒"))


def preferred(accept_language: str) -> Language:
    """The better of our languages by an Accept-Language header; English where it names neither."""
    ranked: list[tuple[float, Language]] = []
    for place, entry in enumerate(accept_language.split(",")[:20]):
        tag, _, quality = entry.strip().partition(";q=")
        for language in LANGUAGES:
            if tag.lower().split("-")[0] == language:
                ranked.append((_share(quality) - place * 1e-6, language))
    return max(ranked)[1] if ranked else "en"


def _share(quality: str) -> float:
    try:
        return float(quality or 1)
    except ValueError:
        return 0.0


def moment(at: datetime, zone: ZoneInfo) -> str:
    """One that is understood on another day and elsewhere too: with the date and the zone."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S} ({zone.key})"


@dataclass(frozen=True)
class Speaker:
    """Speaks to one visitor. zone: of the policy, in which all times are shown. now: when the page was asked for."""

    language: Language
    zone: ZoneInfo
    now: datetime
    directory: Directory

    def say(self, en: str, zh: str) -> str:
        """One of two texts."""
        return zh if self.language == "zh" else en

    def text(self, both: Bilingual) -> str:
        """The same of a message's."""
        return self.say(both.en, both.zh)

    def when(self, at: datetime | None) -> str:
        """A moment as a `<time>`: the time of day, with the date where it is not today's; a dash for none."""
        if at is None:
            return "–"
        local = at.astimezone(self.zone)
        form = "%H:%M:%S" if local.date() == self.now.astimezone(self.zone).date() else "%Y-%m-%d %H:%M"
        return Markup('<time datetime="{}" title="{}">{}</time>').format(
            at.isoformat(), f"{local:%Y-%m-%d %H:%M:%S (UTC%z)}", f"{local:{form}}"
        )

    def span(self, seconds: float) -> str:
        """A duration in its largest unit, and the next where that is small: `3 h 20 min`."""
        left, parts = round(abs(seconds)), list[str]()
        for size, en, zh in _UNITS:
            count, left = divmod(left, size)
            if count or (size == 1 and not parts):
                parts.append(f"{count} {self.say(en, zh)}")
            elif parts:
                break
            if len(parts) == 2 or count >= 10:
                break
        return " ".join(parts)

    def ago(self, at: datetime | None) -> str:
        """How long since a moment, or how long until it."""
        if at is None:
            return "–"
        gone = self.now - at
        if gone >= timedelta():
            return self.say(f"{self.span(gone.total_seconds())} ago", f"{self.span(gone.total_seconds())}前")
        return self.say(f"in {self.span(gone.total_seconds())}", f"{self.span(gone.total_seconds())}后")

    def number(self, value: float | None, digits: int = 2) -> str:
        """With thousands parted, and no more digits than it needs; a dash for none."""
        if value is None:
            return "–"
        if abs(value) >= 1000 or float(value).is_integer():
            return f"{value:,.0f}"
        return f"{value:,.{digits}f}".rstrip("0").rstrip(".")

    def share(self, value: float | None, digits: int = 1) -> str:
        """A share as percent."""
        return "–" if value is None else f"{self.number(value * 100, digits)} %"

    def name(self, ref: str) -> str:
        """What a subject or target is called in the directory, else its id without the kind."""
        label = self.directory.label(ref)
        return self.text(label) if label is not None else ref.partition(":")[2] or ref

    def words(self) -> dict[str, Callable[..., str]]:
        """What templates may call."""
        return {
            each.__name__: each
            for each in (
                self.say,
                self.text,
                self.when,
                self.span,
                self.ago,
                self.number,
                self.share,
                self.name,
            )
        }
