"""Somebody else's hand on the platform, and a platform that is away, with channel_control as it runs."""

import signal
from pathlib import Path

import httpx

from schemas.topics import ALERTS
from services.runtime.settings import CommonSettings
from tests.integration.test_channel_control import Message, Platform, Process, Topics, control, orders, settings
from tests.unit.channel_control.orders import CHANNEL, SIGNAL, order, persons

__all__ = ["settings"]

NAMES = [f"channel:{number}" for number in range(12)]


def watchful(of: CommonSettings, folder: Path, url: str) -> Process:
    """channel_control that looks every half second."""
    return control(of, folder, url, TIDEGATE_CONTROL_DRIFT_INTERVAL="0.5", TIDEGATE_CONTROL_AWAY_AFTER="1")


async def by_hand(platform: Platform, target: str, **state: object) -> None:
    """On the platform's own pages: nothing of it goes through us."""
    wanted = (await platform.targets())[target] | state
    async with httpx.AsyncClient(trust_env=False) as client:
        (await client.put(f"{platform.url}/v1/targets/{target}", json=wanted)).raise_for_status()


def facts(topics: Topics, indicator: str) -> list[Message]:
    """What was said of the alerts of an indicator, once each."""
    found = {(fact["writer"], fact["seq"]): fact for fact in topics.messages[ALERTS]}.values()
    ids = {fact["alert_id"] for fact in found if fact["indicator"] == indicator}
    return [fact for fact in found if fact["alert_id"] in ids]


async def test_what_was_resumed_there_is_stopped_again_and_what_was_stopped_there_is_told(
    settings: CommonSettings, tmp_path: Path
) -> None:
    platform = Platform(tmp_path)
    with platform.running(), watchful(settings, tmp_path, platform.url).running() as service:
        await platform.ready()
        async with orders(settings) as give, Topics(settings) as topics:
            await give(order(1, event_time=None, **SIGNAL))
            await topics.until(lambda: topics.is_settled({CHANNEL: 1}))
            await by_hand(platform, CHANNEL, status="running", factor=1.0)
            await topics.until(lambda: any(state["platform"]["drift"] for state in topics.messages["channel-state"]))
            await topics.until(lambda: topics.actions() == ["ordered", "confirmed", "failed", "confirmed"])
            assert (await platform.targets())[CHANNEL] == {
                "v": 1, "target": CHANNEL, "status": "paused", "factor": 0.0, "generation": 1,
            }  # fmt: skip
            await give(persons(2, "resume", expected_generation=1))
            await topics.until(lambda: topics.is_settled({CHANNEL: 2}))
            await by_hand(platform, CHANNEL, status="paused", factor=0.0)
            await topics.until(lambda: bool(facts(topics, "platform_drift")))
            assert (await platform.targets())[CHANNEL]["status"] == "paused", "it is left so"
        assert service.end(signal.SIGTERM) == 0
        service.start()


async def test_a_platform_that_is_away_is_one_alert_until_all_is_in_force(
    settings: CommonSettings, tmp_path: Path
) -> None:
    platform = Platform(tmp_path)
    with platform.running(), watchful(settings, tmp_path, platform.url).running() as service:
        await platform.ready()
        platform.end()
        async with orders(settings) as give, Topics(settings) as topics:
            await give(*(order(n, target=name, event_time=None, **SIGNAL) for n, name in enumerate(NAMES)))
            await topics.until(lambda: any("12 not in force" in f["title"]["en"] for f in away(topics) if f["title"]))
            service.restart()
            await give(persons(99, "resume", target=NAMES[3], expected_generation=1))
            await topics.until(lambda: topics.states().get(NAMES[3], {}).get("generation") == 2)
            platform.start()
            await topics.until(lambda: topics.is_settled({name: 1 + (name == NAMES[3]) for name in NAMES}))
            await topics.until(lambda: away(topics)[-1]["status"] == "resolved")
            assert len({fact["alert_id"] for fact in away(topics)}) == 1
            assert [fact["status"] for fact in away(topics)].count("open") == 1
            kept = await platform.targets()
            assert {name for name in NAMES if kept[name]["status"] != "paused"} == {NAMES[3]}


def away(topics: Topics) -> list[Message]:
    return facts(topics, "platform_away")
