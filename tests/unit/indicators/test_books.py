"""The books of a machine after somebody has set ingest's offset: what ingest sends since is folded, late or known."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.frames import Anew
from services.indicators.machine import build
from tests.support.indicator_log import CHANNEL, COMPLAINT, TEN, Event, Log, mark, policy
from tests.unit.indicators.world import HOUR

DAY = 24 * HOUR
SOURCES = {"clicks": CHANNEL, "complaints": COMPLAINT}


def _events(random: Random, subject: str, number: int) -> list[Event]:
    """Some of them too late for everything, and with offsets that are other partitions' events."""
    offsets = dict.fromkeys(SOURCES.values(), 0)
    found = []
    for _ in range(number):
        what = random.choice(("clicks", "complaints") if subject == "channel" else ("clicks",))
        offset = offsets[SOURCES[what]] = offsets[SOURCES[what]] + random.choice((1, 1, 3))
        at = TEN - random.choice((0, 0, 0, 30 * DAY)) - random.randrange(10_000)
        found.append(Event(SOURCES[what], offset, at, what, ip="1.1.1.1"))
    return found


class _Ingest:
    """Sends to one machine, which dies now and then."""

    def __init__(self, subject: str, random: Random) -> None:
        self.random = random
        self.log = Log(subject)
        self.machine = build(subject, 0)
        self.records: dict[bytes, bytes] = {}

    def tell(self, anew: list[Anew]) -> None:
        self.machine.apply(self.log.put(replace(mark(TEN, policy=policy()), anew=anew)))

    def send(self, events: list[Event]) -> None:
        """In frames of any size; some are sent again, as after a restart of ingest."""
        left = events
        while left:
            size = self.random.randrange(1, 6)
            self.machine.apply(self.log.frame(left[:size]))
            left = left[size - self.random.choice((0, 0, 1)) if len(left) > size > 1 else size :]
            if self.random.random() < 0.2:
                self._die()

    def _die(self) -> None:
        subject = self.machine.subject
        self.records.update((key, value) for key, value in self.machine.changed() if value is not None)
        at = self.machine.standing.offset
        begin, self.machine = self.machine.rewind(at), build(subject, 0)
        self.machine.load(list(self.records.items()))
        for record in self.log.records[begin:at]:
            self.machine.fold(record)


@pytest.mark.parametrize("subject", ["channel", "actor"])
@given(seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=150)
def test_every_row_that_was_sent_since_is_folded_late_or_known_once(subject: str, seed: int) -> None:
    random = Random(seed)
    events = _events(random, subject, 30)
    ingest = _Ingest(subject, random)
    ingest.tell([])
    ingest.send(events[: random.randrange(31)])
    for since_ms in range(1, random.randrange(2, 4)):
        base = random.randrange(50)
        anew = [Anew(source, since_ms, base) for source in SOURCES.values()]
        ingest.tell(anew)
        again = [event for event in events if event.offset >= base]
        sent = again[: random.randrange(len(again) + 1)]
        ingest.send(sent)
        ingest.tell(random.choice(([], anew, [Anew(CHANNEL, 0, 0)])))
    counted = Counter({source: folded + late for source, folded, late in ingest.machine.ledger.rows()})
    counted.update({source: known for source, _, _, known in ingest.machine.ledger.anew()})
    assert +counted == Counter(event.source for event in sent)
