"""Reading a broker's answer to the question whether it serves."""

from __future__ import annotations

import struct

import pytest

from deploy.embedded.probe import COORDINATORS, METADATA, coordinates, is_ready, serves
from deploy.ports import free_port


def text(value: str | None) -> bytes:
    return struct.pack(">h", -1) if value is None else struct.pack(">h", len(value)) + value.encode()


def ints(*values: int) -> bytes:
    return struct.pack(f">i{len(values)}i", len(values), *values)


def answer(brokers: int, leaders: dict[str, list[int]], rack: str | None = None) -> bytes:
    """A metadata response, version 2."""
    body = struct.pack(">ii", 1, brokers)
    for node in range(brokers):
        body += struct.pack(">i", node) + text("127.0.0.1") + struct.pack(">i", 9092) + text(rack)
    body += text("ours") + struct.pack(">ii", 0, len(leaders))
    for topic, partitions in leaders.items():
        body += struct.pack(">h", 0) + text(topic) + struct.pack(">bi", 0, len(partitions))
        for number, leader in enumerate(partitions):
            body += struct.pack(">hii", 0, number, leader) + ints(1) + ints(1)
    return body


@pytest.mark.parametrize("rack", [None, "a"])
def test_it_serves_when_every_partition_has_a_leader(rack: str | None) -> None:
    assert serves(answer(1, {"a": [1, 1], "b": [1]}, rack), "ours")
    assert serves(answer(1, {}, rack), "ours")


def test_it_does_not_serve_without_a_broker_or_a_leader() -> None:
    assert not serves(answer(0, {}), "ours")
    assert not serves(answer(1, {"a": [1, 1], "b": [-1]}), "ours")


def test_somebody_elses_broker_is_not_ours() -> None:
    assert not serves(answer(1, {"a": [1]}), "another")


@pytest.mark.parametrize("question", [METADATA, *COORDINATORS])
def test_a_request_says_its_own_length(question: bytes) -> None:
    assert struct.unpack(">i", question[:4])[0] == len(question) - 4


def test_a_coordinator_is_there_or_not_yet() -> None:
    assert coordinates(struct.pack(">iih", 1, 0, 0) + text(None))
    assert not coordinates(struct.pack(">iih", 1, 0, 15) + text("not available"))


def test_nobody_there_is_not_ready() -> None:
    assert not is_ready("127.0.0.1", free_port(), "ours", timeout=0.2)
