"""What the bench compares with, each a process of its own: `python -m tests.bench.plain floor|faust …`.

Both read the same topic to its end and print one JSON line with the CPU microseconds an event, start-up left out.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer


async def floor(bootstrap: str, topic: str) -> tuple[int, float]:
    """aiokafka `getmany`, `orjson.loads`, a dict count: no safety at all. Events, CPU seconds."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", max_poll_records=5000)
    await consumer.start()
    ends = await consumer.end_offsets(consumer.assignment())
    counts: Counter[str] = Counter()
    begin, events = time.process_time(), 0
    while events < sum(ends.values()):
        for records in (await consumer.getmany(timeout_ms=200)).values():
            for record in records:
                counts[orjson.loads(record.value)["channel_id"]] += 1
            events += len(records)
    spent = time.process_time() - begin
    await consumer.stop()
    return events, spent


async def plain_faust(bootstrap: str, topic: str, events: int) -> tuple[int, float]:
    """The Faust of the tutorials: one message an event, one windowed count. Events, CPU seconds."""
    import faust  # here, so that the floor does not pay for it

    app: Any = faust.App(
        f"bench-{time.time_ns():x}",
        broker=f"kafka://{bootstrap}",
        web_enabled=False,
        datadir=tempfile.mkdtemp(),
        stream_wait_empty=False,
    )
    counts = app.Table("counts", default=int, partitions=2).tumbling(timedelta(minutes=1))
    source = app.topic(topic, value_type=bytes, value_serializer="raw")
    seen, begin, done = 0, 0.0, asyncio.Event()
    spent = 0.0

    @app.agent(source)  # type: ignore[untyped-decorator]
    async def count(stream: Any) -> None:
        nonlocal seen, begin, spent
        async for value in stream:
            if seen == 0:
                begin = time.process_time()
            counts[orjson.loads(value)["channel_id"]] += 1
            seen += 1
            if seen == events:
                spent = time.process_time() - begin
                done.set()

    app.conf.consumer_auto_offset_reset = "earliest"
    await app.start()
    await done.wait()
    return seen, spent


async def main() -> None:
    """One JSON line on stdout."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("which", choices=("floor", "faust"))
    parser.add_argument("--kafka", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--events", type=int, default=20_000, help="how many plain Faust is given")
    arguments = parser.parse_args()
    if arguments.which == "floor":
        events, spent = await floor(arguments.kafka, arguments.topic)
    else:
        events, spent = await plain_faust(arguments.kafka, arguments.topic, arguments.events)
    print(json.dumps({"events": events, "us": spent / events * 1e6}))
    sys.stdout.flush()
    os._exit(0)  # Faust's threads would keep the process; all that was to be measured has been


if __name__ == "__main__":
    asyncio.run(main())
