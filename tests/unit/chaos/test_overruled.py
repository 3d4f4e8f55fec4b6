"""That the judgements of the second act find what they are there for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.chaos.overruled import CHANNELS, KEPT, LATE, PROMOTIONS, Seen, beyond, wrong

HOUR = timedelta(hours=1)
UNTIL = datetime(2026, 1, 1, tzinfo=UTC)
GIVEN = ["id"]


def state(target: str, status: str = "paused", claim: str | None = "granted", approval: str = "none") -> dict[str, Any]:
    """A target with one hold of an indicator."""
    factor = 1.0 if status == "running" else 0.0
    holds = [{"claim": claim, "approval": approval}]
    return {
        "target": target,
        "status": status,
        "factor": factor,
        "generation": 1,
        "holds": holds,
        "override": None,
    }


def asking(target: str, claim: str | None = "declined") -> dict[str, Any]:
    return state(target, "running", claim, "waiting")


def seen(*more: dict[str, Any]) -> Seen:
    """As it should be: three channels and one product's promotions are stopped, the rest waits."""
    stopped = [*CHANNELS[1:4], *PROMOTIONS[:3]]
    asked = [asking(name) for name in (*CHANNELS[4:], *PROMOTIONS[3:])] + [asking(name, None) for name in LATE]
    kept = asking(KEPT) | {"override": {}}
    long_ago = int((UNTIL - HOUR).timestamp() * 1000)
    states = [(long_ago, each) for each in (kept, *map(state, stopped), *asked, *more)]
    commands = [{"command": "pause", "target": each["target"]} for _, each in states]
    platform = {name: state(name) for name in stopped}
    drifted = {"command": "drifted", "target": stopped[0]}
    return Seen(states, [*commands, drifted], [{"command_id": "id"}], [{"status": "updated"}], platform, [])


def test_what_is_as_it_should_be_is_not_complained_of() -> None:
    assert list(wrong(seen(), GIVEN, UNTIL)) == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (state(CHANNELS[5]), "automation stopped"),
        (state(PROMOTIONS[5]), "automation stopped"),
        (state(KEPT), "was paused before its override ended"),
        (state(LATE[0], claim=None), "while automation was off"),
        (asking(CHANNELS[6], "asked"), "has had no answer"),
        (state(CHANNELS[7], claim=None), "on the platform None"),
        (state(CHANNELS[8], "running", None), "runs, and nobody is asked"),
    ],
)
def test_what_must_not_be_is_found(more: dict[str, Any], said: str) -> None:
    assert any(said in line for line in wrong(seen(more), GIVEN, UNTIL))


def test_what_is_missing_from_the_logs_is_found() -> None:
    nothing = Seen([], [], [], [], {}, [])
    lines = list(wrong(nothing, GIVEN, UNTIL))
    for said in ("0 records of id", "nobody took the override", "by hand was not found", "of the governor is told []"):
        assert any(said in line for line in lines), said


def test_a_stop_on_the_platform_while_a_person_keeps_it_running_is_found() -> None:
    right = seen()
    right.puts.append({"target": KEPT, "status": "paused", "at": (UNTIL - HOUR).isoformat()})
    assert list(wrong(right, GIVEN, UNTIL)) == [f"{KEPT} was stopped on the platform before its override ended"]


def test_what_is_let_go_makes_room() -> None:
    stops = [(at, state(name)) for at, name in enumerate(CHANNELS[:3])]
    assert list(beyond([*stops, (4, asking(CHANNELS[0])), (5, state(CHANNELS[3]))])) == []
    assert len(list(beyond([*stops, (5, state(CHANNELS[3]))]))) == 1
