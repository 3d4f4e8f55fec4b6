"""However much there is to tell, what is told fits into a record: an alert that cannot be sent stops its partition."""

from services.alerting.machine import MAX_FACT_BYTES
from services.channel_control.machine import MAX_COMMAND_BYTES
from tests.support.indicator_log import policy
from tests.unit.indicators.world import HOUR, MINUTE, World


def test_a_product_on_thousands_of_channels() -> None:
    world, channels = World("product"), 2000
    day = [(-hour * HOUR - MINUTE, 100) for hour in range(1, 25)]
    bought = {"channel_id": "douyin", "product_id": "fund-1", "stage": "purchase"}
    world.raw_events(
        [("conversion", at, bought) for at, _ in day]
        + [("search", at, {"channel_id": "douyin", "product_id": "fund-1", "count": count}) for at, count in day]
        + [
            ("search", -MINUTE, {"channel_id": f"{n}-{'x' * 190}", "product_id": "fund-1", "count": 1})
            for n in range(channels)
        ]
        + [("conversion", -MINUTE, bought | {"product_id": "fund-2"})]
    )
    world.mark(MINUTE)
    assert [fact.status for fact in world.facts] == ["open"]
    paused = [command for command in world.commands if command.command == "pause"]
    assert len(paused) == channels + 1
    assert max(len(output.value or b"") for output in world.outputs) < min(MAX_FACT_BYTES, MAX_COMMAND_BYTES)


def test_an_address_with_a_thousand_accounts() -> None:
    world, accounts = World("actor", policy(1, click_fraud={"thresholds": {"max_accounts": 1000}})), 1000
    clicks = [world.event("clicks", n, ip="1.2.3.4", account=f"account-{n}", count=320) for n in range(accounts)]
    world.happen(*clicks)
    assert len({command.target for command in world.commands}) == accounts + 1
    assert max(len(output.value or b"") for output in world.outputs) < min(MAX_FACT_BYTES, MAX_COMMAND_BYTES)
