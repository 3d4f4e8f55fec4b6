"""Stops that ask the governor, from forty channels."""

from typing import Any

from services.runtime.machines.machine import Output
from tests.unit.channel_control.cluster import Cluster
from tests.unit.channel_control.orders import hex_id, order, persons, said

CHANNELS = [f"channel:{number}" for number in range(40)]
MINUTE_MS = 60_000
LOOSE = {"traffic_share_at_once": 1.0, "traffic_share_per_hour": 1.0, "always": 0}


def stop(number: int, word: str = "pause", by: str = "search_divergence", **fields: Any) -> dict[str, Any]:
    """An order of a signal, on a channel of its own, as an alert of its own."""
    about = {"target": CHANNELS[number % 40], "alert_id": hex_id(0xA00 + number), "issued_by": f"indicator:{by}"}
    return order(1000 + number, word, event_time=None, **(about | fields))


def figures(number: int, part: int = 0, **clicks: Any) -> dict[str, Any]:
    """What the channels c1, c2 … of one writer moved in the last hour: clicks, or clicks, spend and accounts."""
    rows = {name: row if isinstance(row, tuple) else (row, 0.0, 0) for name, row in clicks.items()}
    hours = {name[1:]: dict(zip(("clicks", "spend", "accounts"), row, strict=True)) for name, row in rows.items()}
    writer = f"indicators:channel:{part}"
    about = {"issued_by": "governor", "target": "governor:all", "figures": {"writer": writer, "channels": hours}}
    return persons(5000 + number, "figures", **about)


def lift(cluster: Cluster, number: int, target: str) -> dict[str, Any]:
    return persons(number, "resume", target=target, expected_generation=cluster.target(target).generation)


def alerts(outputs: list[Output]) -> list[dict[str, Any]]:
    return [fact for fact in said(outputs, "alerts") if fact["indicator"] == "governor"]
