"""The broker's disk is full in the middle of traffic, then has room again: nothing that was accepted is lost, nothing
is doubled, and everything goes on by itself. The disk is a small tmpfs, which only root can mount."""

import asyncio
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest

from deploy.launcher.standard import standard_system
from deploy.launcher.system import System
from deploy.launcher.table import StandIns
from services.cli.proof.verify_io import read_commands
from services.cli.settings import CliSettings
from tests.integration.test_rolling_restart import COMPLAINTS, batch, until_paused
from tests.support.command_line import tidegate

SIZE: Final = "256m"
MOUNT, UNMOUNT = shutil.which("mount"), shutil.which("umount")
pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(MOUNT is None or os.geteuid() != 0, reason="only root can mount a tmpfs"),
    pytest.mark.timeout(240),
]


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """The folder, as a disk of SIZE."""
    folder.mkdir(parents=True)
    done = subprocess.run([str(MOUNT), "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)], check=False)
    if done.returncode != 0:
        pytest.skip("a tmpfs cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run([str(UNMOUNT), str(folder)], check=True)


def fill(disk: Path) -> Path:
    """A file of somebody else's that takes all room that is left."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        while True:
            try:
                file.write(bytes(64 * 1024))
            except OSError:
                return filler


class Sender:
    """Sends as a good sender does, again what was not acknowledged."""

    def __init__(self) -> None:
        self.heard: Counter[int] = Counter()
        self.sent = 0
        self.stop = False

    async def run(self, running: System) -> None:
        headers = {"Authorization": f"Bearer {running.secrets.token('demo')}"}
        async with httpx.AsyncClient(base_url=running.url("gateway"), headers=headers, timeout=30) as client:
            number = 0
            while number <= COMPLAINTS or not self.stop:
                answer = await client.post("/v1/events", json=batch(number))
                self.heard[answer.status_code] += 1
                if answer.status_code == 202:
                    self.sent += len(batch(number))
                    number += 1
                await asyncio.sleep(0.2)

    async def hears(self, status: int, times: int) -> None:
        """Has been answered so, so many times more."""
        wanted = self.heard[status] + times
        async with asyncio.timeout(90):
            while self.heard[status] < wanted:  # noqa: ASYNC110 - the sender tells nobody
                await asyncio.sleep(0.1)


async def test_what_is_accepted_before_and_after_a_full_disk_is_judged_once(tmp_path: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
    home, sender = tmp_path / "home", Sender()
    system = standard_system(home, environ, lambda _: None, stand_ins=StandIns(traffic=False))
    with small_disk(home / "kafka") as disk:
        async with system as running:
            sending = asyncio.create_task(sender.run(running))
            await sender.hears(202, 5)
            filler = fill(disk)
            await sender.hears(503, 1)
            accepted = sender.heard[202]
            await sender.hears(503, 4)
            assert sender.heard == {202: accepted, 503: sender.heard[503]}
            assert running.restarts("broker") > 0, "it ends by itself"
            assert await answer_of(running, "/readyz") == 503
            filler.unlink()
            await sender.hears(202, 1)
            sender.stop = True
            await sending
            await assert_all_was_judged_once(running, sender.sent)


async def answer_of(running: System, path: str) -> int:
    async with httpx.AsyncClient() as client:
        return (await client.get(f"{running.url('gateway')}{path}")).status_code


async def assert_all_was_judged_once(running: System, sent: int) -> None:
    settings = CliSettings(kafka=running.kafka)
    code, said = await tidegate(settings, "ledger", "--brief", "--wait", "40")
    assert (code, "0 dead, 0 control: closed" in said) == (0, True), said
    assert re.findall(r"([\d,]+) valid", said) == [f"{sent:,}"]
    await until_paused(settings, "channel:douyin")
    commands = (await read_commands(settings)).commands.values()
    assert [each.target for each in commands if each.command == "pause"] == ["channel:douyin"]
