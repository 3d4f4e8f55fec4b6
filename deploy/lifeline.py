"""Children die with us, however we die.

Two ropes, because either can break. On Linux the kernel kills a child when its parent ends (PR_SET_PDEATHSIG). And
everywhere a small guard process holds the other end of a pipe: it is told every process group that we start, and when
the pipe closes, be it by SIGKILL, it kills those groups, grandchildren included.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from types import TracebackType

# The guard imports nothing heavy and is started with `-S -E`: 10 ms and 8 MB. It is a session of its own, so that a
# Ctrl-C in the terminal does not end it before us. After the pipe's end it kills what is still listed.
_GUARD = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
groups = set()
for line in sys.stdin:
    (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
for group in groups:
    try:
        os.killpg(group, signal.SIGKILL)
    except OSError:
        pass
"""


# What a child on Linux runs first: ask the kernel, see that the parent has not died before that, become the real thing.
# Not a `preexec_fn`: Python code between fork and exec can hang when the parent has threads, and 3.12 warns of it.
_TIE = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
if os.getppid() == int(sys.argv[1]):
    os.execvp(sys.argv[2], sys.argv[2:])
"""


def tied(command: Sequence[str]) -> list[str]:
    """The command, made such that the kernel kills it when this process ends; as it is where that cannot be had.

    The kernel's rule speaks of the thread that forked, so only the main thread may use it.
    """
    if not sys.platform.startswith("linux") or threading.current_thread() is not threading.main_thread():
        return list(command)
    return [sys.executable, "-S", "-E", "-c", _TIE, str(os.getpid()), *command]


class Lifeline:
    """The guard process and the pipe to it. Each process started with a session of its own is `watch`ed by its pid."""

    def __init__(self) -> None:
        self._groups: set[int] = set()
        self._guard: subprocess.Popen[bytes] | None = None

    def watch(self, pid: int) -> None:
        """Kill the process group `pid` when this process ends, unless it is released before."""
        self._groups.add(pid)
        self._tell(f"+{pid}\n")

    def release(self, pid: int) -> None:
        """Forget a group that has ended: its number may come to belong to somebody else."""
        if pid in self._groups:
            self._groups.discard(pid)
            self._tell(f"-{pid}\n")

    def close(self) -> None:
        """End the guard; whatever is still watched is killed by it."""
        if self._guard is not None and self._guard.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._guard.stdin.close()
            self._guard.wait()
        self._guard = None
        self._groups.clear()

    def __enter__(self) -> Lifeline:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _tell(self, line: str) -> None:
        if self._guard is None or self._guard.poll() is not None:
            self._guard = self._start()
            line = "".join(f"+{group}\n" for group in sorted(self._groups))
        pipe = self._guard.stdin
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):  # the guard was killed this moment: the next call starts another
                pipe.write(line.encode())
                pipe.flush()

    @staticmethod
    def _start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-S", "-E", "-c", _GUARD], stdin=subprocess.PIPE, start_new_session=True
        )
