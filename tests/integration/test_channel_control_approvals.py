"""Approval as it runs: a process on a real Kafka, killed without warning, a platform, and people who decide or not."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from schemas.policy import Approvals, Policy, PolicyInForce
from schemas.topics import ALERTS, CHANNEL_COMMANDS
from services.runtime.kafka.kafka_io import producer
from services.runtime.settings import CommonSettings
from tests.integration.test_channel_control import (  # noqa: F401 - the fixture is found by its name
    Platform,
    Topics,
    control,
    orders,
    settings,
)
from tests.unit.channel_control.orders import CHANNEL, hex_id, order, persons

OTHER, ACTING = "channel:other", "channel:acting"


def asked(number: int, target: str) -> dict[str, Any]:
    """A throttle that waits for a person."""
    fields = {"target": target, "alert_id": hex_id(number), "factor": 0.5, "maturity": "approve", "event_time": None}
    return order(number, "throttle", **fields)


async def let_requests_wait(settings: CommonSettings, expire: str) -> None:  # noqa: F811
    """A policy on every partition of the log."""
    policy = Policy(version=1, approvals=Approvals.model_validate({"expire": expire}))
    value = PolicyInForce(policy=policy).model_dump_json().encode()
    async with producer(settings) as client:
        for partition in range(settings.partitions):
            await client.send_and_wait(settings.prefix + CHANNEL_COMMANDS, value, key=b"policy", partition=partition)


def told(topics: Topics, number: int) -> list[str]:
    """What the alert of an order heard; a replay may say the same again."""
    facts = {(fact["writer"], fact["seq"]): fact for fact in topics.messages[ALERTS]}
    mine = [fact for fact in facts.values() if fact["alert_id"] == hex_id(number)]
    return [action["state"] for fact in sorted(mine, key=lambda fact: fact["seq"]) for action in fact["actions"]]


def approvals(topics: Topics, target: str) -> list[str]:
    """How far the holds of a target have come."""
    return [hold["approval"] for hold in topics.states().get(target, {"holds": []})["holds"]]


async def called(platform: Platform) -> set[str]:
    return {call["target"] for call in await platform.calls()}


async def test_one_request_is_approved_and_one_expires_though_the_process_dies(
    settings: CommonSettings,  # noqa: F811
    tmp_path: Path,
) -> None:
    platform = Platform(tmp_path)
    with platform.running(), control(settings, tmp_path, platform.url).running() as service:
        await platform.ready()
        async with orders(settings) as give, Topics(settings) as topics:
            await give(asked(1, CHANNEL))
            await topics.until(lambda: approvals(topics, CHANNEL) == ["waiting"])
            await give(order(2, target=ACTING, event_time=None))
            await topics.until(lambda: topics.is_settled({ACTING: 1}))
            assert await called(platform) == {ACTING}, "nobody is called for what waits"

            (hold,) = topics.states()[CHANNEL]["holds"]
            yes = persons(3, "approve", expected_generation=1, hold_ids=[hold["hold_id"]])
            await give(yes)
            await topics.until(lambda: topics.is_settled({CHANNEL: 2}))
            kept = (await platform.targets())[CHANNEL]
            assert (kept["status"], kept["factor"], kept["generation"]) == ("throttled", 0.5, 2)
            await topics.until(lambda: told(topics, 1) == ["waiting", "granted", "confirmed"])

            await let_requests_wait(settings, "3s")
            await give(asked(4, OTHER))
            await topics.until(lambda: approvals(topics, OTHER) == ["waiting"])
            service.restart()
            await topics.until(lambda: approvals(topics, OTHER) == ["expired"])
            (hold,) = topics.states()[OTHER]["holds"]
            await give(persons(5, "approve", target=OTHER, expected_generation=2, hold_ids=[hold["hold_id"]]))
            await topics.until(lambda: topics.outcomes(hex_id(5)) == ["refused"])
            await topics.until(lambda: told(topics, 4) == ["waiting", "expired"])
            assert await called(platform) == {ACTING, CHANNEL}
    assert "error" not in service.log().casefold()


async def test_an_override_that_others_agreed_to_and_a_stop_with_an_end_are_over_in_time_though_the_process_dies(
    settings: CommonSettings,  # noqa: F811
    tmp_path: Path,
) -> None:
    platform = Platform(tmp_path)
    with platform.running(), control(settings, tmp_path, platform.url).running() as service:
        await platform.ready()
        async with orders(settings) as give, Topics(settings) as topics:
            await give(order(1, event_time=None))
            await topics.until(lambda: topics.is_settled({CHANNEL: 1}))
            end = datetime.now(UTC) + timedelta(seconds=15)
            until = {"expires_at": end.isoformat(), "note": "it is another campaign"}
            await give(
                persons(2, "override", expected_generation=1, **until), persons(3, "freeze", target=OTHER, **until)
            )
            await topics.until(lambda: topics.is_settled({OTHER: 1}))
            await topics.until(lambda: topics.states()[CHANNEL]["generation"] == 2)
            (request,) = topics.states()[CHANNEL]["requests"]
            for number, who in ((4, "wang"), (5, "chen")):
                yes = {"expected_generation": number - 2, "hold_ids": [request["request_id"]]}
                await give(persons(number, "approve", issued_by=f"person:{who}", **yes))
            await topics.until(lambda: topics.is_settled({CHANNEL: 4}))
            assert (await platform.targets())[CHANNEL]["status"] == "running"
            assert [hold["masked"] for hold in topics.states()[CHANNEL]["holds"]] == [True]

            service.restart()
            await topics.until(lambda: topics.is_settled({CHANNEL: 5, OTHER: 2}))
            assert datetime.now(UTC) >= end, "never early"
            statuses = {name: kept["status"] for name, kept in (await platform.targets()).items()}
            assert statuses == {CHANNEL: "paused", OTHER: "running"}
            states = ["ordered", "confirmed", "waiting", "granted", "masked", "ordered", "confirmed"]
            await topics.until(lambda: told(topics, 0xA) == states)
    assert "error" not in service.log().casefold()
