"""What docker-compose.yml says, run as processes.

No container engine is needed, so images, mounts, networks and limits are not tried; see docs/install.md.
"""

import asyncio
from pathlib import Path

import pytest

from deploy.embedded.broker import Broker
from tests.system.stand import standing

pytestmark = pytest.mark.system


async def test_all_of_it_runs_and_twenty_complaints_pause_a_channel(broker: Broker, tmp_path: Path) -> None:
    async with standing(broker.bootstrap, tmp_path) as stand:
        assert await stand.check("kafka")
        await stand.start_all()
        await stand.twenty_complaints_pause_a_channel()

        # Once more, as at the next `up`: nothing to do, and nothing is changed.
        assert "all topics are there" in await stand.once("topics")
        await stand.once("policy")
        for name in ("audit", "archive"):
            assert stand.running[name].returncode is None, stand.said(name)
        names = stand.lasting()
        for name in names:
            limit = stand.containers[name].spec["deploy"]["resources"]["limits"]["memory"]
            used = stand.resident_bytes(name)
            print(f"{name}: {used / 1024**2:.0f} MB of {limit}")
            assert used < int(limit[:-1]) * {"M": 1024**2, "G": 1024**3}[limit[-1]] / 2, name
        codes = await asyncio.gather(*(stand.stop(name) for name in names))
        # The command line says 130 when it was told to stop.
        assert dict(zip(names, codes, strict=True)) == {**dict.fromkeys(names, 0), "audit": 130, "archive": 130}
