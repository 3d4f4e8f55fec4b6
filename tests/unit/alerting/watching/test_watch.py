"""The watchdog on made-up timelines: what it tells, when, and when it keeps quiet."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from aiokafka.partitioner import murmur2

from schemas.alerts import AlertFact, AlertState
from schemas.topics import ALERT_STATE, TOPICS
from services.alerting.machine import AlertingMachine
from services.alerting.settings import AlertingSettings
from services.alerting.watching.sight_io import READERS
from services.alerting.watching.watch import At, Look, Place, Watch
from services.alerting.watching.watch_words import Telling, zone_name
from services.alerting.watching.watchdog_io import PARTITION, _belongs, _standing
from services.indicators.machine import STORES
from services.ingest.sources.group_io import GROUP
from services.runtime.machines.machine import Record

ROOT = Path(__file__).parents[4]
LIMITS = AlertingSettings().watch_limits()
CHANNEL: At = ("frames.channel", 0)
OTHER: At = ("frames.channel", 1)
RAW: At = ("channel-events", 0)
STEP = 5


@dataclass
class Night:
    """Time goes on in looks. What moves, moves by one a second; the facts go through a real machine of `alerts`."""

    machine: AlertingMachine = field(default_factory=lambda: AlertingMachine(0))
    watch: Watch = field(default_factory=lambda: Watch(LIMITS))
    now: int = 0
    ends: dict[At, int] = field(default_factory=lambda: {RAW: 100, CHANNEL: 100, OTHER: 100})
    positions: dict[At, int] = field(default_factory=lambda: {RAW: 100, CHANNEL: 100, OTHER: 100})
    saved: int = 0
    published: str | None = "default/1"
    marked: str = "default/1"
    facts: list[AlertFact] = field(default_factory=list)
    stored: dict[bytes, bytes | None] = field(default_factory=dict)

    def goes_on(
        self,
        seconds: int,
        *,
        writing: tuple[At, ...] = (RAW, CHANNEL, OTHER),
        reading: tuple[At, ...] = (RAW, CHANNEL, OTHER),
        late: tuple[At, ...] = (),
        saving: bool = False,
    ) -> None:
        for _ in range(seconds // STEP):
            self.now += STEP
            for at in writing:
                self.ends[at] += STEP
            for at in reading:
                self.positions[at] = min(self.positions[at] + STEP, self.ends[at])
            self.saved += saving
            self.look(late)

    def look(self, late: tuple[At, ...] = ()) -> None:
        places = {at: Place(self.ends[at], self.positions[at], self.saved, at in late) for at in self.ends}
        readers = {
            "ingest": {at: place for at, place in places.items() if at == RAW},
            "indicators-channel": {at: place for at, place in places.items() if at != RAW},
        }
        frames = self.ends[CHANNEL] + self.ends[OTHER]
        look = Look(self.now, frames, readers, self.published, frozenset({self.marked}))
        at = datetime.fromisoformat("2026-11-23T10:00:00+08:00") + timedelta(seconds=self.now)
        telling = Telling(LIMITS, partial(_belongs, 3))
        for step in self.watch.look(look, _standing(self.machine)):
            fact = telling.fact(step, look, at)
            self.facts.append(AlertFact.model_validate_json(fact.model_dump_json()))
            value = fact.model_dump_json().encode()
            self.machine.apply(Record(len(self.facts), self.now * 1000, fact.alert_id.encode(), value))

    def restart(self) -> None:
        """Another process takes over, with all that the log says."""
        successor = AlertingMachine(0)
        self.stored |= dict(self.machine.changed())
        successor.load([(key, value) for key, value in self.stored.items() if value is not None])
        self.machine, self.watch = successor, Watch(LIMITS)

    def told(self) -> list[tuple[str | None, str | None]]:
        return [(fact.status, fact.indicator) for fact in self.facts]


def test_all_is_well() -> None:
    night = Night()
    night.goes_on(3600)
    assert night.facts == []


def test_a_system_that_nobody_has_used_yet_is_no_trouble() -> None:
    night = Night(ends=dict.fromkeys((RAW, CHANNEL, OTHER), 0), positions=dict.fromkeys((RAW, CHANNEL, OTHER), 0))
    night.published = None
    night.goes_on(3600, writing=(), reading=())
    assert night.facts == []


def test_nothing_to_read_is_no_stall() -> None:
    night = Night()
    night.goes_on(60)
    night.goes_on(3600, writing=(CHANNEL, OTHER), reading=(CHANNEL, OTHER))
    assert night.facts == []


def test_a_dead_ingest_is_one_alert_though_its_logs_are_not_read_either() -> None:
    night = Night()
    night.goes_on(60)
    night.goes_on(55, writing=(RAW,), reading=())
    assert night.facts == []
    night.goes_on(600, writing=(RAW,), reading=())
    assert night.told() == [("open", "dead_ingest")]
    night.goes_on(55)
    assert night.told() == [("open", "dead_ingest")]
    night.goes_on(15)
    assert night.told() == [("open", "dead_ingest"), ("resolved", "dead_ingest")]


def test_a_partition_that_stands_still_is_told_and_a_second_one_too() -> None:
    night = Night()
    night.goes_on(60)
    night.goes_on(120, reading=(RAW, OTHER))
    night.goes_on(120, reading=(RAW,))
    night.goes_on(600, reading=(RAW,))
    night.goes_on(600)
    assert night.told() == [("open", "stalled"), ("updated", "stalled"), ("resolved", "stalled")]
    assert len({fact.alert_id for fact in night.facts}) == 1
    first, second, _ = night.facts
    assert first.title is not None
    assert second.title is not None
    assert first.title.en == "indicators-channel stands still since 10:01:00: frames.channel/0"
    assert second.title.en == "indicators-channel stands still since 10:01:00: frames.channel/0, frames.channel/1"
    assert second.title.zh == "indicators-channel 自 10:01:00 起停滞：frames.channel/0、frames.channel/1"
    assert [fact.level for fact in night.facts] == [1, 2, None]


def test_snapshots_are_progress_although_the_committed_offset_stands_still() -> None:
    night = Night()
    night.goes_on(3600, reading=(RAW,), saving=True)
    assert night.facts == []


def test_who_has_never_read_anything_stands_still() -> None:
    night = Night(positions={RAW: 100, CHANNEL: 0, OTHER: 0})
    night.goes_on(70, reading=(RAW,))
    assert night.told() == [("open", "stalled")]


def test_a_rolling_restart_is_no_trouble() -> None:
    night = Night()
    for _ in range(20):
        night.goes_on(60)
        night.goes_on(45, reading=(RAW,))
        night.goes_on(15)
        night.goes_on(45, writing=(RAW,), reading=())
    assert night.facts == []


def test_lagging_is_told_when_it_lasts() -> None:
    night = Night()
    night.goes_on(60)
    night.goes_on(50, late=(OTHER,))
    night.goes_on(60)
    assert night.facts == []
    night.goes_on(70, late=(OTHER,))
    assert night.told() == [("open", "lagging")]
    night.goes_on(600)
    assert night.told() == [("open", "lagging"), ("resolved", "lagging")]


def test_who_stands_still_is_not_lagging_besides() -> None:
    night = Night()
    night.goes_on(60)
    night.goes_on(50, reading=(RAW, OTHER))
    night.goes_on(1200, reading=(RAW, OTHER), late=(CHANNEL,))
    assert night.told() == [("open", "stalled")]


def test_a_policy_that_nobody_has() -> None:
    night = Night()
    night.goes_on(60)
    night.published = "default/2"
    night.goes_on(30)
    night.marked = "default/2"
    night.goes_on(60)
    assert night.facts == []
    night.published = "default/3"
    night.goes_on(80)
    assert night.told() == [("open", "policy_unused")]
    (fact,) = night.facts
    assert fact.title is not None
    assert fact.title.en == "Policy default/3 is published, but default/2 is judged by"
    night.published = "default/2"  # rolled back
    night.goes_on(70)
    assert night.told() == [("open", "policy_unused"), ("resolved", "policy_unused")]


def _sick(night: Night, seconds: int) -> None:
    night.goes_on(seconds, reading=(RAW, OTHER))


def _dead(night: Night, seconds: int) -> None:
    night.goes_on(seconds, writing=(RAW,), reading=())


def _behind(night: Night, seconds: int) -> None:
    night.goes_on(seconds, late=(CHANNEL,))


def _unheard(night: Night, seconds: int) -> None:
    night.published = "default/2"
    night.goes_on(seconds)
    night.published = "default/1"


TROUBLES = pytest.mark.parametrize("trouble", [_sick, _dead, _behind, _unheard])


@TROUBLES
def test_a_restart_opens_nothing_twice_and_closes_nothing_early(trouble: Callable[[Night, int], None]) -> None:
    night = Night()
    night.goes_on(60)
    trouble(night, 150)
    for _ in range(4):
        night.restart()
        trouble(night, 100)
    assert [fact.status for fact in night.facts] == ["open"]
    night.restart()
    night.goes_on(100)
    assert [fact.status for fact in night.facts] == ["open", "resolved"]
    assert len({fact.alert_id for fact in night.facts}) == 1
    assert [fact.seq for fact in night.facts] == [0, 1]


@TROUBLES
def test_what_flaps_is_one_alert(trouble: Callable[[Night, int], None]) -> None:
    night = Night()
    night.goes_on(60)
    for _ in range(10):
        trouble(night, 150)
        night.goes_on(20)
    assert [fact.status for fact in night.facts] == ["open"]
    night.goes_on(100)
    trouble(night, 150)
    assert [fact.status for fact in night.facts] == ["open", "resolved", "open"]
    assert night.facts[0].alert_id != night.facts[2].alert_id


def test_while_nobody_looked_nothing_stood_still() -> None:
    """The broker was away, or this process was frozen: time that nobody saw is nobody's fault."""
    night = Night()
    night.goes_on(60)
    night.now += 600
    night.goes_on(50, reading=(RAW,))
    night.now += 600
    night.goes_on(50, writing=(RAW,), reading=())
    assert night.facts == []


