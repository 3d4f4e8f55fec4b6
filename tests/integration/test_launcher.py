"""The launcher with small stand-ins for services: restarts, clean ends, and nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deploy.launcher.supervisor import StartError
from deploy.launcher.system import Options, System
from deploy.ports import free_port
from tests.support.small_launcher import row
from tests.support.waiting import eventually, is_alive

ELSEWHERE = "127.0.0.1:9"  # a cluster that these tests never talk to


@contextlib.asynccontextmanager
async def launched(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.small_launcher",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def read_until(process: asyncio.subprocess.Process, text: str) -> str:
    assert process.stdout is not None
    read = ""
    async with asyncio.timeout(60):
        while text not in read:
            line = await process.stdout.readline()
            assert line, f"ended without {text!r}:\n{read}"
            read += line.decode()
    return read


async def rest(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.read()).decode()


def run_file(home: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((home / "run.json").read_text(encoding="utf-8"))
    return document


def pids(home: Path) -> list[int]:
    return [entry["pid"] for entry in run_file(home)["processes"].values()]


async def test_a_child_that_dies_is_started_again_and_people_are_told(tmp_path: Path) -> None:
    said: list[str] = []
    async with System(Options(tmp_path, ELSEWHERE), lambda _: [row("ingest"), row("console")], said.append) as system:
        before, console = system.pid("ingest"), system.pid("console")
        assert before is not None
        system.kill("ingest")
        await eventually(lambda: system.pid("ingest") not in (None, before), "another ingest")
        await system.ready("ingest")
        assert run_file(tmp_path)["processes"]["ingest"]["pid"] == system.pid("ingest")
        assert system.pid("console") == console
        assert system.restarts("ingest") == 1
    assert "ingest was killed by SIGKILL" in said
    assert "ingest is started again in 0.1 s" in said
    assert "ingest: a stand-in is up" in said  # logged as an error, so that people see it
    assert "a stand-in is up" in (tmp_path / "logs" / "ingest.log").read_text(encoding="utf-8")


async def test_what_is_taken_down_stays_down_until_it_is_brought_up(tmp_path: Path) -> None:
    async with System(Options(tmp_path, ELSEWHERE), lambda _: [row("ingest")], lambda _: None) as system:
        await system.take_down("ingest")
        assert system.pid("ingest") is None
        system.bring_up("ingest")
        await system.ready("ingest")
        assert system.pid("ingest") is not None


async def test_a_broker_that_dies_comes_back_at_the_same_address(tmp_path: Path) -> None:
    async with System(Options(tmp_path), lambda _: [row("ingest")], lambda _: None) as system:
        address, before = system.kafka, system.pid("broker")
        assert before is not None
        system.kill("broker")
        await eventually(lambda: system.pid("broker") not in (None, before), "another broker")
        await system.ready("broker")
        assert system.kafka == address


async def test_a_frozen_child_ends_with_the_system(tmp_path: Path) -> None:
    async with System(Options(tmp_path, ELSEWHERE), lambda _: [row("ingest")], lambda _: None) as system:
        pid = system.pid("ingest")
        assert pid is not None
        system.freeze("ingest")
    assert not is_alive(pid)


async def test_bad_settings_of_a_service_end_the_start_with_its_words(tmp_path: Path) -> None:
    table = [row("ingest"), row("console", "--refuse")]
    with pytest.raises(StartError, match=r"console refuses to start:\n.*\n.*COLOUR: is required") as caught:
        async with System(Options(tmp_path, ELSEWHERE), lambda _: table, lambda _: None):
            pass
    assert caught.value.code == 2
    assert not (tmp_path / "run.json").exists()


async def test_sigkill_of_the_launcher_leaves_no_process(tmp_path: Path) -> None:
    note = tmp_path / "grandchild"
    async with launched(str(tmp_path / "home"), "--grandchild", str(note)) as launcher:
        await read_until(launcher, "Ctrl-C ends everything")
        left = [*pids(tmp_path / "home"), int(note.read_text(encoding="utf-8"))]
        assert len(left) == 4  # broker, gateway, console, grandchild
        assert all(map(is_alive, left))
        launcher.kill()
        await eventually(lambda: not any(map(is_alive, left)), "all processes ended")


@pytest.mark.parametrize(("number", "flags"), [(signal.SIGINT, []), (signal.SIGTERM, ["--stubborn"])])
async def test_a_signal_ends_everything_within_ten_seconds(
    tmp_path: Path, number: signal.Signals, flags: list[str]
) -> None:
    note = tmp_path / "grandchild"
    async with launched(str(tmp_path / "home"), *flags, "--grandchild", str(note)) as launcher:
        await read_until(launcher, "Ctrl-C ends everything")
        left = [*pids(tmp_path / "home"), int(note.read_text(encoding="utf-8"))]
        launcher.send_signal(number)
        async with asyncio.timeout(10):
            said = await rest(launcher)
            code = await launcher.wait()
        assert code == 0, said
        assert ("console did not end within" in said) is ("--stubborn" in flags)
        assert not any(map(is_alive, left))


async def test_ctrl_c_in_the_middle_of_a_start_ends_it(tmp_path: Path) -> None:
    async with launched(str(tmp_path / "home")) as launcher:
        await read_until(launcher, "starting Apache Kafka")
        launcher.send_signal(signal.SIGINT)
        async with asyncio.timeout(10):
            await rest(launcher)
            assert await launcher.wait() == 0


async def test_two_launchers_on_one_folder(tmp_path: Path) -> None:
    home = str(tmp_path / "home")
    async with launched(home, "--kafka", ELSEWHERE) as first:
        await read_until(first, "Ctrl-C ends everything")
        async with launched(home, "--kafka", ELSEWHERE) as second:
            said = await rest(second)
            assert await second.wait() == 2
            assert f"in use by process {first.pid}" in said
        assert all(map(is_alive, pids(tmp_path / "home")))


async def test_two_launchers_on_one_port(tmp_path: Path) -> None:
    port = str(free_port())
    async with launched(str(tmp_path / "a"), "--kafka", ELSEWHERE, "--port", port) as first:
        await read_until(first, "Ctrl-C ends everything")
        async with launched(str(tmp_path / "b"), "--kafka", ELSEWHERE, "--port", port) as second:
            said = await rest(second)
            assert await second.wait() == 2
            assert f"127.0.0.1:{port} is in use; set TIDEGATE_STANDIN_PORT" in said


async def test_the_launcher_ends_with_its_parent_when_asked_to(tmp_path: Path) -> None:
    script = "import subprocess, sys; subprocess.run([sys.executable, '-m', *sys.argv[1:]])"
    arguments = ["tests.support.small_launcher", str(tmp_path), "--kafka", ELSEWHERE, "--with-parent"]
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, *arguments, stdout=asyncio.subprocess.PIPE
    )
    await read_until(parent, "Ctrl-C ends everything")
    left = [run_file(tmp_path)["launcher"], *pids(tmp_path)]
    assert all(map(is_alive, left))
    parent.kill()
    await eventually(lambda: not any(map(is_alive, left)), "the launcher and its children ended")
    await parent.communicate()


async def test_the_guard_alone_kills_a_whole_group(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    script = (
        "import subprocess, sys, time; from deploy.lifeline import Lifeline\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)\n"
        "Lifeline().watch(child.pid); open(sys.argv[1], 'w').write(str(child.pid)); time.sleep(600)"
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", script, str(note), env=dict(os.environ))
    await eventually(lambda: note.exists() and note.read_text(encoding="utf-8") != "", "the child's pid")
    pid = int(note.read_text(encoding="utf-8"))
    parent.kill()
    await parent.wait()
    await eventually(lambda: not is_alive(pid), "the child ended")
