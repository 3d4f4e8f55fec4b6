"""Pieces of the page: text in both languages, times, tables. Everything from outside is escaped here."""

from collections.abc import Iterable
from html import escape

from schemas.backtest import Trip
from schemas.base import Bilingual


def say(en: str, zh: str) -> str:
    """A text in both languages, of which the page shows one."""
    if en == zh:
        return escape(en)
    return f'<span lang="en">{escape(en)}</span><span lang="zh-CN">{escape(zh)}</span>'


def both(words: Bilingual) -> str:
    """As `say`."""
    return say(words.en, words.zh)


def table(head: Iterable[str], rows: Iterable[Iterable[str]], *, numbers: int = 0) -> str:
    """A table of cells that are markup already; so many of the last columns are numbers."""
    columns = list(head)
    first = len(columns) - numbers
    cells = "".join(f"<th{_right(n >= first)}>{each}</th>" for n, each in enumerate(columns))
    body = "".join(
        f"<tr>{''.join(f'<td{_right(n >= first)}>{cell}</td>' for n, cell in enumerate(row))}</tr>" for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table></div>'


def _right(number: bool) -> str:
    return ' class="n"' if number else ""


def chip(run: int, text: str) -> str:
    """Which policy, in its colour."""
    return f'<span class="chip run{run}">{escape(text)}</span>'


_ACTIONS = {
    "pause": ("pause", "暂停"),
    "throttle": ("slow", "限流"),
    "freeze": ("freeze", "冻结"),
    "take_down": ("take down", "下架"),
    "escalate": ("call experts", "上报"),
}


def orders(trip: Trip) -> str:
    """What was ordered, each action once, and whether it waits for a person."""
    said = dict.fromkeys((each.action, each.maturity == "approve") for each in trip.orders)
    parts = []
    for action, waits in said:
        en, zh = _ACTIONS[action]
        parts.append(say(f"{en} (waits)", f"{zh}（待批）") if waits else f"<strong>{say(en, zh)}</strong>")
    return ", ".join(parts) or "–"
