"""A complaint on its way: what the door promises is what is watched and listed, and what was typed goes nowhere."""

from schemas.base import from_ms
from schemas.policy import Policy
from schemas.readings import READINGS_MESSAGE, Cases
from schemas.topics import READINGS
from services.console.state.complaints import Deadlines, OpenComplaints
from services.gateway.door.filing import Filled, event_of_form, number_of
from services.gateway.door.promise import Promise
from services.indicators.machine import build
from tests.support.indicator_log import TEN
from tests.unit.indicators.world import HOUR, MINUTE, World

FORM = Filled(channel="douyin", product="fund-3", text="they lied to me", contact="13800138000")


def test_it_is_listed_with_the_hour_that_the_customer_was_told_and_told_when_late() -> None:
    policy, opened = Policy(version=1), from_ms(TEN)
    event = event_of_form(FORM, number_of(FORM, "nonce"), "8.8.8.8", "door", opened)
    world = World("complaint", machine=build("complaint", 0, readings=True))
    fields = event.model_dump(exclude_none=True, exclude={"type", "event_id", "occurred_at"})
    world.raw("complaint_opened", 0, **fields)
    world.mark(MINUTE)
    world.mark(49 * HOUR)

    complaints = OpenComplaints()
    for output in world.outputs:
        if output.topic == READINGS:
            told = READINGS_MESSAGE.validate_json(output.value or b"")
            if isinstance(told, Cases):
                complaints.fold(told)
    ((name, case),) = complaints.entries().items()
    assert name == event.complaint_id
    assert Deadlines(policy).of(case) == Promise(policy).answer_by(opened)

    everything = b"".join((output.key or b"") + (output.value or b"") for output in world.outputs)
    assert event.complaint_id.encode() in everything, "late: people are told"
    for typed in (FORM.text, FORM.contact, "8.8.8.8"):
        assert typed.encode() not in everything
