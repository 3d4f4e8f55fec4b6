"""How a command that goes on for ever is ended."""

import signal
import subprocess
import sys
from pathlib import Path

from deploy.ports import free_port


def ignoring_ctrl_c() -> None:
    """As a shell begins what runs in its background."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def test_sigterm_ends_it_also_where_ctrl_c_is_ignored(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("k" * 32, "utf-8")
    command = [sys.executable, "-m", "services.cli", "archive", "--to", str(tmp_path / "there"), "--follow"]
    environ = {"TIDEGATE_KAFKA": f"127.0.0.1:{free_port()}", "TIDEGATE_INGEST_PSEUDONYM_KEY_FILE": str(key)}
    with subprocess.Popen(
        command, env=environ, stderr=subprocess.PIPE, text=True, preexec_fn=ignoring_ctrl_c
    ) as process:
        try:
            assert process.stderr is not None
            said = process.stderr.readline()  # it waits for its broker
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 130, said
        finally:
            process.kill()
