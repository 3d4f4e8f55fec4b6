"""What the page of one target shows: how it stands, what is asked, what was held, what tripped and happened. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from markupsafe import Markup

from schemas.alerts import AlertState
from schemas.audit import AuditRecord
from schemas.base import Ref, from_ms, to_ms
from schemas.channels import ChannelState, FourEyesRequest, Hold
from services.console.pages.board.sparklines import shown_by
from services.console.pages.charts.chart_data import Band, Frame, Mark, Reading, Series
from services.console.pages.charts.charts import timeline
from services.console.pages.frame.indicators import Known
from services.console.pages.frame.speaking import Speaker
from services.console.state.views import Alerts, Audit, Channels
from services.incidents.held import Held, held

Hours = Literal["6", "24", "168", "744"]
HOUR_MS: Final = 3_600_000
MOST_RECORDS: Final = 60
_MOST_MARKS: Final = 200
_MOST_READ: Final = 5_000
_LIVELY_MS: Final = 15 * 60_000


@dataclass(frozen=True, slots=True)
class Related:
    """Another target that this one is part of, or that is part of it."""

    target: Ref
    state: ChannelState


def frame_of(hours: Hours, speaker: Speaker) -> Frame:
    """The last so many hours. Of the last day there is a reading every five minutes or so, of older ones every hour."""
    until_ms = to_ms(speaker.now)
    gap_ms = _LIVELY_MS if int(hours) <= 24 else 3 * HOUR_MS
    return Frame(until_ms - int(hours) * HOUR_MS, until_ms, speaker.zone, speaker.language, gap_ms)


def records_of(target: Ref, audit: Audit) -> list[AuditRecord]:
    """What happened to it, the newest first."""
    return audit.newest(lambda record: record.target == target, _MOST_READ)


def bands(target: Ref, records: Sequence[AuditRecord], frame: Frame, speaker: Speaker) -> list[Band]:
    """When it had less than all of its traffic. records: the newest first."""
    by_time = records[::-1]
    found = held(by_time, by_time, [], from_ms(frame.until_ms))
    return [_band(one, speaker) for one in found if one.target == target]


def _band(one: Held, speaker: Speaker) -> Band:
    stopped = one.left == 0
    left = speaker.share(one.left, 0)
    word = speaker.say("stopped", "停止") if stopped else speaker.say(f"slowed to {left}", f"限流至 {left}")
    end = speaker.say("still", "仍在持续") if one.until is None else _clock(one.until, speaker)
    until_ms = None if one.until is None else to_ms(one.until)
    about = f"{_clock(one.since, speaker)} – {end}"
    return Band(to_ms(one.since), until_ms, word, about, "pause" if stopped else "throttle")


def _clock(at: datetime, speaker: Speaker) -> str:
    return at.astimezone(speaker.zone).strftime("%m-%d %H:%M")


def alerts_of(target: Ref, alerts: Alerts) -> list[AlertState]:
    """The alerts about it, the newest first."""
    return alerts.newest(lambda alert: alert.subject == target, _MOST_MARKS)


def trips(found: Iterable[AlertState], indicator: str | None, speaker: Speaker) -> list[Mark]:
    """When an indicator told of it; None: any of them."""
    return [
        Mark(to_ms(alert.opened_at), speaker.text(alert.title), href=f"/alerts/{alert.alert_id}")
        for alert in found
        if indicator in (None, alert.indicator)
    ]


def chart(
    known: Known,
    readings: Sequence[Reading],
    holds: Sequence[Band],
    found: Iterable[AlertState],
    frame: Frame,
    speaker: Speaker,
) -> Markup:
    """An indicator over time, with its thresholds, its trips, and what held the target."""
    show = shown_by(known, readings[-1].threshold, speaker)
    title, marks = speaker.text(known.title), trips(found, known.id, speaker)
    return timeline([Series(title, readings)], None, holds, marks, title, replace(frame, show=show))


def related(target: Ref, channels: Channels) -> list[Related]:
    """The promotions of a channel or a product on which something stands, or those that a promotion is of."""
    kind, _, name = target.partition(":")
    if kind == "promotion":
        product, _, channel = name.rpartition("@")
        others = [channels.get(f"product:{product}"), channels.get(f"channel:{channel}")]
        return [Related(state.target, state) for state in others if state is not None]
    ends = f"@{name}" if kind == "channel" else None
    begins = f"promotion:{name}@" if kind == "product" else "promotion:"
    found = [
        Related(state.target, state)
        for state in channels.values()
        if state.holds and state.target.startswith(begins) and (ends is None or state.target.endswith(ends))
    ]
    return sorted(found, key=lambda each: each.target) if kind in ("channel", "product") else []


def waiting_of(
    state: ChannelState | None,
) -> tuple[list[tuple[ChannelState, Hold]], list[tuple[ChannelState, FourEyesRequest]]]:
    """What waits for people here: holds of automation, and what people have asked for."""
    if state is None:
        return [], []
    holds = [(state, hold) for hold in state.holds if hold.approval == "waiting" and hold.claim != "asked"]
    return holds, [(state, request) for request in state.requests]
