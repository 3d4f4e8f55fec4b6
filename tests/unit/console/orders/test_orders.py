"""Orders become commands that say who, what and on which state."""

from typing import Literal

import pytest
from pydantic import ValidationError

from schemas.commands import Command
from services.console.orders import orders
from services.console.orders.orders import Acknowledge, Answer, Resume, Stop, command_of
from services.runtime.ids import derive
from tests.unit.console.samples import NOW, alert, audit, person

ID = derive("an order")


def test_a_pause_names_the_person_and_the_reason() -> None:
    command = command_of("pause", Stop(target="channel:douyin", note="投诉太多"), person(), ID, NOW)
    assert (command.command, command.target, command.issued_by) == ("pause", "channel:douyin", "person:li.wei")
    assert (command.note, command.issued_at, command.event_time) == ("投诉太多", NOW, None)
    assert command.is_from_person()


def test_a_resume_names_the_holds_and_what_the_person_saw() -> None:
    holds = [derive("hold")]
    order = Resume(target="channel:douyin", expected_generation=7, hold_ids=holds)
    command = command_of("resume", order, person(), ID, NOW)
    assert (command.expected_generation, command.hold_ids) == (7, holds)


@pytest.mark.parametrize("word", ["approve", "reject"])
def test_a_yes_or_no_names_the_holds_and_what_the_person_saw(word: Literal["approve", "reject"]) -> None:
    order = Answer(target="channel:douyin", expected_generation=7, hold_ids=[derive("hold")], note="seen")
    command = command_of(word, order, person(), ID, NOW)
    assert (command.command, command.issued_by, command.note) == (word, "person:li.wei", "seen")
    assert (command.expected_generation, command.hold_ids) == (7, [derive("hold")])


@pytest.mark.parametrize("left_out", ["hold_ids", "expected_generation", "target"])
def test_a_yes_without_saying_to_what_is_refused(left_out: str) -> None:
    body = {"target": "channel:a", "expected_generation": 1, "hold_ids": [derive("hold")]}
    with pytest.raises(ValidationError):
        Answer.model_validate({name: value for name, value in body.items() if name != left_out})


def test_an_acknowledgement_goes_to_what_the_alert_is_about() -> None:
    about = alert("a", subject="actor:x")
    command = command_of("acknowledge", Acknowledge(alert_id=about.alert_id), person(), ID, NOW, target=about.subject)
    assert (command.command, command.target, command.alert_id) == ("acknowledge", "actor:x", about.alert_id)


def test_every_command_is_one_that_the_topic_takes() -> None:
    longest = person(name="x" * 100)
    command = command_of("pause", Stop(target="channel:douyin", note="x"), longest, ID, NOW)
    assert Command.model_validate_json(command.model_dump_json(by_alias=True)) == command


def test_the_same_key_of_the_same_person_is_the_same_order() -> None:
    first = orders.command_id(person(), "k", "chance 1")
    assert first == orders.command_id(person(), "k", "chance 2")
    others = [
        orders.command_id(person(), "l", "chance 1"),
        orders.command_id(person(name="zhao"), "k", "chance 1"),
        orders.command_id(person(), None, "k"),
        orders.command_id(person(), None, "chance 1"),
    ]
    assert len({first, *others}) == 5


def test_a_key_used_for_something_else_is_noticed() -> None:
    command = command_of("pause", Stop(target="channel:douyin", note="x"), person(), ID, NOW)
    other = command_of("pause", Stop(target="channel:douyin", note="why"), person(), ID, NOW)
    assert not orders.differs(command, audit("x", detail={"fingerprint": command.fingerprint()}))
    assert orders.differs(other, audit("x", detail={"fingerprint": command.fingerprint()}))


def test_what_was_ordered_under_an_id_is_remembered_for_the_latest_ids() -> None:
    def command(id_: str, note: str) -> Command:
        return command_of("pause", Stop(target="channel:douyin", note=note), person(), derive(id_), NOW)

    given = orders.Given(capacity=2)
    assert not given.is_other(command("a", "1"))
    assert given.is_other(command("a", "2"))
    assert not given.is_other(command("a", "1"))
    assert not any(given.is_other(command(id_, "1")) for id_ in "bcd")
    assert not given.is_other(command("a", "2")), "forgotten"
    assert given.is_other(command("d", "2"))


@pytest.mark.parametrize(
    "body",
    [
        {"target": "channel:a"},
        {"target": "channel:a", "expected_generation": "1"},
        {"target": "channel:a", "expected_generation": -1},
        {"target": "channel:a", "expected_generation": 1, "hold_ids": []},
        {"target": "channel:a", "expected_generation": 1, "hold_ids": ["x"]},
        {"target": "channel:a", "expected_generation": 1, "holds": []},
        {"target": "channel", "expected_generation": 1},
    ],
)
def test_a_resume_with_a_mistake_is_refused(body: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Resume.model_validate(body)
