"""What the governor is told of the channels at every close of a pane."""

from schemas.commands import Command
from schemas.governor import Hour
from tests.support.indicator_log import policy
from tests.unit.indicators.world import HOUR, MINUTE, World


def told(world: World) -> list[Command]:
    found = [Command.model_validate_json(each.value or b"") for each in world.outputs if each.key == b"governor:all"]
    assert {each.command for each in found} <= {"figures"}
    return found


def hours(world: World) -> list[dict[str, Hour]]:
    return [each.figures.channels for each in told(world) if each.figures is not None]


def spent(world: World, at: float, channel: str = "douyin") -> None:
    """Three clicks, 12.50 CNY, and one account opened."""
    about = {"channel_id": channel}
    world.raw_events(
        [
            ("click", at, about | {"count": 3}),
            ("spend", at, about | {"amount": 12.5}),
            ("conversion", at, about | {"stage": "account_opened"}),
        ]
    )


def test_each_close_tells_the_last_hour_of_every_channel_that_moved() -> None:
    world = World("channel")
    spent(world, at=0)
    spent(world, at=2 * MINUTE, channel="weibo")
    world.mark(6 * MINUTE)
    assert hours(world) == [dict.fromkeys(("douyin", "weibo"), Hour(clicks=3, spend=12.5, accounts=1))]
    spent(world, at=7 * MINUTE)
    world.mark(11 * MINUTE)
    assert hours(world)[-1]["douyin"] == Hour(clicks=6, spend=25.0, accounts=2)
    assert len({each.command_id for each in told(world)}) == 2


def test_a_catch_up_tells_once_and_what_is_an_hour_old_counts_no_more() -> None:
    world = World("channel")
    spent(world, at=0)
    spent(world, at=2 * HOUR)
    world.mark(2 * HOUR + 6 * MINUTE)
    assert hours(world) == [{"douyin": Hour(clicks=3, spend=12.5, accounts=1)}]
    world.mark(4 * HOUR)
    assert len(told(world)) == 1, "nothing moved"


def test_a_governor_that_is_switched_off_is_told_nothing() -> None:
    off = policy().model_copy(update={"governor": policy().governor.model_copy(update={"enabled": False})})
    world = World("channel", off)
    spent(world, at=0)
    world.mark(6 * MINUTE)
    assert told(world) == []
