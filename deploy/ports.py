"""Free TCP ports on this machine that stay free while their owner restarts."""

from __future__ import annotations

import random
import socket

HOST = "127.0.0.1"
# Below every system's range for outgoing connections. A port from that range could be taken by a client while its
# owner restarts; worse, a client that keeps trying to reach it on loopback can end up connected to itself.
_RANGE = range(20_000, 32_000)
_TRIES = 200


def is_free(port: int, host: str = HOST) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def free_port(rng: random.Random | None = None) -> int:
    """Some free port of loopback; raises OSError when there is none to be found."""
    rng = rng or random.Random()
    for _ in range(_TRIES):
        port = rng.choice(_RANGE)
        if is_free(port):
            return port
    raise OSError(f"no free port between {_RANGE.start} and {_RANGE.stop}")
