"""Drawing a free port."""

from __future__ import annotations

import random
import socket
import subprocess
import sys

import pytest

from deploy import ports
from deploy.ports import HOST, free_port, is_free

SEED = 7


def drawn() -> int:
    return free_port(random.Random(SEED))


def test_no_port_is_given_twice() -> None:
    assert len({drawn() for _ in range(20)}) == 20


def test_no_port_is_given_to_two_processes() -> None:
    code = f"import random; from deploy.ports import free_port; print(free_port(random.Random({SEED})))"
    ours = drawn()
    theirs = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(theirs.stdout) != ours


def test_whoever_has_drawn_it_can_listen_on_it() -> None:
    port = free_port()
    with socket.create_server((HOST, port)):
        assert not is_free(port)


def test_claims_are_let_go_of_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_MOST_CLAIMS", 0)
    free_port()
    assert drawn() == drawn()
