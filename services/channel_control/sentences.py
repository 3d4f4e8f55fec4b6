"""Sentences in both languages: what this service says of an order, and what people said, which stands as it is."""

from typing import Final

from schemas.base import Bilingual
from schemas.channels import HoldKind, TargetStatus

KINDS: Final[dict[HoldKind, str]] = {"throttle": "限流", "pause": "暂停", "freeze": "冻结", "take_down": "下架"}
STATUSES: Final[dict[TargetStatus, str]] = {
    "running": "投放中",
    "throttled": "限流",
    "paused": "暂停",
    "frozen": "冻结",
    "taken_down": "下架",
}


def both(en: str, zh: str) -> Bilingual:
    """One of ours."""
    return Bilingual(en=en, zh=zh)


def own(text: str) -> Bilingual:
    """Somebody's own words."""
    return Bilingual(en=text, zh=text)


def chinese(said: Bilingual) -> str | None:
    """The Chinese as messages carry it beside the English: None for somebody's own words."""
    return None if said.zh == said.en else said.zh


def cut(said: Bilingual, most: int) -> Bilingual:
    """With at most so many characters."""
    return Bilingual(en=said.en[:most], zh=said.zh[:most])


def name(who: str) -> str:
    """Who it is, in a Chinese sentence."""
    return who.removeprefix("person:")
