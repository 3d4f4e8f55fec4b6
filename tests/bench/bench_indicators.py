"""`python -m tests.bench.bench_indicators [SECTION …]`: what the indicators' machines cost, without broker or harness.

The mix of `make bench`: 60 % click, 25 % impression, 5 % each search, conversion and engagement, 200 channels, 65,000
addresses, 1 % late by up to ten minutes, event times that move. CPU time of this process, decoding included; medians.
"""

import argparse
import json
import resource
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from schemas.frames import FORMAT, MEASURES, ActorFrame, ChannelFrame, Mark, Read, Slice, encode, source_of
from schemas.policy import Policy
from services.indicators.machine import IndicatorMachine, build
from services.runtime.machines.machine import Record

CHANNELS: Final = 200
ADDRESSES: Final = 65_000
START: Final = 1_795_400_000_000
SHARES: Final = {"clicks": 0.6, "impressions": 0.25, "searches": 0.05, "purchases": 0.05, "engagements": 0.05}
SOURCES: Final = [source_of("channel-events", 0), source_of("channel-events", 1), source_of("conversion-events", 0)]
ROSTER: Final = [
    source_of(topic, n) for topic in ("channel-events", "complaint-events", "conversion-events") for n in (0, 1)
]
USUAL: Final = dict(zip(MEASURES, (17_000, 1700, 170, 3 * 10**9, 4200, 40, 10, 340), strict=True))
"""What a channel usually adds to each measure in a pane."""
POLICY: Final = Policy.model_validate({"version": 1})

Int64 = NDArray[np.int64]


class Mix:
    """Frames of the mix for both subjects; offsets go on from frame to frame."""

    def __init__(self, seed: int, addresses: int = ADDRESSES) -> None:
        self._random = np.random.default_rng(seed)
        self._next = dict.fromkeys(SOURCES, 0)
        pool = self._random.bytes(16 * addresses)
        self._pool = np.frombuffer(pool, "V16")
        self._names = [f"channel-{n}" for n in range(CHANNELS)]

    def frames(self, events: int, now_ms: int, span_ms: int) -> tuple[bytes, bytes]:
        """One frame for the channels and one for the actors, of the same events."""
        random = self._random
        kinds = random.choice(len(SHARES), events, p=list(SHARES.values()))
        codes = np.array([MEASURES.index(name) for name in SHARES])[kinds]
        at = now_ms + random.integers(0, max(span_ms, 1), events)
        late = random.random(events) < 0.01
        at[late] -= random.integers(0, 600_000, int(late.sum()))
        channel = random.integers(0, CHANNELS, events)
        source = np.where(codes == MEASURES.index("purchases"), 2, channel % 2)
        order = np.argsort(source, kind="stable")
        at, channel, codes, source = at[order], channel[order], codes[order], source[order]
        offsets, slices = self._offsets(source)
        return (
            encode(self._channel(slices, offsets, at, channel, codes)),
            encode(self._actor(offsets, at, channel, codes, source)),
        )

    def _offsets(self, source: Int64) -> tuple[Int64, list[Slice]]:
        offsets, slices = np.empty(len(source), np.int64), []
        for index, name in enumerate(SOURCES):
            rows = source == index
            first, number = self._next[name], int(rows.sum())
            if number:
                offsets[rows] = np.arange(first, first + number)
                self._next[name] = first + number
                slices.append(Slice(name, first, first + number, number))
        return offsets, slices

    def _channel(self, slices: list[Slice], offsets: Int64, at: Int64, channel: Int64, codes: Int64) -> ChannelFrame:
        used, local = np.unique(channel, return_inverse=True)
        return ChannelFrame(
            FORMAT,
            slices,
            [self._names[n] for n in used],
            offsets.tobytes(),
            at.tobytes(),
            local.astype("<i4").tobytes(),
            codes.astype("u1").tobytes(),
            np.ones(len(at), np.int64).tobytes(),
            [],
        )

    def _actor(self, offsets: Int64, at: Int64, channel: Int64, codes: Int64, source: Int64) -> ActorFrame:
        rows = np.flatnonzero(codes == MEASURES.index("clicks"))
        used, local = np.unique(self._random.integers(0, len(self._pool), len(rows)), return_inverse=True)
        names, named = np.unique(channel[rows], return_inverse=True)
        slices = [
            Slice(name, int(offsets[found[0]]), int(offsets[found[-1]]) + 1, len(found))
            for index, name in enumerate(SOURCES)
            if len(found := rows[source[rows] == index])
        ]
        none = np.full(len(rows), -1, "<i4").tobytes()
        return ActorFrame(
            FORMAT,
            slices,
            self._pool[used].tobytes(),
            b"",
            [self._names[n] for n in names],
            offsets[rows].tobytes(),
            at[rows].tobytes(),
            local.astype("<i4").tobytes(),
            none,
            named.astype("<i4").tobytes(),
            none,
            np.ones(len(rows), np.int64).tobytes(),
            [],
        )


