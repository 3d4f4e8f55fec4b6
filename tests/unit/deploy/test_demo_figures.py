"""What `make run` sends fills all twenty figures, and each scope that they have."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from deploy.demo.routine import routine
from deploy.demo.stories import CHANNELS, PRODUCTS, SEGMENTS, Event, Source
from schemas.base import to_ms
from schemas.events import TOPIC_OF
from schemas.policy import Policy
from schemas.readings import READINGS_MESSAGE, Reading, Tally
from schemas.topics import READINGS
from services.console.state.business import Business
from services.console.state.figures import ALL, FIGURES
from services.console.state.readings import Readings
from services.console.state.tallies import Tallies
from services.indicators.machine import build
from tests.support.frames import FrameMaker
from tests.support.indicator_log import Log

NOON = datetime.fromisoformat("2026-11-23T12:00:00+08:00")
HOURS = 3
SUBJECTS = ("channel", "product", "actor", "complaint", "brand")


def _placed(events: list[Event]) -> Iterator[tuple[str, int, int, Event]]:
    for offset, event in enumerate(sorted(events, key=lambda each: str(each["occurred_at"]))):
        yield TOPIC_OF[event["type"]], 0, offset, event


def _business(events: list[Event]) -> Business:
    """What the console knows after all of it."""
    maker, end_ms = FrameMaker(), to_ms(NOON) + HOURS * 3_600_000
    machines = {subject: build(subject, 0, readings=True) for subject in SUBJECTS}
    logs = {subject: Log(subject) for subject in SUBJECTS}
    business = Business(Tallies(), Readings())
    frames = [(subject, frame) for subject, _, frame in maker.poll(_placed(events)) if subject in SUBJECTS]
    first, last = (maker.mark(at, Policy(version=1)) for at in (to_ms(NOON), end_ms))
    for subject, machine in machines.items():
        for message in (first, *(frame for whose, frame in frames if whose == subject), last):
            for output in machine.apply(logs[subject].put(message)):
                if output.topic == READINGS:
                    told = READINGS_MESSAGE.validate_json(output.value or b"")
                    if isinstance(told, Reading):
                        business.readings.fold(told)
                    elif isinstance(told, Tally):
                        business.tallies.fold(told)
    return business


def test_calm_traffic_fills_all_twenty_figures() -> None:
    source = Source("calm", random.Random(3))
    seconds = HOURS * 3600
    business = _business([*source.calm(NOON, seconds, 3.0), *routine(source, NOON, seconds)])
    until = to_ms(NOON + timedelta(hours=HOURS))
    found = {
        (scope, each.name, each.figure.id): each.value
        for scope in ALL
        for each in business.values({}, scope, to_ms(NOON), until)
    }
    empty = {key for key, value in found.items() if value is None}
    assert not {key for key in empty if key[0] == "all"}
    names = {"all": {"all"}, "channel": set(CHANNELS), "product": set(PRODUCTS), "segment": set(SEGMENTS)}
    for scope in ALL:
        for figure in (each for each in FIGURES if scope in each.scopes):
            told = {name for of, name, id_ in found if (of, id_) == (scope, figure.id)}
            assert told == names[scope], (scope, figure.id)
    assert {id_ for of, _, id_ in found if of == "all"} == {figure.id for figure in FIGURES}
    zero = {id_ for (of, _, id_), value in found.items() if of == "all" and value == 0}
    assert zero <= {"suspicious_clicks_ratio", "open_complaints"}, "as on a calm day"
