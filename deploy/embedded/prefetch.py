"""Have everything at hand that the broker needs: `python -m deploy.embedded.prefetch` (part of `make setup`)."""

from __future__ import annotations

import sys

from deploy.embedded.jars import JarError, ensure_locked


def main() -> int:
    """1 when a jar could not be had."""
    try:
        ensure_locked()
    except JarError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
