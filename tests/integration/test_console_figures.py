"""From events to the console's figures and metrics: the indicators' machine tells on a real broker, and it is shown."""

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.embedded.broker import Broker
from schemas.base import to_ms
from schemas.frames import AnyFrame, encode
from schemas.policy import Policy
from schemas.topics import frames
from services.indicators.machine import build
from services.runtime.kafka.kafka_io import ensure_topics, producer
from services.runtime.machines.machine import Output
from services.runtime.settings import CommonSettings
from tests.integration.http_service import until, until_ready
from tests.integration.test_console import API, console
from tests.support.frames import FrameMaker
from tests.support.machines import send, standing_in


@pytest.fixture
async def settings(broker: Broker) -> CommonSettings:
    settings = CommonSettings(kafka=broker.bootstrap, prefix=f"{uuid.uuid4().hex[:8]}.", partitions=1)
    await ensure_topics(settings)
    return settings


def _written(at: datetime) -> list[AnyFrame]:
    """What ingest would have sent: the policy, clicks and a purchase, and ten minutes later that time has passed."""
    maker, policy = FrameMaker(), Policy(version=1)
    common: dict[str, Any] = {"occurred_at": at.isoformat(), "channel_id": "douyin", "segment": "young"}
    placed = [
        ("channel-events", 0, 0, {"event_id": "a", "type": "click", "count": 4, **common}),
        (
            "conversion-events",
            0,
            0,
            {"event_id": "b", "type": "conversion", "stage": "purchase", "amount": 9.5, **common},
        ),
    ]
    first, last = (maker.mark(to_ms(each), policy) for each in (at, at + timedelta(minutes=10)))
    return [first, *(frame for subject, _, frame in maker.poll(placed) if subject == "channel"), last]


async def test_what_happened_is_seen_as_figures_and_as_metrics(settings: CommonSettings, tmp_path: Path) -> None:
    at = datetime.now(UTC) - timedelta(minutes=10)
    query = {"scope": "segment", "since": (at - timedelta(hours=1)).isoformat()}

    def machine(partition: int, partitions: int) -> Any:
        return build("channel", partition, readings=True)

    async with (
        console(settings, tmp_path) as (_, client),
        standing_in(settings, frames("channel"), machine),
        producer(settings) as to,
    ):
        await until_ready(client)
        await send(settings, to, *(Output(frames("channel"), None, encode(each), 0) for each in _written(at)))
        found: dict[str, Any] = {}

        async def told() -> bool:
            answer = (await client.get(f"{API}/figures", params=query)).json()
            found.update({each["id"]: each["values"] for each in answer["figures"]})
            return bool(found["clicks"])

        await until(told)
        assert found["conversion_ratio"] == [{"name": "young", "value": 0.25, "goal": 0.4, "met": False}]
        assert found["purchases_cny"][0]["value"] == 9.5
        reading = (await client.get(f"{API}/readings/conversion_drop", params={"subject": "channel:douyin"})).json()
        assert [each["verdict"] for each in reading["series"]] == ["unsure"]
        text = (await client.get("/metrics")).text
        assert 'tidegate_indicator_verdict{indicator="conversion_drop",verdict="unsure"} 1.0' in text
        assert "tidegate_business_purchases_cny" in text
