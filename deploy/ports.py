"""Free TCP ports on this machine that stay free while their owner restarts."""

from __future__ import annotations

import atexit
import random
import socket
from collections import deque
from typing import Final

HOST = "127.0.0.1"
# Below every system's range for outgoing connections. A port from that range could be taken by a client while its
# owner restarts; worse, a client that keeps trying to reach it on loopback can end up connected to itself.
_RANGE = range(20_000, 32_000)
_TRIES = 200
# Between drawing a port and listening on it lie seconds, in which nobody else may draw it. Who draws one holds the UDP
# port of the same number, which nothing of ours uses: the system lets go of it whatever becomes of the process.
_claims: Final[deque[socket.socket]] = deque()
_MOST_CLAIMS = 128


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
    """A free port of loopback that no other call gives, in any process; raises OSError when there is none."""
    rng = rng or random.Random()
    for _ in range(_TRIES):
        port = rng.choice(_RANGE)
        if is_free(port) and _claim(port):
            return port
    raise OSError(f"no free port between {_RANGE.start} and {_RANGE.stop}")


def _claim(port: int) -> bool:
    claim = socket.socket(type=socket.SOCK_DGRAM)
    try:
        claim.bind((HOST, port))
    except OSError:
        claim.close()
        return False
    _claims.append(claim)
    while len(_claims) > _MOST_CLAIMS:
        _claims.popleft().close()
    return True


@atexit.register
def _let_go() -> None:
    while _claims:
        _claims.pop().close()
