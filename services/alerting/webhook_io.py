"""One attempt to deliver one message: an HTTP POST, and what came back of it."""

import asyncio
import time

import httpx
from pydantic import SecretStr

from services.alerting import metrics
from services.alerting.delivery import Answer
from services.alerting.signing import headers
from services.alerting.telling import Due


class WebhookTarget:
    """A receiver of Standard Webhooks. Neither its address nor its secret nor what it answers in words gets out."""

    def __init__(self, url: SecretStr, secret: SecretStr, timeout_s: float) -> None:
        self._url = url
        self._secret = secret
        self._timeout_s = timeout_s
        self._client: httpx.AsyncClient | None = None

    async def open(self) -> None:
        """Get ready to send."""
        self._client = httpx.AsyncClient(follow_redirects=False, timeout=self._timeout_s)
        metrics.TARGET_UP.set(1)

    async def close(self) -> None:
        """Give up connections; `open` may follow."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def send(self, due: Due) -> Answer:
        """Try once. Never raises, whatever the receiver does; only cancelling it gets through."""
        began = time.perf_counter()
        answer = await self._answer(due)
        metrics.ATTEMPT_SECONDS.observe(time.perf_counter() - began)
        metrics.ATTEMPTS.labels("none" if answer.status is None else f"{answer.status // 100}xx").inc()
        metrics.TARGET_UP.set(answer.delivered)
        return answer

    async def _answer(self, due: Due) -> Answer:
        if self._client is None:
            raise RuntimeError("send before open")
        signed = headers(due, self._secret.get_secret_value(), time.time())
        try:
            # httpx limits each step; a receiver that answers a byte at a time would take for ever.
            async with (
                asyncio.timeout(self._timeout_s),
                self._client.stream(
                    "POST", self._url.get_secret_value(), content=due.body.encode(), headers=signed
                ) as response,
            ):
                # The body is not even read: it is of no use, may be endless, and may repeat what we sent.
                return Answer(response.status_code, retry_after=response.headers.get("retry-after"))
        except (TimeoutError, httpx.TimeoutException):
            return Answer(None, "no answer in time")
        except httpx.ConnectError:
            return Answer(None, "could not connect")
        except Exception as error:  # noqa: BLE001 - an error's own words may quote the address
            return Answer(None, f"failed with {type(error).__name__}")
