"""Targets in all their states, for the tests of pages."""

from datetime import timedelta
from typing import Any

from schemas.channels import ChannelState, Drift, Hold, Override, Platform, Ramp
from services.runtime.ids import derive
from tests.unit.console.samples import NOW, asked, waiting

LATER = NOW + timedelta(hours=3)


def hold(name: str, **fields: Any) -> Hold:
    """A pause by a guardrail."""
    known: dict[str, Any] = {"kind": "pause", "factor": None, "indicator": "complaint_volume", "approval": "none"}
    return waiting(name, **{"decide_by": None, "reason": "20 complaints today"} | known | fields)


def state(target: str, status: str, *holds: Hold, generation: int = 3, **fields: Any) -> ChannelState:
    """A target whose platform has confirmed what is wanted, unless `platform` says other things."""
    platform: dict[str, Any] = {
        "wanted": status,
        "confirmed": status,
        "confirmed_generation": generation,
        "confirmed_at": NOW,
    }
    platform |= fields.pop("platform", {})
    known: dict[str, Any] = {"status": status, "factor": 1.0 if status == "running" else 0.0, "holds": list(holds)}
    return ChannelState(target=target, generation=generation, platform=Platform(**platform), **known | fields)


def override(name: str = "o") -> Override:
    return Override(override_id=derive(name), by="person:zhao", since=NOW, until=LATER, reason="known campaign")


def opening(name: str) -> Hold:
    """A quarter of the way open."""
    return hold(name, ramp=Ramp(state="opening", step=0.25, next_at=LATER, wait_s=600), indicator="search_divergence")


def in_all_states() -> dict[str, ChannelState]:
    """By what is to be seen of each."""
    drift = Drift(shown=None, since=NOW, corrects=True)
    unheard = {"confirmed": "running", "confirmed_generation": 2}
    guarded = hold("guarded")
    return {
        "drift": state("channel:drift", "paused", hold("a"), platform={"drift": drift}),
        "failed": state("channel:failed", "paused", hold("b"), platform=unheard | {"error": "answered 503"}),
        "unconfirmed": state("channel:unconfirmed", "paused", hold("c"), platform=unheard),
        "asked": state("channel:asked", "paused", guarded, requests=[asked("r", 0, guarded)]),
        "waits": state("channel:waits", "running", waiting("d")),
        "taken_down": state("channel:taken_down", "taken_down", hold("e", kind="take_down")),
        "frozen": state("channel:frozen", "frozen", hold("f", kind="freeze", indicator=None, by="person:li.wei")),
        "paused": state("channel:paused", "paused", hold("g")),
        "throttled": state("channel:throttled", "throttled", hold("h", kind="throttle", factor=0.4), factor=0.4),
        "opening": state("channel:opening", "throttled", opening("i"), factor=0.25),
        "override": state("channel:override", "running", hold("j", masked=True), override=override()),
        "running": state("channel:running", "running"),
    }
