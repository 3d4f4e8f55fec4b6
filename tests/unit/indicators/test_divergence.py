"""A product that is searched in fear, and what comes after."""

from tests.unit.indicators.world import HOUR, MINUTE, World

PANIC = ["escalate", "pause"]


def hour(world: World, number: int, searches: int, purchases: int, product: str = "fund-1") -> None:
    """An hour of one product, and a mark by which it is over."""
    about = {"channel_id": "douyin", "product_id": product}
    bought = ("conversion", number * HOUR + 2 * MINUTE, about | {"stage": "purchase"})
    world.raw_events([("search", number * HOUR + MINUTE, about | {"count": searches})] + [bought] * purchases)
    world.mark((number + 1) * HOUR + MINUTE)


def panicking() -> World:
    """A small product, after 25 hours as usual and one of panic."""
    world = World("product")
    for number in range(25):
        hour(world, number, 10, 3)
    hour(world, 25, 300, 1)
    assert [each.command for each in world.commands] == PANIC
    return world


def test_a_small_product_recovers_and_its_next_panic_is_told() -> None:
    world = panicking()
    for number in range(26, 60):
        hour(world, number, 10, 3)
    assert [fact.status for fact in world.facts] == ["open", "resolved"]
    hour(world, 60, 300, 1)
    assert [fact.status for fact in world.facts] == ["open", "resolved", "open"]
    assert [each.command for each in world.commands] == PANIC * 2


def test_it_has_recovered_too_when_nobody_buys_it_any_more() -> None:
    world = panicking()
    for number in range(26, 60):
        hour(world, number, 10, 0)
        hour(world, number, 1, 1, product="fund-2")
    assert [fact.status for fact in world.facts] == ["open", "resolved"]


def test_a_dead_feed_is_no_recovery() -> None:
    world = panicking()
    for number in range(26, 60):
        world.raw("conversion", number * HOUR, channel_id="douyin", product_id="fund-1", stage="purchase")
        world.mark((number + 1) * HOUR)
    assert [fact.status for fact in world.facts] == ["open"]
