"""The governor and a ramp as they run: a process on a real Kafka, killed without warning, and a platform."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from schemas.governor import Governor
from schemas.policy import IndicatorPolicy, Policy, PolicyInForce
from schemas.readings import Reading
from schemas.resuming import ResumePolicy
from schemas.topics import ALERTS, CHANNEL_COMMANDS, CHANNEL_STATE, READINGS
from services.runtime.kafka.kafka_io import producer
from services.runtime.settings import CommonSettings
from tests.integration.test_channel_control import (  # noqa: F401 - the fixture is found by its name
    Platform,
    Topics,
    control,
    orders,
    settings,
)
from tests.unit.channel_control.orders import hex_id, order, persons

SIGNAL = "search_divergence"
CHANNELS = [f"channel:{number}" for number in range(6)]


async def put_in_force(settings: CommonSettings) -> None:  # noqa: F811
    """Two channels at once, and ramps of three seconds, on every partition of the log."""
    resume = ResumePolicy.model_validate({"steps": [0.5, 1.0], "wait": "1s", "watch": "1s"})
    policy = Policy(
        version=1, governor=Governor(channels_at_once=2, always=0), indicators={SIGNAL: IndicatorPolicy(resume=resume)}
    )
    value = PolicyInForce(policy=policy).model_dump_json().encode()
    async with producer(settings) as client:
        for partition in range(settings.partitions):
            await client.send_and_wait(settings.prefix + CHANNEL_COMMANDS, value, key=b"policy", partition=partition)


async def look(settings: CommonSettings) -> None:  # noqa: F811
    """The indicators say that they look, on all of their partitions."""
    async with producer(settings) as client:
        for partition in range(settings.partitions):
            writer = f"indicators:product:{partition}"
            said = Reading(writer=writer, subject_kind="product", at=datetime.now(UTC), indicators=[SIGNAL])
            value = said.model_dump_json().encode()
            await client.send_and_wait(settings.prefix + READINGS, value, key=writer.encode())


def stop(number: int) -> dict[str, Any]:
    about = {"target": CHANNELS[number], "alert_id": hex_id(0xA0 + number), "issued_by": f"indicator:{SIGNAL}"}
    return order(1 + number, event_time=None, **about)


def claims(topics: Topics) -> dict[str, list[str]]:
    """How far each channel's holds have come with the governor."""
    return {name: [hold["claim"] for hold in state["holds"]] for name, state in sorted(topics.states().items())}


def declined(topics: Topics) -> int:
    return sum(found == ["declined"] for found in claims(topics).values())


def governors(topics: Topics) -> list[tuple[str, str]]:
    """What was told of the governor, each fact once; a replay may say the same again."""
    facts = {(fact["writer"], fact["seq"]): fact for fact in topics.messages[ALERTS] if fact["indicator"] == "governor"}
    return [(fact["alert_id"], fact["status"]) for _, fact in sorted(facts.items())]


def left(topics: Topics, name: str) -> list[float]:
    """Of a target's traffic, by generation."""
    found = {
        state["generation"]: state["factor"] for state in topics.messages[CHANNEL_STATE] if state["target"] == name
    }
    return [factor for _, factor in sorted(found.items())]


async def status(platform: Platform) -> dict[str, str]:
    return {name: state["status"] for name, state in (await platform.targets()).items()}


async def test_two_channels_are_stopped_the_rest_waits_and_what_opens_makes_room_though_the_process_dies(
    settings: CommonSettings,  # noqa: F811
    tmp_path: Path,
) -> None:
    platform = Platform(tmp_path)
    await put_in_force(settings)
    with platform.running(), control(settings, tmp_path, platform.url).running() as service:
        await platform.ready()
        async with orders(settings) as give, Topics(settings) as topics:
            for number in range(5):
                await give(stop(number))
            service.restart()
            await topics.until(lambda: declined(topics) == 3)
            granted = [name for name, found in claims(topics).items() if found == ["granted"]]
            await topics.until(lambda: topics.is_settled(dict.fromkeys(granted, 2)))
            assert await status(platform) == dict.fromkeys(granted, "paused"), "nobody is called for what waits"
            await topics.until(lambda: bool(governors(topics)))
            first, *others = [each for _, each in governors(topics)]
            assert (first, set(others) - {"updated"}) == ("open", set()), "one alert, whichever came together"
            assert len({alert for alert, _ in governors(topics)}) == 1

            opened = granted[0]
            eased = {"target": opened, "issued_by": f"indicator:{SIGNAL}", "event_time": None}
            await give(persons(20, "eased", alert_id=hex_id(0xA0 + int(opened[-1])), **eased))
            await topics.until(lambda: claims(topics)[opened] != [] and topics.states()[opened]["holds"][0]["ramp"])
            service.restart()
            await look(settings)
            await topics.until(lambda: claims(topics)[opened] == [])
            assert left(topics, opened) == [1.0, 0.0, 0.0, 0.5, 1.0, 1.0], "claimed, granted, eased, two steps, lifted"
            await topics.until(lambda: topics.is_settled({opened: 6}))
            assert await status(platform) == {granted[0]: "running", granted[1]: "paused"}
            await give(stop(5))
            await topics.until(lambda: claims(topics).get(CHANNELS[5]) == ["granted"])
    assert "error" not in service.log().casefold()
