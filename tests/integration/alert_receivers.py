"""Stand-ins for the receivers of alerts, on real sockets, and a deliverer with messages for them."""

import asyncio
import contextlib
import ssl
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from schemas.alerts import AlertFact, AlertState
from schemas.base import from_ms
from services.alerting.receivers.receiver import Receiver
from services.alerting.sending.deliverer_io import Deliverer
from services.alerting.sending.delivery import Patience
from services.alerting.sending.lines_io import Lines
from services.alerting.sending.linking import Linker
from services.alerting.telling import Due
from services.runtime.health import Health
from services.runtime.http.http_io import listen, serving
from tests.certificates import self_signed
from tests.integration.alerting_bench import HASTE
from tests.unit.alerting.receivers.samples import alert, notice

KEY = b"a key of the tests, and of nobody else"


@dataclass
class Taken:
    """One request: what came, and when."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    at: float
    method: str


@dataclass
class World:
    """A web server that takes everything. `answers`: what it says, by path; the last one stays."""

    url: str = ""
    taken: list[Taken] = field(default_factory=list)
    answers: dict[str, deque[tuple[int, str]]] = field(default_factory=dict)

    def says(self, path: str, *answers: tuple[int, str]) -> None:
        """What is answered at this path from now on."""
        self.answers[path] = deque(answers)

    def at(self, path: str) -> list[Taken]:
        """What came there."""
        return [one for one in self.taken if one.path == path]

    async def take(self, request: Request) -> Response:
        """Any request."""
        path = request.url.path
        query, headers = dict(request.query_params), dict(request.headers)
        self.taken.append(Taken(path, query, headers, await request.body(), time.monotonic(), request.method))
        waiting = self.answers.get(path, deque([(200, '{"code":0,"errcode":0}')]))
        status, body = waiting.popleft() if len(waiting) > 1 else waiting[0]
        return PlainTextResponse(body, status)


@contextlib.asynccontextmanager
async def world() -> AsyncIterator[World]:
    """The server for the length of a `with` block."""
    there = World()
    app = Starlette(routes=[Route("/{rest:path}", there.take, methods=["POST", "GET"])])
    async with serving(app, listen("127.0.0.1", 0, "test")) as server:
        there.url = f"http://127.0.0.1:{server.port}"
        yield there


@dataclass
class Post:
    """A mail server that wants STARTTLS and a password. `refuses`: mailboxes it does not take. `says`: of a mail."""

    port: int = 0
    password: str = "password-of-the-mailbox"
    ca_file: str = ""
    refuses: set[str] = field(default_factory=set)
    says: bytes = b"250 2.0.0 taken"
    taken: list[Envelope] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Envelope, address: str, options: Any
    ) -> str:
        if address in self.refuses:
            return "550 5.1.1 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> bytes:  # noqa: N802
        self.taken.append(envelope)
        return self.says

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password == self.password.encode(), handled=False)


@contextlib.asynccontextmanager
async def post(folder: Path) -> AsyncIterator[Post]:
    """The mail server for the length of a `with` block."""
    certificate, key = self_signed("127.0.0.1")
    (folder / "mail.pem").write_bytes(certificate)
    (folder / "mail.key").write_bytes(key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "mail.pem", folder / "mail.key")
    there = Post(ca_file=str(folder / "mail.pem"))

    def session() -> SMTP:
        return SMTP(
            there,
            hostname="localhost",
            tls_context=context,
            require_starttls=True,
            auth_required=True,
            authenticator=there.authenticate,
        )

    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0)
    there.port = server.sockets[0].getsockname()[1]
    try:
        yield there
    finally:
        server.close()
        await server.wait_closed()


@dataclass
class Desk:
    """A machine that has just these messages due, and the log that it is told on how they ended."""

    due: list[Due]
    next_offset: int = 0
    reports: list[AlertFact] = field(default_factory=list)
    kick: Any = None

    def heads(self) -> Iterable[Due]:
        first: dict[tuple[str, str], Due] = {}
        for one in self.due:
            first.setdefault((one.alert_id, one.receiver), one)
        return list(first.values())

    def waiting(self) -> int:
        return len(self.due)

    def whole(self, alert_ids: Iterable[str]) -> Iterable[AlertState]:
        """None: each of the messages names all of its alerts."""
        return ()

    async def end(self, partition: int) -> int:
        return 0

    async def report(self, partition: int, key: bytes, value: bytes) -> None:
        fact = AlertFact.model_validate_json(value)
        self.reports.append(fact)
        self.due = [one for one in self.due if fact.delivery and one.webhook_id != fact.delivery.webhook_id]
        self.kick(0)

    async def close(self) -> None:
        """There is nothing to close."""

    def outcomes(self) -> list[tuple[str, str | None]]:
        """How each message ended, and why."""
        return [(one.delivery.outcome, one.delivery.error) for one in self.reports if one.delivery]


def due(number: int, receiver: str, **words: Any) -> Due:
    """A message about an alert of its own."""
    told = notice(alert(alert_id=f"{number:032x}", **words))
    now_ms = int(time.time() * 1000)
    update = {"webhook_id": f"{number + 1000:032x}", "receiver": receiver, "decided_ms": now_ms}
    body = told.message.model_copy(update={"timestamp": from_ms(now_ms)}).model_dump_json()
    return told.due.model_copy(update={**update, "body": body})


@contextlib.asynccontextmanager
async def delivering(
    desk: Desk, receivers: Iterable[Receiver], *, patience: Patience = HASTE, linker: Linker | None = None
) -> AsyncIterator[tuple[Lines, Health]]:
    """A deliverer at work for the length of a `with` block."""
    health = Health()
    lines = Lines(receivers, parallel=8, timeout_s=5.0, linker=linker)
    deliverer = Deliverer(lines, desk, patience=patience, health=health.part("receiver"))
    desk.kick = deliverer.kick
    await deliverer.start(0, desk)
    try:
        yield lines, health
    finally:
        await deliverer.stop(0)
