"""Sends bench events at a rate, open loop: `python -m tests.bench.sender --rate 10000 --seconds 30 …`.

Prints one JSON line: what was sent, how long it took, and for each trigger (the complaint that must pause a channel)
the time at which it was due, in seconds since the epoch: a stall of the sender or the broker counts as latency.
"""

import argparse
import asyncio
import json
import random
import sys
import time
from collections.abc import Iterable

from aiokafka import AIOKafkaProducer

from tests.bench import load

TICK_SECONDS = 0.002
COMPLAINTS_TO_PAUSE = 20


async def _producer(bootstrap: str) -> AIOKafkaProducer:
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, linger_ms=1, max_batch_size=1 << 18
    )
    await producer.start()
    return producer


async def preload(bootstrap: str, prefix: str, events: Iterable[load.Raw]) -> int:
    """Sends all events as fast as the broker takes them; returns how many."""
    producer, sent, last = await _producer(bootstrap), 0, None
    for topic, key, value in events:
        last = await producer.send(prefix + topic, value, key=key)
        sent += 1
    await producer.flush()
    await producer.stop()
    assert last is None or last.done()
    return sent


class OpenLoop:
    """A schedule that does not wait for anybody: what is due is sent, however late we are."""

    def __init__(self, producer: AIOKafkaProducer, prefix: str, rate: float, seed: int) -> None:
        self._producer, self._prefix, self._rate = producer, prefix, rate
        self._rng, self._run, self._seed = random.Random(seed), f"o{time.time_ns():x}", seed
        self.sent = 0
        self.triggers: dict[str, float] = {}

    async def run(self, seconds: float, triggers_per_second: float) -> None:
        """The mix at the rate, and the triggers beside it."""
        start, due_triggers = time.time(), 0
        while (now := time.time()) < start + seconds:
            while self.sent < (now - start) * self._rate:
                due = start + self.sent / self._rate
                await self._send(load.one(self._rng, f"{self._run}-{self.sent}", due))
                self.sent += 1
            while due_triggers < (now - start) * triggers_per_second:
                await self._trigger(start + due_triggers / triggers_per_second)
                due_triggers += 1
            await asyncio.sleep(TICK_SECONDS - time.time() % TICK_SECONDS)
        await self._producer.flush()

    async def _trigger(self, due: float) -> None:
        channel = f"{self._run}-{len(self.triggers)}"
        for n in range(COMPLAINTS_TO_PAUSE):
            await self._send(load.complaint(f"{channel}-{n}", channel, due))
        self.triggers[channel] = due

    async def _send(self, raw: load.Raw) -> None:
        topic, key, value = raw
        await self._producer.send(self._prefix + topic, value, key=key)


async def main() -> None:
    """One JSON line on stdout."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kafka", required=True)
    parser.add_argument("--prefix", default="")
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--triggers", type=float, default=0.0, help="pauses to provoke a second")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    producer = await _producer(arguments.kafka)
    loop, started = OpenLoop(producer, arguments.prefix, arguments.rate, arguments.seed), time.time()
    await loop.run(arguments.seconds, arguments.triggers)
    json.dump({"sent": loop.sent, "seconds": time.time() - started, "triggers": loop.triggers}, sys.stdout)
    await producer.stop()


if __name__ == "__main__":
    asyncio.run(main())
