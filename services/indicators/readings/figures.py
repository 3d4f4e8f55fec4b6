"""What each channel moved in the last hour, for the governor: how much a stop costs, and how much waiting does."""

from typing import Final

from schemas.governor import Figures, Hour
from services.indicators.subjects.channel import ChannelStore
from services.indicators.subjects.channel_view import ChannelView
from services.indicators.subjects.store import Surroundings
from services.indicators.windows.days import Span
from services.indicators.windows.panes import HOUR_MS

MAX_CHANNELS: Final = 2_000
"""Those with the most clicks, so that it stays a small message."""
_MICROS: Final = 1_000_000
_MEASURES: Final = ("clicks", "spend_micros", "accounts_opened")


def figures(store: ChannelStore, writer: str, end_ms: int, around: Surroundings) -> Figures:
    """The hour before the end of a pane, of the channels that moved anything in it."""
    span = Span(end_ms - HOUR_MS, end_ms)
    hours = {
        subject.removeprefix("channel:"): _hour(store.view(subject, around), span)
        for subject in sorted(store.standing_subjects(_MEASURES))
    }
    moving = sorted(((name, hour) for name, hour in hours.items() if hour != Hour()), key=lambda each: -each[1].clicks)
    return Figures(writer=writer, channels=dict(moving[:MAX_CHANNELS]))


def _hour(view: ChannelView, span: Span) -> Hour:
    clicks, spent, accounts = (view.total(measure, span) for measure in _MEASURES)
    return Hour(clicks=clicks, spend=spent / _MICROS, accounts=accounts)
