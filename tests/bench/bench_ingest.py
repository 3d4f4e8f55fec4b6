"""`python -m tests.bench.bench_ingest`: CPU of ingest's pure part an event, without a broker, on the bench's mix.

Prints one line for each step and for slices of several sizes: the best of some rounds, since other work on the machine
only ever adds.
"""

import argparse
import gc
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import orjson

from schemas import frames
from services.ingest.frames.routing import Router, Rows
from services.ingest.reading.duplicates import WINDOW_MS, Duplicates
from services.ingest.reading.judging import Judge
from services.ingest.reading.records import Records
from services.ingest.sources.quarantine import BadLimit
from services.ingest.sources.source import Source
from tests.bench.load import mix

KEY = b"k" * 32
PARTITIONS = 2
RATE = 10_000
"""Events a second of append time, which decides how many ids are remembered."""
TOPICS = ("channel-events", "conversion-events")


def polls(events: int, size: int) -> list[dict[str, Records]]:
    """The mix as polls of `size` events, by topic."""
    raw = list(mix(events, 1_700_000_000, 1_800, seed=1))
    offsets = dict.fromkeys(TOPICS, 0)
    found = []
    for begin in range(0, len(raw), size):
        chunk = raw[begin : begin + size]
        stamp = 1_700_000_000_000 + 1_800_000 + begin * 1000 // RATE
        poll = {}
        for topic in TOPICS:
            values: list[bytes | None] = [value for name, _, value in chunk if name == topic]
            first = offsets[topic]
            offsets[topic] = last = first + len(values)
            poll[topic] = Records(first, last, list(range(first, last)), [stamp] * len(values), values)
        found.append(poll)
    return found


def whole(work: Sequence[dict[str, Records]], router: Router) -> int:
    """Decode, judge, sort out duplicates, route, build and encode the frames of all polls; the bytes of the frames."""
    sources = {topic: Source(topic, 0, "wall", BadLimit()) for topic in TOPICS}
    written = 0
    for poll in work:
        rows = Rows()
        for topic, records in poll.items():
            if len(records):
                sources[topic].take(records, router, rows, seal=lambda raw: "")
        for _, _, frame in rows.frames(PARTITIONS):
            written += len(frames.encode(frame))
    return written


def steps(work: Sequence[dict[str, Records]]) -> dict[str, float]:
    """Nanoseconds an event of each step by itself."""
    slices = [poll["channel-events"] for poll in work]
    count = sum(map(len, slices))
    judge = Judge("channel-events", "wall")
    judged = [judge.judge(each) for each in slices]
    router = Router(KEY)

    def duplicates() -> None:
        known = Duplicates(WINDOW_MS)
        for each in judged:
            known.note([event.event_id for event in each.events], each.stamps)

    def route() -> list[Rows]:
        found = []
        for each in judged:
            rows = Rows()
            router.route(rows, "channel-events", each.events, each.offsets, each.times)
            rows.close(0, each.offsets[0], each.offsets[-1] + 1)
            found.append(rows)
        return found

    routed = route()

    def parse() -> None:
        for each in slices:
            for value in each.values:
                orjson.loads(value or b"")

    timed: dict[str, Callable[[], Any]] = {
        "orjson.loads, to compare": parse,
        "judge (decode, times)": lambda: [judge.judge(each) for each in slices],
        "duplicates": duplicates,
        "route": route,
        "frames, encoded": lambda: [frames.encode(f) for rows in routed for _, _, f in rows.frames(PARTITIONS)],
    }
    return {name: best(function) / count * 1e9 for name, function in timed.items()}


def best(function: Callable[[], Any], rounds: int = 20) -> float:
    """CPU seconds of the quickest round."""
    found = []
    for _ in range(rounds):
        gc.collect()
        begin = time.process_time()
        function()
        found.append(time.process_time() - begin)
    return min(found)


def main() -> None:
    """A table on stdout."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    arguments = parser.parse_args()
    for size in (100, 1_000, 5_000):
        work = polls(arguments.events, size)
        spent = best(partial(whole, work, Router(KEY)))
        print(f"{size:>6} a poll: {spent / arguments.events * 1e6:.2f} µs an event in all")
        for name, nanoseconds in steps(work).items():
            print(f"{'':>8}{name:<26}{nanoseconds:>6.0f} ns")


if __name__ == "__main__":
    main()
