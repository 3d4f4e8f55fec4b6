"""What the console tells Prometheus of channels and alerts."""

from schemas.channels import ChannelState, Platform
from services.console.state.views import Alerts, Channels
from services.console.state_metrics import MOST_CHANNELS, StateCollector
from tests.unit.console.samples import alert, channel, waiting


def told(channels: Channels, alerts: Alerts | None = None) -> dict[tuple[str, ...], float]:
    """Every sample, by its name without the prefix and the values of its labels."""
    return {
        (sample.name.removeprefix("tidegate_console_"), *sample.labels.values()): sample.value
        for family in StateCollector(channels, alerts).collect()
        for sample in family.samples
    }


def seen(*states: ChannelState) -> Channels:
    channels = Channels()
    for state in states:
        channels.fold(state.target.encode(), state.model_dump_json().encode())
    return channels


def test_a_channel_is_told_of_with_its_holds_and_by_whom_they_are() -> None:
    persons = waiting("b", indicator=None, by="person:li.wei", kind="pause", factor=None, approval="none")
    stopped = channel("channel:douyin", 3, waiting("a"), persons)
    stopped = stopped.model_copy(update={"factor": 0.0, "status": "paused"})
    found = told(seen(stopped, channel("content:c1", 1, waiting("c"))))
    assert found == {
        ("channel_open_ratio", "douyin"): 0,
        ("channel_unconfirmed", "douyin"): 1,
        ("channel_holds", "douyin", "throttle", "complaint_rate", "waiting"): 1,
        ("channel_holds", "douyin", "pause", "person", "acting"): 1,
    }


def test_what_the_platform_has_confirmed_is_not_waited_for() -> None:
    platform = Platform(wanted="paused", confirmed="paused", confirmed_generation=3)
    stopped = channel("channel:douyin", 3).model_copy(update={"factor": 0.0, "platform": platform})
    assert told(seen(stopped))["channel_unconfirmed", "douyin"] == 0
    assert told(seen(channel("channel:douyin", 3)))["channel_unconfirmed", "douyin"] == 0


def test_when_there_are_too_many_those_with_holds_are_told_of() -> None:
    many = [channel(f"channel:c{number:05}") for number in range(MOST_CHANNELS)]
    found = told(seen(*many, channel("channel:z", 1, waiting("a"))))
    assert ("channel_open_ratio", "z") in found
    assert sum(name == "channel_open_ratio" for name, *_ in found) == MOST_CHANNELS


def test_open_alerts_are_counted_apart_from_those_in_somebodys_hands() -> None:
    alerts = Alerts(10)
    for state in (alert("a"), alert("b"), alert("c", acknowledged_by="li"), alert("d", "resolved")):
        alerts.fold(state.alert_id.encode(), state.model_dump_json().encode())
    found = told(Channels(), alerts)
    assert found["open_alerts", "critical", "complaint_volume", "no"] == 2
    assert found["open_alerts", "critical", "complaint_volume", "yes"] == 1
