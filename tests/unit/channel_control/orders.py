"""Orders as the tests write them: plain JSON records, so that nothing of ours helps to make them."""

import json
from typing import Any

from prometheus_client import REGISTRY

from services.runtime.machines.machine import Output, Record

NOW_MS = 1_767_225_600_000
NOW = "2026-01-01T00:00:00Z"
CHANNEL = "channel:douyin"
SIGNAL = {"issued_by": "indicator:search_divergence"}
"""Of an indicator whose pause one person may lift."""
NEED_A_REASON = ("pause", "throttle", "freeze", "take_down", "override", "silence")


def hex_id(number: int) -> str:
    """An id as the contract wants it."""
    return f"{number:032x}"


def order(number: int, word: str = "pause", **fields: Any) -> dict[str, Any]:
    """An automatic order of an indicator about CHANNEL, unless the fields say otherwise."""
    return {
        "v": 1,
        "command_id": hex_id(number),
        "command": word,
        "target": CHANNEL,
        "issued_by": "indicator:complaint_volume",
        "issued_at": NOW,
        "event_time": NOW,
        "maturity": "auto",
        "level": 1,
        "alert_id": hex_id(0xA),
        "reason": {"en": "20 complaints today", "zh": "今日投诉 20 件"},
    } | fields


def persons(number: int, word: str, **fields: Any) -> dict[str, Any]:
    """An order of a person, with a reason where one has to be given."""
    reason = {"note": "the campaign is wrong"} if word in NEED_A_REASON else {}
    return (
        reason
        | {
            "v": 1,
            "command_id": hex_id(number),
            "command": word,
            "target": CHANNEL,
            "issued_by": "person:li",
            "issued_at": NOW,
        }
        | fields
    )


def confirmed(number: int, generation: int, status: str, factor: float, **fields: Any) -> dict[str, Any]:
    """The reconciler's word that the platform did it."""
    seen = {"v": 1, "target": CHANNEL, "status": status, "factor": factor, "generation": generation}
    said = {"issued_by": "reconciler", "expected_generation": generation, "observed": seen}
    return persons(number, "confirmed", **said) | fields


def failed(number: int, generation: int, note: str) -> dict[str, Any]:
    """The reconciler's word that the platform did not."""
    return persons(number, "failed", issued_by="reconciler", expected_generation=generation, note=note)


def expired(number: int, *holds: str, **fields: Any) -> dict[str, Any]:
    """The companion's word that nobody decided on these holds in time."""
    return persons(number, "expired", issued_by="reconciler", hold_ids=list(holds)) | fields


def record(offset: int, order_: dict[str, Any], at_ms: int = NOW_MS) -> Record:
    """One order on the log, keyed by its target."""
    return Record(offset, at_ms, str(order_["target"]).encode(), json.dumps(order_).encode())


def alone(offset: int = 0) -> Record:
    """A policy under which nothing takes four eyes."""
    policy = {"v": 1, "policy": {"version": 1, "governor": {"enabled": False}, "four_eyes": {"orders": []}}}
    return Record(offset, NOW_MS, b"policy", json.dumps(policy).encode())


def said(outputs: list[Output], topic: str) -> list[dict[str, Any]]:
    """The messages on one topic."""
    return [json.loads(output.value or b"") for output in outputs if output.topic == topic]


def unforeseen(part: str) -> float:
    """How many bugs of a part have been fenced off so far."""
    return REGISTRY.get_sample_value("tidegate_control_unforeseen_errors_total", {"part": part}) or 0
