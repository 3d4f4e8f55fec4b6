"""What must hold at the end of the second act of a chaos run, written down once, here. Pure.

1.  A person's override is never undone by automation before it expires, here or on the platform.
2.  Automation never stops more at once than the governor allows, channels and products.
3.  Every order is in the audit once, and ends confirmed on the platform, masked by people, or waiting with an alert.
4.  While automation is off nothing is stopped: what it would have done waits for people.
5.  What was changed on the platform by hand is found and put right.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

Document = dict[str, Any]

AT_ONCE: Final = 3
PRODUCTS: Final = 1
"""What automation may stop at once in this act."""
KEPT: Final = "channel:act-kept"
CHANNELS: Final = (KEPT, *(f"channel:act-{number}" for number in range(9)))
PROMOTIONS: Final = tuple(f"promotion:act-{product}@act-{channel}" for product in "abc" for channel in range(3))
LATE: Final = tuple(f"channel:act-late-{number}" for number in range(4))


@dataclass
class Seen:
    """The logs as they are. states: of the act's targets, each once, in the order in which they were appended."""

    states: list[tuple[int, Document]]
    commands: list[Document]
    audit: list[Document]
    alerts: list[Document]
    platform: dict[str, Document]
    puts: list[Document]

    def last(self, target: str) -> Document | None:
        """How a target stands."""
        return next((state for _, state in reversed(self.states) if state["target"] == target), None)


def wrong(seen: Seen, given: Sequence[str], until: datetime) -> Iterator[str]:
    """All that is not as it must be."""
    yield from unfinished(seen, given)
    yield from _undone(seen, until)
    yield from beyond(seen.states)
    yield from _stopped_while_off(seen)
    if not any(command["command"] == "drifted" for command in seen.commands):
        yield "what was changed on the platform by hand was not found"  # 5
    told = [alert["status"] for alert in seen.alerts]
    if len(told) != 1 or told == ["resolved"]:
        yield f"of the governor is told {told}"  # 3


def unfinished(seen: Seen, given: Sequence[str]) -> Iterator[str]:
    """3, 5: of the orders that were given."""
    audited = Counter(each["command_id"] for each in seen.audit)
    yield from (f"{audited[each]} records of {each} in the audit" for each in given if audited[each] != 1)
    for target in dict.fromkeys(each["target"] for each in seen.commands):
        state = seen.last(target)
        if state is None or any(hold["claim"] == "asked" for hold in state["holds"]):
            yield f"{target} has had no answer"
        elif state["status"] != "running" and _shown(seen.platform.get(target)) != _shown(state):
            yield f"{target} is {state['status']}, on the platform {status(seen.platform.get(target))}"
        elif state["status"] == "running" and not _is_asking(state) and state["override"] is None:
            yield f"{target} runs, and nobody is asked"


def _undone(seen: Seen, until: datetime) -> Iterator[str]:
    """1: until when the override was."""
    kept = [(at, state) for at, state in seen.states if state["target"] == KEPT and at < until.timestamp() * 1000]
    if not kept:
        yield "nobody took the override"
    yield from (f"{KEPT} was {state['status']} before its override ended" for _, state in kept
                if state["override"] is None or state["status"] != "running")  # fmt: skip
    yield from (f"{KEPT} was stopped on the platform before its override ended" for call in seen.puts
                if call["target"] == KEPT and call["status"] != "running"
                and datetime.fromisoformat(call["at"]) < until)  # fmt: skip


def _stopped_while_off(seen: Seen) -> Iterator[str]:
    """4: what came then."""
    for target in LATE:
        said = {state["status"] for _, state in seen.states if state["target"] == target}
        state = seen.last(target)
        waits = state is not None and [hold["approval"] for hold in state["holds"]] == ["waiting"]
        if said != {"running"} or not waits:
            yield f"{target} was {said} while automation was off, and waits for people: {waits}"


def beyond(states: Sequence[tuple[int, Document]]) -> Iterator[str]:
    """2: each moment at which automation stopped more than the governor allows."""
    stopped: set[str] = set()
    for _, state in states:
        (stopped.add if any(map(is_granted, state["holds"])) else stopped.discard)(state["target"])
        channels, products = counted(stopped)
        if channels > AT_ONCE or products > PRODUCTS:
            yield f"automation stopped {sorted(stopped)} at once"


def is_granted(hold: Document) -> bool:
    """Whether the governor counts it as stopped: it acts, by its grant or people's."""
    return hold["claim"] is not None and hold["approval"] in ("none", "granted")


def counted(stopped: set[str]) -> tuple[int, int]:
    """Channels, and products of promotions."""
    products = {each.rpartition("@")[0] for each in stopped if each.startswith("promotion:")}
    return sum(each.startswith("channel:") for each in stopped), len(products)


def status(state: Document | None) -> str | None:
    return None if state is None else state["status"]


def _shown(state: Document | None) -> tuple[Any, ...] | None:
    return None if state is None else (state["status"], state["factor"], state["generation"])


def _is_asking(state: Document) -> bool:
    return any(hold["approval"] == "waiting" for hold in state["holds"])
