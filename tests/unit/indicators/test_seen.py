"""How subjects stand, as metrics and backtests see it."""

from services.indicators.machine import build
from services.indicators.seen import Latest, Seen
from tests.support.indicator_log import TEN, Event, Log, channel_frame, mark, pseudonym, source_for
from tests.support.indicator_log import policy as policy_of

DAY = 86_400_000
KEY = ("complaint_volume", "channel:douyin")


def complaints(number: int) -> list[Event]:
    source = source_for("complaints")
    return [Event(source, n, TEN + n, "complaints", account=f"a-{n}") for n in range(number)]


def test_the_latest_verdict_of_a_channel_is_remembered() -> None:
    machine, log = build("channel", 0), Log("channel")
    machine.apply(log.put(mark(TEN, policy=policy_of())))
    machine.apply(log.put(channel_frame(complaints(7))))
    assert machine.seen.latest[KEY] == Latest(TEN + 300_000, 7.0, 20.0, "calm")


def test_a_channel_that_is_gone_is_forgotten() -> None:
    machine, log = build("channel", 0), Log("channel")
    machine.apply(log.put(mark(TEN, policy=policy_of())))
    machine.apply(log.put(channel_frame(complaints(7))))
    machine.apply(log.put(mark(TEN + 20 * DAY)))
    assert KEY not in machine.seen.latest


def test_an_earlier_pane_judged_again_does_not_take_its_place() -> None:
    seen = Seen()
    seen.note(*KEY, Latest(2000, 5.0, 20.0, "calm"))
    seen.note(*KEY, Latest(1000, 4.0, 20.0, "calm"))
    seen.note(*KEY, Latest(2000, 6.0, 20.0, "calm"))
    assert seen.latest[KEY].value == 6.0


def test_actors_are_too_many() -> None:
    machine, log = build("actor", 0), Log("actor")
    machine.apply(log.put(mark(TEN, policy=policy_of())))
    clicks = [Event(source_for("clicks"), n, TEN + n, "clicks", ip="203.0.113.7") for n in range(100)]
    machine.apply(log.frame(clicks))
    assert machine.seen.verdicts["click_fraud", "breach"] > 0, pseudonym("203.0.113.7")
    assert machine.seen.latest == {}
