"""`python -m tests.bench.bench_backtest [EVENTS]`: what a backtest costs. CPU time of this process, one core.

The mix of `make bench` spread over six hours, under one policy and under two, and a month of 200 channels in which
little happens, where judging is what costs.
"""

import argparse
import resource
import time
from collections.abc import Iterable, Iterator

from schemas.policy import Policy
from services.cli.backtest.engine import Backtest
from services.cli.backtest.pipeline import RawRecord
from services.cli.backtest.timeline import blocks, boundary
from services.indicators.windows.days import Span
from tests.bench.load import CHANNELS, Raw, hourly, mix

START = 1_795_400_000
SIX_HOURS = 6 * 3600
KEY = b"a key of sixteen bytes or more"


def records(events: int, span_s: float = SIX_HOURS) -> list[RawRecord]:
    """The mix, appended evenly over a span of seconds."""
    stamps = (int((START + span_s * n / events) * 1000) for n in range(events))
    return list(_numbered(zip(stamps, mix(events, START, span_s, seed=1), strict=True)))


def _numbered(raw: Iterable[tuple[int, Raw]]) -> Iterator[RawRecord]:
    following: dict[str, int] = {}
    for stamp_ms, (topic, _, value) in raw:
        offset = following.get(topic, 0)
        following[topic] = offset + 1
        yield RawRecord(topic, 0, offset, stamp_ms, value)


def quiet(days: int) -> list[RawRecord]:
    """An impression and a purchase in each hour of every channel."""
    found = (
        (int(at * 1000), raw)
        for hour in range(24 * days)
        for n in range(CHANNELS)
        for at in (START + hour * 3600 + n,)
        for raw in hourly(f"channel-{n}", at, f"h-{hour}-{n}")
    )
    return list(_numbered(found))


def seconds(log: list[RawRecord], policies: int = 1) -> float:
    """CPU seconds of a backtest of a log."""
    window = Span(log[0].stamp_ms, boundary(log[-1].stamp_ms))
    began = time.process_time()
    tested = Backtest([Policy(version=n + 1) for n in range(policies)], KEY, window, log[0].stamp_ms)
    for block, end_ms in blocks(log):
        tested.take(block, end_ms)
    tested.finish("bench")
    return time.process_time() - began


def main(events: int) -> None:
    """Prints the figures."""
    log = records(events)
    for policies in (1, 2):
        spent = seconds(log, policies)
        print(
            f"{events:,} events, {policies} policies: {spent:.1f} s, {spent / events * 1e6:.1f} µs an event", flush=True
        )
    days = 3
    spent = seconds(quiet(days))
    print(f"{CHANNELS} channels in which little happens: {spent / days:.1f} s a day")
    print(f"at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:,.0f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", type=int, nargs="?", default=1_000_000)
    main(parser.parse_args().events)
