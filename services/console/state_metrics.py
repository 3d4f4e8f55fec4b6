"""How channels and alerts stand, as the console tells Prometheus. Every console tells the same: take the `max`."""

from collections.abc import Iterator
from typing import Final

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from schemas.channels import ChannelState, Hold
from services.console.state.views import Alerts, Channels
from services.runtime.machine_metrics import gauge

MOST_CHANNELS: Final = 1_000
"""So many are told of; those on which something stands come first."""
_P: Final = "tidegate_console_"


class StateCollector(Collector):
    """Tells how the channels stand and which alerts are open."""

    def __init__(self, channels: Channels | None = None, alerts: Alerts | None = None) -> None:
        self._channels = channels or Channels()
        self._alerts = alerts or Alerts(capacity=0)

    def collect(self) -> Iterator[Metric]:
        """As it is at this moment."""
        told = self._told()
        yield gauge(
            f"{_P}channel_open_ratio",
            "The share of a channel's traffic that is wanted to flow: 1 runs, 0 is stopped.",
            ["channel"],
            [([_name(state)], state.factor) for state in told],
        )
        yield gauge(
            f"{_P}channel_unconfirmed",
            "1 while the platform has yet to confirm what is wanted of a channel.",
            ["channel"],
            [([_name(state)], not _is_confirmed(state)) for state in told],
        )
        yield gauge(
            f"{_P}channel_holds",
            "Holds on a channel, by their kind, who placed them (the indicator, or person) and what they do.",
            ["channel", "kind", "by", "state"],
            [([_name(state), hold.kind, _by(hold), _does(hold)], 1) for state in told for hold in state.holds],
        )
        yield gauge(
            f"{_P}open_alerts",
            "Alerts that are not over, by severity and indicator, and whether somebody has taken charge.",
            ["severity", "indicator", "acknowledged"],
            [
                ([alert.severity, alert.indicator, "no" if alert.acknowledged_by is None else "yes"], 1)
                for alert in self._alerts.values()
                if alert.status != "resolved"
            ],
        )

    def _told(self) -> list[ChannelState]:
        channels = [state for state in self._channels.values() if state.target.startswith("channel:")]
        return sorted(channels, key=lambda state: (not state.holds, state.target))[:MOST_CHANNELS]


def _name(state: ChannelState) -> str:
    return state.target.removeprefix("channel:")


def _is_confirmed(state: ChannelState) -> bool:
    """A channel that was never stopped needs no word of the platform."""
    platform = state.platform
    return platform.confirmed_generation == state.generation or (platform.confirmed is None and state.factor == 1)


def _by(hold: Hold) -> str:
    return hold.indicator or "person"


def _does(hold: Hold) -> str:
    if hold.masked:
        return "masked"
    return {"none": "acting", "granted": "acting", "waiting": "waiting"}.get(hold.approval, "record")
