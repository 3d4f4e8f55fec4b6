"""Facts and logs for the tests of alerting, by hand and by Hypothesis."""

from collections.abc import Iterable
from typing import Any, get_args

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from schemas.alerts import ActionState, AlertFact, DeliveryReport, WebhookMessage
from schemas.base import from_ms
from services.alerting.machine import AlertingMachine
from services.alerting.telling import Due
from services.runtime.ids import derive
from services.runtime.machines.machine import Output, Record

PATIENT = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no reason to fail."""

T0_MS = 1_764_000_000_000
ALERTS = tuple(derive("alert", str(number)) for number in range(3))
INDICATORS = "indicators:channel:0"


def fact(
    seq: int = 0, writer: str = INDICATORS, alert_id: str = ALERTS[0], at_ms: int = T0_MS, **words: Any
) -> AlertFact:
    """A fact with these words."""
    return AlertFact.model_validate(
        {"alert_id": alert_id, "writer": writer, "seq": seq, "at": from_ms(at_ms), **words}, strict=False
    )


def opening(seq: int = 0, alert_id: str = ALERTS[0], at_ms: int = T0_MS, **words: Any) -> AlertFact:
    """A fact that says all that an opening says; each alert is about a channel of its own."""
    usual: dict[str, Any] = {
        "status": "open",
        "severity": "critical",
        "indicator": "complaint_volume",
        "subject": "channel:douyin" if alert_id == ALERTS[0] else f"channel:{alert_id[:6]}",
        "level": 1,
        "title": {"en": "20 complaints", "zh": "20 起投诉"},
        "summary": {"en": "20 complaints since midnight", "zh": "零点以来 20 起投诉"},
        "opened_at": from_ms(at_ms),
    }
    return fact(seq, alert_id=alert_id, at_ms=at_ms, **{**usual, **words})


def action(state: str, second: int = 0, **fields: Any) -> dict[str, Any]:
    """A throttle that has come so far, so many seconds after T0."""
    known = {"what": "throttle", "target": "channel:douyin", "by": "indicator:complaint_rate"}
    return known | {"state": state, "at": from_ms(T0_MS + second * 1000)} | fields


def reported(machine: AlertingMachine, webhook_id: str, outcome: str, alert_id: str, number: int) -> AlertFact:
    """What the deliverer says of one message."""
    delivery = DeliveryReport(webhook_id=webhook_id, outcome=outcome)  # type: ignore[arg-type]
    return fact(number, writer=f"alerting:{machine.partition}", alert_id=alert_id, delivery=delivery)


def record(offset: int, what: AlertFact, timestamp_ms: int | None = None) -> Record:
    """A fact at its place in the log."""
    at = T0_MS + offset * 10 if timestamp_ms is None else timestamp_ms
    return Record(offset, at, what.alert_id.encode(), what.model_dump_json().encode())


def run(machine: AlertingMachine, facts: Iterable[AlertFact]) -> list[Output]:
    """All outputs of these facts, appended to the machine's log."""
    return [output for one in facts for output in machine.apply(record(machine.next_offset, one))]


def told(due: Due) -> list[tuple[str, str, str]]:
    """Each alert that a message tells of, the change, and why."""
    message = WebhookMessage.model_validate_json(due.body)
    if message.group is None:
        return [(message.data.alert_id, message.type.removeprefix("alert."), message.occasion)]
    return [(line.alert_id, line.change.removeprefix("alert."), line.occasion) for line in message.group.alerts]


def occasion(due: Due) -> str:
    """Why a message is written."""
    return WebhookMessage.model_validate_json(due.body).occasion


_actions = st.lists(
    st.builds(
        lambda what, state, second: {
            "what": what,
            "target": "channel:douyin",
            "state": state,
            "by": "channel_control",
            "at": from_ms(T0_MS + second * 1000),
        },
        st.sampled_from(["pause", "throttle"]),
        st.sampled_from(get_args(ActionState)),
        st.integers(0, 3),
    ),
    max_size=2,
)

words = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["open", "updated", "resolved"]),
        "severity": st.sampled_from(["info", "warning", "critical"]),
        "level": st.integers(0, 4),
        "value": st.floats(0, 100),
        "acknowledged_by": st.sampled_from(["li", "wang"]),
        "team": st.sampled_from(["on-call", "compliance"]),
        "labels": st.dictionaries(st.sampled_from("ab"), st.sampled_from("xyz"), max_size=2),
        "actions": _actions,
    },
)

_life = st.lists(words, max_size=4)


@st.composite
def writers_facts(draw: st.DrawFn, alert_id: str = ALERTS[0]) -> list[list[AlertFact]]:
    """For each of three writers, what it says of one alert in its order; any of them may open it. Times may go back."""
    said: list[list[AlertFact]] = []
    for writer in (INDICATORS, "channel_control:0", "channel_control:1"):
        facts: list[AlertFact] = []
        for spoken in draw(_life):
            at_ms = T0_MS + draw(st.integers(0, 5)) * 1000
            seq = facts[-1].seq + draw(st.integers(1, 3)) if facts else draw(st.integers(0, 3))
            whole = opening(seq, alert_id, at_ms).model_dump() if draw(st.booleans()) else {"actions": [], "labels": {}}
            said_now = {
                name: value for name, value in whole.items() if name not in ("v", "alert_id", "writer", "seq", "at")
            }
            facts.append(fact(seq, writer, alert_id, at_ms, **{**said_now, **spoken}))
        said.append(facts)
    return said


@st.composite
def interleaved(draw: st.DrawFn, said: list[list[AlertFact]]) -> list[AlertFact]:
    """The facts of several writers in one order, each writer's own kept."""
    waiting = [list(facts) for facts in said if facts]
    order: list[AlertFact] = []
    while waiting:
        index = draw(st.integers(0, len(waiting) - 1))
        order.append(waiting[index].pop(0))
        waiting = [facts for facts in waiting if facts]
    return order


@st.composite
def logs(draw: st.DrawFn, steps_ms: tuple[int, ...] = (1, 1000)) -> list[Record]:
    """A whole log of one partition: facts of three alerts, repeats, junk, policies, and reports on what was due.

    Append times go back now and then, as a broker's clock may.
    """
    facts = draw(interleaved([draw(interleaved(draw(writers_facts(alert_id)))) for alert_id in ALERTS]))
    machine = AlertingMachine(0)
    log: list[Record] = []

    def append(key: bytes, value: bytes) -> None:
        log.append(Record(len(log), T0_MS + len(log) * draw(st.sampled_from(steps_ms)), key, value))
        list(machine.apply(log[-1]))

    for one in facts:
        append(one.alert_id.encode(), one.model_dump_json().encode())
        for step in draw(st.lists(st.sampled_from(["repeat", "junk", "policy", "report", "report"]), max_size=3)):
            heads = list(machine.heads())
            if step == "repeat":
                again = draw(st.sampled_from(log))
                append(again.key or b"", again.value)
            elif step == "junk":
                append(b"x", draw(st.sampled_from([b"", b"{}", b"\xff", b"[1]", b'{"v":2}'])))
            elif step == "policy":
                append(b"policy", b'{"v":1,"policy":{"version":1}}')
            elif heads:
                due = draw(st.sampled_from(heads))
                outcome = draw(st.sampled_from(["delivered", "delivered", "failed", "recorded", "due"]))
                said = reported(machine, due.webhook_id, outcome, due.alert_id, due.number)
                append(said.alert_id.encode(), said.model_dump_json().encode())
    return log
