"""The kill switch through Kafka: told on every partition, and automation asks from then on."""

import contextlib
import uuid
from pathlib import Path

from deploy.embedded.broker import Broker
from schemas import automation
from schemas.topics import CHANNEL_COMMANDS, TOPICS
from services.channel_control.machine import ControlMachine
from services.runtime.kafka import kafka_io
from services.runtime.machines.machine import Record
from services.runtime.settings import CommonSettings
from tests.support.command_line import tidegate
from tests.unit.channel_control.orders import order, record, said

ROOT = Path(__file__).parents[2]


async def machines(settings: CommonSettings) -> list[ControlMachine]:
    """The machines of all partitions, as far as their log goes."""
    count = TOPICS[CHANNEL_COMMANDS].partitions(settings.partitions)
    found = [ControlMachine(partition, count) for partition in range(count)]
    async with contextlib.aclosing(kafka_io.follow(settings, CHANNEL_COMMANDS)) as batches:
        async for batch in batches:
            for one in batch.records:
                entry = Record(one.offset, one.timestamp_ms, one.key, one.value or b"")
                (audit,) = said(found[one.partition].apply(entry), "audit")
                assert (audit["outcome"], audit["target"]) == ("done", automation.TARGET)
            if batch.caught_up:
                return found
    raise AssertionError("the topic ended")


def asks(machine: ControlMachine) -> bool:
    """What becomes of an order of an indicator on this machine."""
    for number in range(1, 100):
        outputs = machine.apply(record(1000 + number, order(number, target=f"channel:{number}")))
        (audit,) = said(outputs, "audit")
        if audit["outcome"] != "refused":  # it belongs on this partition
            return bool(audit["outcome"] == "waiting")
    raise AssertionError("no channel belongs here")


async def test_one_person_switches_all_of_automation_off_and_on(broker: Broker) -> None:
    settings = CommonSettings(kafka=broker.bootstrap, prefix=f"{uuid.uuid4().hex[:8]}.")
    await kafka_io.ensure_topics(settings, [TOPICS[CHANNEL_COMMANDS]])
    why = ("--reason", "the feeds are wrong")
    assert (await tidegate(settings, "automation", "off", *why))[0] == 1, "nobody is named"
    assert (await tidegate(settings, "automation", "off", "--as", "li", "--reason", " ")) == (1, "say why: --reason")
    code, told = await tidegate(settings, "automation", "off", "--as", "li", *why)
    assert (code, told.startswith("automation is off, on ")) == (0, True)
    assert {asks(machine) for machine in await machines(settings)} == {True}
    assert (await tidegate(settings, "automation", "on", "--as", "wang", "--reason", "mended"))[0] == 0
    assert {asks(machine) for machine in await machines(settings)} == {False}
