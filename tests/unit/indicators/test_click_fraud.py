"""click_fraud: actors that click too often, and their accounts."""

from services.indicators.machine import build
from tests.support.indicator_log import (
    CHANNEL,
    actor,
    pseudonym,
)
from tests.support.replay import Plan, assert_replay_safe
from tests.unit.indicators.world import HOUR, MINUTE, SECOND, World

BOT = actor("1.2.3.4")


def account(name: str) -> str:
    return f"account:{pseudonym(name).hex()}"


def test_a_hundred_clicks_in_a_minute_freeze_the_address_and_its_busy_accounts() -> None:
    world = World("actor")
    world.happen(
        *(world.event("clicks", n * 400, ip="1.2.3.4", account=f"a{n % 4}" if n < 80 else "b") for n in range(99))
    )
    assert world.outputs == []
    world.clicks(1, at=59 * SECOND)
    wanted = [("freeze", BOT, 1), ("escalate", BOT, 1), *(("freeze", account(f"a{n}"), 1) for n in range(4))]
    assert sorted(world.ordered()) == sorted(wanted)


def test_an_account_is_frozen_when_it_reaches_its_own_figure_while_the_episode_stands() -> None:
    world = World("actor")
    world.clicks(100, at=0)
    world.clicks(19, at=30 * SECOND, account="slow")
    assert ("freeze", account("slow"), 1) not in world.ordered()
    world.clicks(1, at=40 * SECOND, account="slow")
    assert ("freeze", account("slow"), 1) in world.ordered()
    assert world.told() == [("open", "critical", 1), ("updated", "critical", 1)]


def test_an_account_of_an_earlier_calm_minute_is_left_alone() -> None:
    world = World("actor")
    world.clicks(100, at=3 * MINUTE)
    world.clicks(30, at=0, account="early")
    assert world.ordered() == [("freeze", BOT, 1), ("escalate", BOT, 1)]


def test_an_actor_in_trouble_is_followed_after_a_restart() -> None:
    world = World("actor")
    world.clicks(100, at=0)
    world.mark(2 * MINUTE)  # all of these clicks are forgotten, the episode stands
    world.clicks(19, at=2 * MINUTE, account="slow")
    world.clicks(1, at=2 * MINUTE + SECOND, account="slow")
    assert world.ordered()[-1] == ("freeze", account("slow"), 1)
    for place in range(len(world.log.records)):
        assert_replay_safe(lambda: build("actor", 0), world.log.records, Plan((place,), (place, place + 1), ()))


def test_what_is_folded_again_is_not_counted_again() -> None:
    world = World("actor")
    for second in range(0, 90, 30):
        world.clicks(5, at=second * SECOND)
        world.mark(second * SECOND)
    list(world.machine.changed())
    records = [(key, value) for key, value in world.machine.changed() if value is not None]
    successor = build("actor", 0)
    successor.load(records)
    start, end = successor.rewind(world.machine.standing.offset), world.machine.standing.offset
    assert start < end
    for record in world.log.records[start:end]:
        successor.fold(record)
    assert successor.ledger.rows() == world.machine.ledger.rows() == [(CHANNEL, 15, 0)]


def test_no_more_than_fifty_accounts_are_frozen() -> None:
    world = World("actor")
    world.happen(*(world.event("clicks", 0, ip="1.2.3.4", account=f"a{n % 60}", count=1) for n in range(60 * 20)))
    accounts = {command.target for command in world.commands if command.target.startswith("account:")}
    assert len(accounts) == 50


def test_clicks_spread_over_more_than_the_window_are_calm() -> None:
    world = World("actor")
    for minute in range(20):
        world.clicks(90, at=minute * 66 * SECOND, within=60 * SECOND)
        world.mark(minute * 66 * SECOND + 65 * SECOND)
    assert world.outputs == []


def test_catching_up_finds_both_bursts_and_clears_in_between() -> None:
    world = World("actor")
    world.clicks(120, at=0)
    world.clicks(120, at=HOUR)
    world.mark(3 * HOUR)
    assert [fact.status for fact in world.facts] == ["open", "resolved", "open", "resolved"]
    assert world.ordered() == [("freeze", BOT, 1), ("escalate", BOT, 1)] * 2


def test_the_trace_says_who_clicked_what_and_when() -> None:
    world = World("actor")
    world.happen(
        *(
            world.event("clicks", n * 100, ip="1.2.3.4", channel=f"c{n % 2}", link=f"l{n % 3}", account="a")
            for n in range(100)
        )
    )
    escalate = next(command for command in world.commands if command.command == "escalate")
    assert escalate.evidence is not None
    trace = escalate.evidence.detail["trace"]
    assert trace["channels"] == {"c0": 50, "c1": 50}
    assert trace["links"] == {"l0": 34, "l1": 33, "l2": 33}
    assert trace["accounts"] == {pseudonym("a").hex(): 100}
    assert (trace["first_click"], trace["last_click"]) == ("2026-11-23T02:00:00Z", "2026-11-23T02:00:09.900000Z")


def test_the_oldest_pane_of_an_open_window_still_counts() -> None:
    world = World("actor")
    world.clicks(50, at=0, within=SECOND)
    world.mark(90 * SECOND)  # panes up to 60 s are closed
    world.clicks(50, at=60 * SECOND, within=SECOND)
    assert ("freeze", BOT, 1) in world.ordered()


def test_clicks_that_no_open_window_needs_are_too_late_and_forgotten() -> None:
    world = World("actor")
    world.clicks(50, at=0)
    world.mark(100 * SECOND)  # panes up to 70 s are closed: nothing before 10 s is needed
    world.clicks(60, at=5 * SECOND, within=SECOND)
    assert world.outputs == []
    assert world.machine.ledger.rows() == [(CHANNEL, 50, 60)]
