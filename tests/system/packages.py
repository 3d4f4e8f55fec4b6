"""`python -m tests.system.packages`: installs what the system tests run, from Debian's packages, where that is allowed.

It is where we are root and apt-get is there. Elsewhere the tests whose program is missing are skipped, and say so.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

WANTED: Final = {
    "prometheus-alertmanager": "prometheus-alertmanager",
    "prometheus": "prometheus",
    "chromium": "chromium",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc": "fonts-noto-cjk",
}
"""Program, or a file that would be there, and its package."""
PATIENCE_S: Final = 240
"""For each step; a mirror that does not answer must not hold up the rest."""


def missing() -> list[str]:
    """The packages whose programs are not there."""
    return [package for sign, package in WANTED.items() if shutil.which(sign) is None and not Path(sign).is_file()]


def main() -> int:
    """0 also where nothing can be installed."""
    packages, apt = missing(), shutil.which("apt-get")
    if not packages:
        return 0
    if os.geteuid() != 0 or apt is None:
        print(f"not installed, and not ours to install: {', '.join(packages)}", file=sys.stderr)
        return 0
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}  # 1: starts no service
    try:
        for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
            subprocess.run([apt, *command], env=quiet, check=False, stdout=subprocess.DEVNULL, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired as error:
        print(f"{' '.join(error.cmd)} took longer than {PATIENCE_S} s", file=sys.stderr)
    if still := missing():
        print(f"could not be installed: {', '.join(still)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
