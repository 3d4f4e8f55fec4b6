"""The platform over HTTP: `PUT` and `GET /v1/targets/{target}` with a `WantedState`."""

import asyncio
import time
from urllib.parse import quote

import httpx
from pydantic import SecretStr, ValidationError

from schemas.channels import WantedState
from services.channel_control import metrics
from services.channel_control.reconcile import CONFLICT, Answer, Call, Seen, Trouble, idempotency_key

MAX_ANSWER_BYTES = 64 * 1024


class Platform:
    """A client of one platform. Every call ends within the deadline, and with an answer or a Trouble."""

    def __init__(self, url: str, token: SecretStr | None, deadline_s: float) -> None:
        self._url = url
        self._headers = {} if token is None else {"Authorization": f"Bearer {token.get_secret_value()}"}
        self._deadline_s = deadline_s
        self._client: httpx.AsyncClient | None = None

    async def open(self) -> None:
        """Makes ready to call; connections are made when they are needed."""
        self._client = httpx.AsyncClient(
            headers=self._headers,
            timeout=self._deadline_s,
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
        )

    async def close(self) -> None:
        """Gives the connections up."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def call(self, call: Call, wanted: WantedState) -> Answer:
        """Asks for the target, or puts what is wanted of it."""
        began = time.perf_counter()
        answer = await self._answer(call, wanted)
        metrics.CALL_SECONDS.observe(time.perf_counter() - began)
        metrics.CALLS.labels(call, answer.kind if isinstance(answer, Trouble) else "ok").inc()
        metrics.PLATFORM_UP.set(isinstance(answer, Seen) or answer.kind == CONFLICT)
        return answer

    async def _answer(self, call: Call, wanted: WantedState) -> Answer:
        try:
            # One deadline for the whole: httpx's own are for each read, and a slow drip would meet them all.
            async with asyncio.timeout(self._deadline_s):
                status, headers, body = await self._exchange(call, wanted)
        except TimeoutError:
            return Trouble("timeout", f"the platform did not answer within {self._deadline_s:g} s")
        except httpx.TransportError as error:
            return Trouble("unreachable", f"the platform cannot be reached ({type(error).__name__})")
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            return Trouble("bad_answer", f"the platform's answer cannot be understood ({type(error).__name__})")
        return _meaning(call, status, headers, body)

    async def _exchange(self, call: Call, wanted: WantedState) -> tuple[int, httpx.Headers, bytes]:
        if self._client is None:
            raise RuntimeError("the platform's client is not open")
        url = f"{self._url}/v1/targets/{quote(wanted.target, safe='')}"
        if call == "ask":
            request = self._client.build_request("GET", url)
        else:
            headers = {"Content-Type": "application/json", "Idempotency-Key": idempotency_key(wanted)}
            request = self._client.build_request("PUT", url, content=wanted.model_dump_json(), headers=headers)
        response = await self._client.send(request, stream=True)
        try:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    break
            return response.status_code, response.headers, bytes(body)
        finally:
            await response.aclose()


def _meaning(call: Call, status: int, headers: httpx.Headers, body: bytes) -> Answer:
    if call == "ask" and status == 404:
        return Seen(None)
    if call == "put" and status == 409:
        return Trouble(CONFLICT, "the platform says that it has a newer generation (409)")
    if not 200 <= status < 300:
        return Trouble(f"http_{status}", f"the platform answered {status}", _retry_after(headers))
    if call == "put":
        return Seen(None)  # what it kept is read back in any case
    try:
        return Seen(WantedState.model_validate_json(body))
    except ValidationError:
        return Trouble("bad_answer", "the platform's answer is not a target's state")


def _retry_after(headers: httpx.Headers) -> float:
    """The seconds of Retry-After. Its other form, a date, needs both clocks to agree and is left to the back-off."""
    value = headers.get("retry-after", "")
    return float(value) if value.isascii() and value.isdigit() and len(value) < 8 else 0.0
