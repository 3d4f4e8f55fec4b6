"""The health check of a container."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from services.runtime.health import Health
from services.runtime.http.http_io import health_app, listen, serving
from services.runtime.http.probe_io import port
from services.runtime.http.tls import ServerCertificate
from tests.certificates import self_signed


@pytest.fixture
def answering() -> Iterator[tuple[int, list[int]]]:
    """A port, and the status that it answers with."""
    statuses = [200]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(statuses[-1] if self.path == "/readyz" else 404)
            self.end_headers()
            self.wfile.write(b'{"parts": {}}')

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port, statuses
    server.shutdown()
    thread.join()
    server.server_close()


def probe(at: int, **more: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "TIDEGATE_ALERTING_PORT": str(at), **more}
    command = [sys.executable, "-m", "services.runtime.http.probe_io"]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def test_it_says_what_the_service_says(answering: tuple[int, list[int]]) -> None:
    at, statuses = answering
    done = probe(at)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, '{"parts": {}}', "")
    statuses.append(503)
    assert probe(at).returncode == 1


async def test_a_service_with_a_certificate_is_asked_by_https(tmp_path: Path) -> None:
    files = (tmp_path / "cert.pem", tmp_path / "key.pem")
    for file, content in zip(files, self_signed("10.0.0.1"), strict=True):
        file.write_bytes(content)
    bound = listen("127.0.0.1", 0, "the test")
    async with serving(health_app(Health()), bound, certificate=ServerCertificate(*files)) as server:
        done = await asyncio.to_thread(probe, server.port, TIDEGATE_CONSOLE_TLS_CERT_FILE=str(files[0]))
    assert (done.stdout.strip(), done.stderr) == ('{"ok":false,"parts":{}}', "")


def test_nobody_there_is_not_ready() -> None:
    with socket.socket() as bound:  # bound, not listening: refused, and nobody else can come to listen there
        bound.bind(("127.0.0.1", 0))
        done = probe(bound.getsockname()[1])
    assert done.returncode == 1
    assert done.stdout.startswith("no answer")
    assert done.stderr == ""


def test_the_port_is_that_of_the_one_service() -> None:
    assert port({"TIDEGATE_INGEST_PORT": "8000", "TIDEGATE_KAFKA": "x:1", "TIDEGATE_GATEWAY_PORT": ""}) == 8000
    assert port({"TIDEGATE_DEMO_RECEIVER_PORT": "8002"}) == 8002
    for environ in ({}, {"TIDEGATE_INGEST_PORT": "1", "TIDEGATE_CONSOLE_PORT": "2"}):
        with pytest.raises(ValueError, match="TIDEGATE_…_PORT"):
            port(environ)