@TROUBLES
def test_the_texts_say_everything_in_both_languages(trouble: Callable[[Night, int], None]) -> None:
    night = Night()
    night.goes_on(60)
    trouble(night, 150)
    night.goes_on(100)
    opened, over = night.facts
    assert opened.title is not None
    assert opened.summary is not None
    assert over.summary is not None
    for text in (opened.title, opened.summary, over.summary):
        assert text.en.isascii()
        assert any("\u4e00" <= sign <= "\u9fff" for sign in text.zh)
        assert "None" not in text.en
    anchor = f"services/alerting/runbook.md#{opened.indicator}"
    assert opened.runbook == anchor
    assert f"\n## {opened.indicator}\n" in (ROOT / "services/alerting/runbook.md").read_text("utf-8")
    shown = AlertState.model_validate_json(_shown(night))
    assert (shown.status, shown.title, shown.runbook) == ("resolved", opened.title, anchor)


def _shown(night: Night) -> bytes:
    """What a fresh machine shows of these facts in the end."""
    machine, last = AlertingMachine(0), b""
    for number, fact in enumerate(night.facts):
        for output in machine.apply(Record(number, number, fact.alert_id.encode(), fact.model_dump_json().encode())):
            last = output.value or b"" if output.topic == ALERT_STATE else last
    return last


def test_its_alerts_are_on_the_partition_that_watches_whoever_writes_about_them() -> None:
    night = Night()
    night.goes_on(60)
    _dead(night, 150)
    (fact,) = night.facts
    assert (murmur2(fact.alert_id.encode()) & 0x7FFFFFFF) % 3 == PARTITION


def test_the_readers_are_the_groups_that_there_are() -> None:
    by_service = {reader.service: reader for reader in READERS}
    assert GROUP in by_service
    assert {f"indicators-{subject}" for subject in STORES} <= by_service.keys()
    assert {"channel_control", "alerting"} <= by_service.keys()
    for reader in READERS:
        assert {*reader.topics, *([reader.state_topic] if reader.state_topic else [])} <= TOPICS.keys()


def test_times_are_told_in_the_zone_of_the_policy() -> None:
    assert zone_name(b'{"version": 1, "time_zone": "Europe/Berlin"}') == "Europe/Berlin"
    assert zone_name(None) == zone_name(b"rubbish") == "Asia/Shanghai"
