"""The whole system on this machine: broker, topics, policy and every service, started and ended in order."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from deploy.embedded.broker import Broker, BrokerError
from deploy.embedded.jars import JarError
from deploy.folder_lock import FolderInUseError, FolderLock
from deploy.launcher import words
from deploy.launcher.backoff import Backoff
from deploy.launcher.processes import BrokerProcess, PythonProcess, Say
from deploy.launcher.readiness import wait_until_ready
from deploy.launcher.secrets import Secrets, make_secrets
from deploy.launcher.supervisor import StartError, Supervisor
from deploy.launcher.table import Service, Stage, environment
from deploy.lifeline import Lifeline
from deploy.ports import HOST, free_port, is_free

SERVICES_GRACE_S = 5.0
BROKER_GRACE_S = 3.0

Table = Callable[[Secrets], Sequence[Service]]


@dataclass(frozen=True, slots=True)
class Options:
    """How a system is to run.

    home: folder of the broker's data, logs, secrets and run.json; one system at a time.
    kafka: another cluster, `host:port,…`; None starts the embedded broker.
    env: the environment of every process (TIDEGATE_PREFIX, TIDEGATE_CLOCK …), TIDEGATE_KAFKA is added.
    prepare: commands (after `python -m`) that must succeed before the services start.
    """

    home: Path
    kafka: str | None = None
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    prepare: Sequence[tuple[str, ...]] = ()
    broker_port: int = 0
    backoff: Backoff = field(default_factory=Backoff)


class System:
    """A running system: `async with System(options, table, say) as system: …`, ready inside the block.

    Made for `make run` and for tests: `pid`, `kill`, `freeze`, `thaw`, `take_down` and `bring_up` take the name of a
    service, or `broker`.
    """

    def __init__(self, options: Options, table: Table, say: Say) -> None:
        self.options = options
        self.home = options.home.resolve()
        self.secrets = Secrets(self.home / "secrets")
        self.services: dict[str, Service] = {}
        self._table = table
        self._say = say
        self._lock = FolderLock(self.home)
        self._lifeline = Lifeline()
        self._supervisors: dict[str, Supervisor] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._failure: asyncio.Future[None] | None = None
        self._broker: Broker | None = None
        self._preparing: PythonProcess | None = None

    # -- what tests and people ask for

    @property
    def kafka(self) -> str:
        """`host:port,…` of the cluster."""
        return self.options.kafka or (self._broker.bootstrap if self._broker is not None else "")

    def url(self, name: str) -> str:
        """Of a service's HTTP."""
        return f"http://{HOST}:{self.services[name].port}"

    def pid(self, name: str) -> int | None:
        """None while it does not run."""
        return self._supervisors[name].process.pid

    def restarts(self, name: str) -> int:
        """How often it was started again."""
        return self._supervisors[name].restarts

    def kill(self, name: str) -> None:
        """SIGKILL; it is started again."""
        self._supervisors[name].signal(signal.SIGKILL)

    def freeze(self, name: str) -> None:
        """SIGSTOP, until `thaw`."""
        self._supervisors[name].signal(signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        self._supervisors[name].signal(signal.SIGCONT)

    async def take_down(self, name: str) -> None:
        """End it cleanly and leave it down until `bring_up`."""
        await self._supervisors[name].take_down(SERVICES_GRACE_S)

    def bring_up(self, name: str) -> None:
        self._supervisors[name].bring_up()

    async def ready(self, name: str, timeout_s: float = 60.0) -> None:
        """Wait until a service says that it is ready, or the embedded broker serves; TimeoutError."""
        if name == "broker" and self._broker is not None:
            await asyncio.to_thread(self._broker.wait_until_serving, timeout_s)
            return
        async with asyncio.timeout(timeout_s):
            await wait_until_ready([self.services[name]], self._say, self._proven)

    # -- life

    async def start(self) -> None:
        """Returns when everything is ready. Raises StartError, and must be followed by `stop` all the same."""
        self._failure = asyncio.get_running_loop().create_future()
        try:
            self._lock.acquire()
        except FolderInUseError as error:
            raise StartError(f"{error}; give the second one another folder (TIDEGATE_LAUNCHER_HOME)", 2) from error
        self.secrets = make_secrets(self.home / "secrets")
        self.services = {service.name: service for service in self._with_ports(self._table(self.secrets))}
        await self._or_failure(self._start_all())

    async def failed(self) -> None:
        """Waits until the system cannot go on, and raises the StartError that says why."""
        if self._failure is not None:
            await asyncio.shield(self._failure)

    async def stop(self) -> None:
        """Services first, then the broker; within nine seconds, then by force."""
        if self._preparing is not None:
            await self._preparing.stop(1.0)
        broker = self._supervisors.pop("broker", None)
        await asyncio.gather(*(each.stop(SERVICES_GRACE_S) for each in self._supervisors.values()))
        if broker is not None:
            await broker.stop(BROKER_GRACE_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._lifeline.close()
        if self._lock.held:  # else it is somebody else's system that lives in this folder
            (self.home / "run.json").unlink(missing_ok=True)
            self._lock.release()

    async def __aenter__(self) -> System:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    # -- the steps of a start

    async def _start_all(self) -> None:
        for service in self._of(Stage.ALONE):
            self._supervise(service)
        if self.options.kafka is None:
            await self._start_broker()
        for command in self.options.prepare:
            await self._prepare(command)
        for stage in (Stage.SERVICE, Stage.TRAFFIC):
            for service in self._of(stage):
                self._supervise(service)
            up_to_now = [service for service in self.services.values() if service.stage <= stage]
            await wait_until_ready(up_to_now, self._say, self._proven)

    async def _start_broker(self) -> None:
        self._say("starting Apache Kafka")
        self._broker = Broker(
            self.home / "kafka", self.options.broker_port, lifeline=self._lifeline, say=lambda line: self._say(line)
        )
        process = BrokerProcess(self._broker)
        supervisor = self._add(Supervisor(process, self._say, self.options.backoff))
        try:
            await process.start()
        except (BrokerError, JarError, OSError) as error:
            raise StartError(str(error)) from error
        supervisor.adopt()
        self._run(supervisor)

    async def _prepare(self, command: tuple[str, ...]) -> None:
        name = " ".join(word for word in command if "/" not in word)
        log_file = self.home / "logs" / "prepare.log"
        env = {**self.options.env, "TIDEGATE_KAFKA": self.kafka}
        process = PythonProcess(name, command, env, log_file, self._lifeline, self._say, words.plain)
        self._preparing = process
        await process.start()
        code = await process.wait()
        self._preparing = None
        if code != 0:
            raise StartError(f"{name} {words.ending(code)}", words.BAD_SETTINGS if code == words.BAD_SETTINGS else 1)

    def _supervise(self, service: Service) -> None:
        env = environment(self.options.env, service, self.kafka)
        log_file = self.home / "logs" / f"{service.name}.log"
        process = PythonProcess(service.name, service.arguments, env, log_file, self._lifeline, self._say)
        self._run(self._add(Supervisor(process, self._say, self.options.backoff)))

    def _add(self, supervisor: Supervisor) -> Supervisor:
        supervisor.on_start = self._write_run_file
        self._supervisors[supervisor.name] = supervisor
        return supervisor

    def _run(self, supervisor: Supervisor) -> None:
        task = asyncio.create_task(supervisor.run(), name=supervisor.name)
        task.add_done_callback(self._note_failure)
        self._tasks.append(task)

    # -- helpers

    def _of(self, stage: Stage) -> list[Service]:
        return [service for service in self.services.values() if service.stage == stage]

    def _proven(self, name: str) -> None:
        self._supervisors[name].proven()

    def _with_ports(self, table: Sequence[Service]) -> list[Service]:
        taken = [service for service in table if service.port and not is_free(service.port)]
        if taken:
            lines = [f"{HOST}:{s.port} is in use; set {s.port_variable} to another port" for s in taken]
            raise StartError("\n".join(lines), 2)
        return [
            replace(service, port=free_port()) if service.port_variable and not service.port else service
            for service in table
        ]

    def _note_failure(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and self._failure is not None and not self._failure.done():
            self._failure.set_exception(error)
            self._failure.exception()  # seen: nobody needs to be told that it was never awaited

    async def _or_failure(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        failed = asyncio.create_task(self.failed())
        try:
            await asyncio.wait({task, failed}, return_when=asyncio.FIRST_COMPLETED)
            if failed.done():
                await failed
            await task
        finally:
            for each in (task, failed):
                each.cancel()
                with contextlib.suppress(asyncio.CancelledError, StartError):
                    await each

    def _write_run_file(self) -> None:
        """For tools: where everything is. Written anew whenever a process starts."""
        document = {
            "launcher": os.getpid(),
            "kafka": self.kafka,
            "processes": {
                name: {
                    "pid": supervisor.process.pid,
                    "url": self.url(name) if name in self.services and self.services[name].port else None,
                }
                for name, supervisor in self._supervisors.items()
            },
        }
        half = self.home / "run.json.new"
        half.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        half.replace(self.home / "run.json")
