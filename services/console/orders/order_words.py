"""Which orders there are: for each word the body it takes, and who may give it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from services.console.orders.orders import Answer, Order, Override, Resume, Stop, Switch, Throttle, Word
from services.console.people import Role


@dataclass(frozen=True, slots=True)
class OrderWord:
    """One of them, with what its route says of it."""

    word: Word
    body: type[Order]
    role: Role
    summary: str
    text: str


_ALL = (
    OrderWord("pause", Stop, "operator", "Stop a target", "Until its end, or until it is resumed."),
    OrderWord(
        "throttle", Throttle, "operator", "Slow a target", "To a share of its traffic; the lowest of several counts."
    ),
    OrderWord("freeze", Stop, "operator", "Freeze a target", "A stop that stands above any pause."),
    OrderWord("take_down", Stop, "operator", "Take a target down", "A stop that stands above all others."),
    OrderWord(
        "override",
        Override,
        "operator",
        "Keep a target running",
        "Until a time; what automation wants meanwhile stands masked, is in the audit, and acts when it ends.",
    ),
    OrderWord(
        "withdraw", Answer, "operator", "Take back", "An override, or a request of one's own, named in `hold_ids`."
    ),
    OrderWord(
        "resume", Resume, "operator", "Lift holds", "What a guardrail or a freeze holds waits until others agree."
    ),
    OrderWord("approve", Answer, "approver", "Approve what waits", "A hold, or a request of another person."),
    OrderWord(
        "reject",
        Answer,
        "approver",
        "Reject what waits",
        "A hold never acts then; a higher level of its alert asks again.",
    ),
    OrderWord(
        "automation_off",
        Switch,
        "admin",
        "Switch automation off",
        "What would act asks a person instead, at once.",
    ),
    OrderWord("automation_on", Switch, "admin", "Switch automation on", "What was asked for meanwhile waits on."),
)
ORDER_WORDS: Mapping[str, OrderWord] = MappingProxyType({each.word: each for each in _ALL})
"""By the word."""