def mark(time_ms: int, *, first: bool = False) -> bytes:
    """A mark by which everything has been read up to a time."""
    document = POLICY.model_dump_json().encode() if first else None
    reads = [Read(source, 0, time_ms) for source in ROSTER]
    return encode(Mark(FORMAT, time_ms, "wall", ROSTER, reads, POLICY.label, document))


class Runner:
    """A machine and the next offset of its log."""

    def __init__(self, subject: str) -> None:
        self.machine: IndicatorMachine = build(subject, 0, readings=True)
        self._offset = 0
        self.take(mark(START, first=True))

    def take(self, value: bytes) -> None:
        """Applies one message."""
        list(self.machine.apply(Record(self._offset, START + 10**10, None, value)))
        self._offset += 1


@dataclass
class Cpu:
    """CPU seconds of what happens inside a `with`."""

    seconds: float = 0.0
    _before: float = 0.0

    def __enter__(self) -> "Cpu":
        self._before = time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.process_time() - self._before


def per_event(events_per_frame: int, per_second: int, seconds: int) -> dict[str, float]:
    """Microseconds of CPU an event for each subject, and for both, at a rate of `per_second` with marks each second."""
    mix, runners = Mix(1), {subject: Runner(subject) for subject in ("channel", "actor")}
    spent: dict[str, list[float]] = {subject: [] for subject in runners}
    frames_a_second = max(per_second // events_per_frame, 1)
    for second in range(seconds):
        now = START + second * 1000
        step = 1000 // frames_a_second
        made = [mix.frames(events_per_frame, now + n * step, step) for n in range(frames_a_second)]
        end = mark(now + 1000)
        for index, (subject, runner) in enumerate(runners.items()):
            values = [*(pair[index] for pair in made), end]
            with Cpu() as cpu:
                for value in values:
                    runner.take(value)
            spent[subject].append(cpu.seconds)
    events = frames_a_second * events_per_frame
    found = {subject: statistics.median(times) / events * 1e6 for subject, times in spent.items()}
    return found | {"both": sum(found.values())}


def snapshot_bytes() -> dict[str, float]:
    """Bytes a snapshot writes per event, one every ten seconds at 100,000 events/s."""
    mix, runners = Mix(2), {subject: Runner(subject) for subject in ("channel", "actor")}
    sizes: dict[str, list[int]] = {subject: [] for subject in runners}
    seconds: list[float] = []
    for ten in range(6):
        for n in range(250):
            now = START + ten * 10_000 + n * 40
            for subject, value in zip(runners, mix.frames(4000, now, 40), strict=True):
                runners[subject].take(value)
        for subject, runner in runners.items():
            runner.take(mark(START + (ten + 1) * 10_000))
            with Cpu() as cpu:
                records = list(runner.machine.changed())
            seconds.append(cpu.seconds)
            sizes[subject].append(sum(len(key) + len(value or b"") for key, value in records))
    found = {f"{subject} bytes/event": statistics.median(values) / 1_000_000 for subject, values in sizes.items()}
    return found | {"slowest capture ms": max(seconds) * 1e3}


def _nine_days() -> Runner:
    """A machine that has heard every measure of 200 channels in every pane of nine days."""
    runner, random = Runner("channel"), np.random.default_rng(3)
    columns, usual = len(MEASURES), np.array(list(USUAL.values()))
    offset = 0
    for hour in range(9 * 24):
        rows = CHANNELS * 12 * columns
        pane = np.tile(np.repeat(np.arange(12), columns), CHANNELS)
        at = START + hour * 3_600_000 + pane * 300_000
        channel = np.repeat(np.arange(CHANNELS), 12 * columns)
        measure = np.tile(np.arange(columns), CHANNELS * 12)
        frame = ChannelFrame(
            FORMAT,
            [Slice(SOURCES[0], offset, offset + rows, rows)],
            [f"channel-{n}" for n in range(CHANNELS)],
            np.arange(offset, offset + rows).tobytes(),
            at.astype("<i8").tobytes(),
            channel.astype("<i4").tobytes(),
            measure.astype("u1").tobytes(),
            random.poisson(usual[measure]).astype("<i8").tobytes(),
            [],
        )
        runner.take(encode(frame))
        offset += rows
    return runner


def nine_days() -> dict[str, float]:
    """Seconds to load the snapshot of 200 channels × nine days, and its size."""
    runner = _nine_days()
    records = [(key, value) for key, value in runner.machine.changed() if value is not None]
    fresh = build("channel", 0)
    with Cpu() as cpu:
        fresh.load(records)
    return {"records": len(records), "load s": cpu.seconds, "MB": sum(len(k) + len(v) for k, v in records) / 1e6}


def judging() -> dict[str, float]:
    """Microseconds a channel when a pane closes after nine days, all rules of channels together; the fastest of 40."""
    runner, end = _nine_days(), START + 9 * 24 * 3_600_000
    runner.take(mark(end - 12 * 3_600_000 + 30_000))
    times = []
    for n in range(1, 41):
        with Cpu() as cpu:
            runner.take(mark(end - 12 * 3_600_000 + 30_000 + n * 300_000))
        times.append(cpu.seconds)
    return {"µs a channel": min(times) / CHANNELS * 1e6, "median": statistics.median(times) / CHANNELS * 1e6}


def quiet_mark() -> dict[str, float]:
    """Microseconds of a mark when no pane closes, with nine days of channels and a minute of actors."""
    found = {}
    for subject, index in (("channel", 0), ("actor", 1)):
        mix, runner = Mix(4), Runner(subject)
        for n in range(500):
            runner.take(mix.frames(2000, START + n * 120, 120)[index])
        runner.take(mark(START + 60_000))
        values = [mark(START + 60_001 + n) for n in range(1000)]
        with Cpu() as cpu:
            for value in values:
                runner.take(value)
        found[subject] = cpu.seconds / len(values) * 1e6
    return found


def closing() -> dict[str, float]:
    """Milliseconds of a mark that closes one pane: 200 channels of five minutes, actors of five seconds."""
    found = {}
    for subject, index, pane in (("channel", 0, 300_000), ("actor", 1, 5_000)):
        mix, runner = Mix(5), Runner(subject)
        times: list[float] = []
        for n in range(30):
            for _ in range(10):
                runner.take(mix.frames(4000, START + n * pane, pane)[index])
            with Cpu() as cpu:
                runner.take(mark(START + 30_000 + n * pane))
            times.append(cpu.seconds)
        found[subject] = statistics.median(times[5:]) * 1e3
    return found


def million_actors() -> dict[str, float]:
    """Megabytes for a million addresses that clicked in the last minute and a half, four times each."""
    mix, runner = Mix(6, addresses=1_000_000), Runner("actor")
    before = _rss()
    made = 0
    while made < 4_000_000:
        runner.take(mix.frames(4000, START + made * 95_000 // 4_000_000, 95)[1])
        made += 2400
    return {"clicks": made, "rss MB before": before, "rss MB after": _rss(), "peak MB": _peak()}


def _rss() -> float:
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


SECTIONS: Final[dict[str, Callable[[], dict[str, float]]]] = {
    "4,000 events/frame, 100,000/s: µs an event": lambda: per_event(4000, 100_000, 20),
    "250 events/frame, 12,500/s: µs an event": lambda: per_event(250, 12_500, 20),
    "29 events/frame, 5,000/s: µs an event": lambda: per_event(29, 5_000, 20),
    "snapshots at 100,000/s": snapshot_bytes,
    "nine days": nine_days,
    "judging after nine days": judging,
    "a mark that closes nothing: µs": quiet_mark,
    "a mark that closes a pane: ms": closing,
    "a million actors": million_actors,
}


def main(wanted: Iterable[str], *, as_json: bool) -> None:
    """Prints the sections whose title has any of the words wanted, or all: for people, or one JSON object a line."""
    words = list(wanted)
    for title, section in SECTIONS.items():
        if words and not any(word in title for word in words):
            continue
        found = section()
        if as_json:
            print(json.dumps(found), flush=True)
        else:
            print(f"{title}: {', '.join(f'{name} {value:,.3g}' for name, value in found.items())}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("section", nargs="*", help="words in the titles of the sections to run")
    parser.add_argument("--json", action="store_true", help="one JSON object a section")
    arguments = parser.parse_args()
    main(arguments.section, as_json=arguments.json)
