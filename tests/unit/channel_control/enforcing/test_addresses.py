"""Which platform serves a target follows from the policy's directory."""

import json

import pytest

from schemas.directory import Directory
from services.channel_control.enforcing.addresses import Address, address_of
from services.channel_control.machine import ControlMachine
from services.runtime.machines.machine import Record
from tests.unit.channel_control.orders import NOW_MS

DIRECTORY = {
    "channels": {
        "douyin": {"name": {"en": "Douyin", "zh": "抖音"}, "platform": "ads", "campaigns": ["17", "18"]},
        "branches": {"name": {"en": "branches", "zh": "网点"}},
    }
}


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("channel:douyin", Address("ads", ("17", "18"))),
        ("promotion:fund@douyin", Address("ads")),
        ("promotion:a@b@douyin", Address("ads")),
        ("channel:branches", Address()),
        ("channel:unknown", Address()),
        ("content:douyin", Address()),
        ("promotion:douyin", Address("ads")),
    ],
)
def test_a_target_is_found_by_its_channel(target: str, address: Address) -> None:
    assert address_of(target, Directory.model_validate(DIRECTORY)) == address


def test_the_machine_goes_by_the_policy_on_its_log() -> None:
    machine = ControlMachine(0)
    assert machine.address("channel:douyin") == Address()
    policy = {"v": 1, "policy": {"version": 2, "directory": DIRECTORY}}
    machine.apply(Record(0, NOW_MS, b"policy", json.dumps(policy).encode()))
    assert machine.address("channel:douyin") == Address("ads", ("17", "18"))
