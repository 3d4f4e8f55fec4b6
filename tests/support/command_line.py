"""The command line as a process."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from services.runtime.settings import CommonSettings

ROOT = Path(__file__).parents[2]


async def tidegate(settings: CommonSettings, *arguments: str, **more: str) -> tuple[int, str]:
    """Runs `tidegate …` on the cluster of these settings: its exit code, and what it said. more: of its environment."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
    environ |= {"TIDEGATE_KAFKA": settings.kafka, "TIDEGATE_PREFIX": settings.prefix} | more
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.cli", *arguments,
        cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, output.decode().strip()
