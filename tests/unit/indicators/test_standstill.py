"""Actors while one source stands still for long, and their time with it: memory and snapshots stay bounded, and the
outputs remain a function of the log."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.frames import source_of
from services.indicators.machine import MOST_POINTS, IndicatorMachine
from services.indicators.registry import rules_of
from services.indicators.snapshot import MACHINE, decode_progress
from services.indicators.subjects.actor import ActorStore
from services.runtime.machines.machine import Output, Record
from tests.support.indicator_log import COMPLAINT, TEN, actor
from tests.support.replay import Plan, assert_replay_safe, plans
from tests.unit.indicators.stories import cut, episodes, stories, tell
from tests.unit.indicators.world import MINUTE, SECOND, World

RUNNING, PAUSED = (source_of("channel-events", n) for n in (0, 1))
SEEDS = st.integers(0, 2**32)
MOST = 200


def _machine(most_rows: int) -> IndicatorMachine:
    return IndicatorMachine("actor", 0, ActorStore(most_rows), rules_of("actor"))


def _rows(world: World) -> int:
    store = world.machine._store
    assert isinstance(store, ActorStore)
    return sum(len(each.slot) for each in store._kept)


def _mark(world: World, at: int, *, paused_at: int = 0) -> None:
    read = {RUNNING: TEN + at, PAUSED: TEN + paused_at}
    world.mark(at, roster=(RUNNING, PAUSED), read=read)


def _standstill(most_rows: int, minutes: int) -> World:
    """One of two sources is read on, twelve clicks a minute from one address each."""
    world = World("actor", machine=_machine(most_rows))
    for at in range(0, minutes * MINUTE, MINUTE):
        world.clicks(12, at=at, within=MINUTE, ip=f"10.0.0.{at}", source=RUNNING)
        _mark(world, at + MINUTE)
    return world


def test_the_clicks_of_the_others_do_not_fill_the_memory() -> None:
    world = _standstill(MOST, minutes=120)
    assert _rows(world) <= MOST
    assert world.machine.ledger.totals() == (120 * 12, 0)
    assert world.machine.standing.clock_ms == TEN


def test_a_paused_partition_of_complaints_does_not_hold_the_clicks_for_ever() -> None:
    world = World("actor", machine=_machine(MOST))
    for at in range(0, 120 * MINUTE, MINUTE):
        world.clicks(12, at=at, within=MINUTE, ip=f"10.0.0.{at}", source=RUNNING)
        world.mark(at + MINUTE, roster=(RUNNING, COMPLAINT), read={RUNNING: TEN + at, COMPLAINT: TEN})
    assert _rows(world) <= MOST


def test_nor_do_complaints_fill_it_while_the_clicks_stand_still() -> None:
    world = World("actor", machine=_machine(MOST))
    fields = {"channel_id": "douyin", "entry": "one_click"}
    for minute in range(120):
        for n in range(6):
            who = {"complaint_id": f"c-{minute}-{n}", "ip": f"10.0.{minute}.{n}"}
            world.raw("complaint_opened", minute * MINUTE + n, **fields, **who)
        world.mark(minute * MINUTE, roster=(RUNNING, COMPLAINT), read={RUNNING: TEN, COMPLAINT: TEN + minute * MINUTE})
    store = world.machine._store
    assert isinstance(store, ActorStore)
    assert MOST / 2 < len(store._floods) <= MOST + 6 * 10  # their window is ten minutes long
    assert world.machine.ledger.totals() == (120 * 6, 0)


def test_while_there_is_room_the_one_that_stood_still_is_not_late() -> None:
    world = _standstill(10_000, minutes=120)
    world.clicks(100, at=MINUTE, ip="6.6.6.6", source=PAUSED)
    assert world.machine.ledger.totals() == (120 * 12 + 100, 0)
    assert [fact.value for fact in world.facts] == [100]


def test_past_it_what_is_older_is_late_and_counted_so() -> None:
    world = _standstill(MOST, minutes=120)
    world.clicks(100, at=MINUTE, ip="6.6.6.6", source=PAUSED)
    assert world.machine.ledger.totals() == (120 * 12, 100)
    world.clicks(100, at=119 * MINUTE, ip="6.6.6.6", source=PAUSED)
    assert world.machine.ledger.totals() == (120 * 12 + 100, 100)
    assert [fact.value for fact in world.facts] == [100]


def test_a_flood_takes_nothing_from_the_windows_of_now() -> None:
    world = World("actor", machine=_machine(MOST))
    for at in range(0, 50 * SECOND, SECOND):
        world.clicks(20, at=at, within=SECOND, ip="1.2.3.4", source=RUNNING)
        _mark(world, at)
    assert _rows(world) == 50 * 20
    assert max(fact.value or 0 for fact in world.facts) >= 640


def test_the_clearing_of_an_episode_waits_no_longer_than_there_is_room() -> None:
    world = World("actor", machine=_machine(MOST))
    world.clicks(100, at=0, ip="6.6.6.6", source=RUNNING)
    for at in range(0, 120 * MINUTE, MINUTE):
        world.clicks(12, at=at, within=MINUTE, ip=f"10.0.0.{at}", source=RUNNING)
        _mark(world, at + MINUTE)
    assert [fact.status for fact in world.facts if fact.subject == actor("6.6.6.6")] == [
        "open",
        "resolved",
    ]


def test_a_snapshot_names_few_points_however_long_it_takes() -> None:
    world = World("actor", machine=_machine(10_000))
    rewinds = []
    for minute in range(300):
        world.clicks(1, at=minute * MINUTE, source=RUNNING)
        _mark(world, minute * MINUTE)
        progress = decode_progress(dict(world.machine.changed())[MACHINE] or b"")
        assert len(progress.points) <= MOST_POINTS
        rewinds.append(world.machine.rewind(world.machine.standing.offset))
    assert rewinds == [0] * 300, "the oldest click is still in memory"
    _mark(world, 300 * MINUTE, paused_at=300 * MINUTE)
    list(world.machine.changed())
    assert world.machine.rewind(world.machine.standing.offset) > 500, "there is a point near the end"


def test_only_clicks_that_still_count_take_room_whatever_their_frames_hold_besides() -> None:
    for together in (True, False):
        world = World("actor", machine=_machine(MOST))
        old = [world.event("clicks", 0, ip="1.1.1.1", source=RUNNING) for _ in range(150)]
        new = [world.event("clicks", 200 * SECOND + n * 3 * SECOND, ip="2.2.2.2", source=RUNNING) for n in range(100)]
        for events in [old + new] if together else [old, new]:
            world.happen(*events)
        for _ in range(2):
            _mark(world, 500 * SECOND, paused_at=200 * SECOND)
        world.clicks(5, at=190 * SECOND, within=SECOND, source=PAUSED)
        assert world.machine.ledger.totals() == (255, 0)


def test_a_successor_does_not_remember_what_had_to_be_forgotten() -> None:
    world = World("actor", machine=_machine(MOST))
    world.clicks(1, at=20 * MINUTE, ip="9.9.9.9", source=RUNNING)
    world.clicks(MOST, at=5 * MINUTE, within=15 * MINUTE, source=RUNNING)
    _mark(world, 20 * MINUTE)
    closed_at = world.machine.standing.closed_ms or 0
    forgotten_at = closed_at - TEN - MINUTE
    world.clicks(90, at=forgotten_at - 10 * SECOND, ip="6.6.6.6", source=PAUSED)
    assert world.machine.ledger.totals()[1] == 90
    place = len(world.log.records)
    world.clicks(70, at=forgotten_at, within=SECOND, ip="6.6.6.6", source=PAUSED)
    assert world.machine.ledger.totals()[1] == 90
    world.clicks(110, at=forgotten_at + SECOND, within=SECOND, ip="6.6.6.6", source=PAUSED)
    assert world.facts[-1].value == 180
    assert_replay_safe(lambda: _machine(MOST), world.log.records, Plan((place,), (place,), ()))


def _applied(log: Sequence[Record], most_rows: int) -> list[Output]:
    machine = _machine(most_rows)
    return [output for record in log for output in machine.apply(record)]


MOSTS = st.sampled_from((2, 6, 12))


@given(data=st.data(), seeds=st.tuples(SEEDS, SEEDS), most_rows=MOSTS, stalled=st.booleans())
@settings(deadline=None, max_examples=100)
def test_want_of_room_depends_on_the_events_not_on_their_frames(
    data: st.DataObject, seeds: tuple[int, int], most_rows: int, stalled: bool
) -> None:
    story = data.draw(stories("actor"))
    still = PAUSED if stalled else None
    one, other = (_applied(cut(story, seed, still=still), most_rows) for seed in seeds)
    assert episodes(one) == episodes(other)


@given(data=st.data(), seed=SEEDS, plan=plans(25), most_rows=MOSTS, stalled=st.booleans())
@settings(deadline=None, max_examples=200)
def test_want_of_room_is_the_same_in_every_replay(
    data: st.DataObject, seed: int, plan: Plan, most_rows: int, stalled: bool
) -> None:
    log = cut(data.draw(stories("actor")), seed, repeats=True, still=PAUSED if stalled else None)
    assert_replay_safe(lambda: _machine(most_rows), log, plan)


@given(data=st.data(), seed=SEEDS, plan=plans(25), most_rows=MOSTS)
@settings(deadline=None, max_examples=100)
def test_the_books_of_a_successor_are_the_same(data: st.DataObject, seed: int, plan: Plan, most_rows: int) -> None:
    story = data.draw(stories("actor"))
    log = cut(story, seed, repeats=True, still=PAUSED)
    built: list[IndicatorMachine] = []

    def build() -> IndicatorMachine:
        built.append(_machine(most_rows))
        return built[-1]

    assert_replay_safe(build, log, plan)
    assert built[0].ledger.rows() == built[-1].ledger.rows()
    assert sum(built[-1].ledger.totals()) == len(story.events)


def test_stories_reach_the_limit() -> None:
    """That the properties above are not vacuous: with less room other clicks are late."""
    late = 0
    for seed in range(30):
        machine = _machine(2)
        for record in cut(tell("actor", seed), seed, still=PAUSED):
            machine.apply(record)
        late += machine.ledger.totals()[1]
    assert late > 10
