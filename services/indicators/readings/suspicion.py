"""Clicks of addresses that click too often, counted for people's figures."""

from typing import Final

from services.indicators.readings.tallies import OTHERS, Tallies
from services.indicators.subjects.actor import WINDOW_MS, ActorStore
from services.indicators.subjects.clicks import PANE_MS
from services.indicators.subjects.store import Surroundings
from services.indicators.verdicts.episodes import Episodes
from services.indicators.windows.days import Span

_RULE: Final = "click_fraud"


def count_suspicious(
    store: ActorStore, episodes: Episodes, around: Surroundings, end_ms: int, tallies: Tallies
) -> None:
    """Adds the clicks of the pane that closes, of every address that has tripped; where it trips in this pane, those of
    the window before it as well. What comes later than the close is not counted."""
    for subject in sorted(episodes.of(_RULE, "")):
        episode = episodes.get((_RULE, "", subject, "", False)) or episodes.get((_RULE, "", subject, "", True))
        if episode is None or episode.tripped_ms is None or episode.tripped_ms > end_ms:
            continue
        first = episode.tripped_ms == end_ms
        span = Span(end_ms - PANE_MS - WINDOW_MS * first, end_ms)
        for click in store.view(subject, around).each(span):
            tallies.add(click.at_ms, "channel", click.channel or OTHERS, "suspicious_clicks", click.clicks)
