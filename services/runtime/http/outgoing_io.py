"""Sends requests and mail, each once and within a deadline."""

import asyncio
import contextlib
import logging
from typing import Final

import aiosmtplib
import httpx

from services.runtime.http.outgoing import Mail, Reply, Request

log = logging.getLogger(__name__)

MAX_BODY: Final = 4096
"""Bytes that are read of an answer, which may be endless."""


class Outbox:
    """A client that never raises, whatever the other side does; only cancelling gets through."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._client: httpx.AsyncClient | None = None

    async def open(self) -> None:
        """Gets ready to send; connections are made when they are needed."""
        self._client = httpx.AsyncClient(follow_redirects=False, timeout=self._timeout_s)

    async def close(self) -> None:
        """Gives up connections; `open` may follow."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def send(self, what: Request | Mail) -> Reply:
        """Tries once."""
        try:
            # httpx limits each step; a receiver that answers a byte at a time would take for ever.
            async with asyncio.timeout(self._timeout_s):
                return await (self._request(what) if isinstance(what, Request) else self._mail(what))
        except (TimeoutError, httpx.TimeoutException):
            return Reply(None, "no answer in time", problem_zh="未及时应答")
        except (httpx.ConnectError, aiosmtplib.SMTPConnectError, aiosmtplib.SMTPServerDisconnected):
            return Reply(None, "could not connect", problem_zh="无法连接")
        except Exception as error:  # noqa: BLE001 - an error's own words may quote the address
            name = type(error).__name__
            return Reply(None, f"failed with {name}", problem_zh=f"出错：{name}")

    async def _request(self, request: Request) -> Reply:
        if self._client is None:
            raise RuntimeError("send before open")
        async with self._client.stream(
            request.method, request.url, content=request.body, headers=request.headers
        ) as response:
            body = bytearray()
            with contextlib.suppress(httpx.DecodingError, httpx.TransportError):  # the status is known by then
                async for chunk in response.aiter_bytes(MAX_BODY):
                    body += chunk
                    if len(body) >= MAX_BODY:
                        break
            return Reply(
                response.status_code, retry_after=response.headers.get("retry-after"), body=bytes(body[:MAX_BODY])
            )

    async def _mail(self, mail: Mail) -> Reply:
        """One mailbox that takes it is enough: another attempt would tell those twice that have it."""
        server = mail.server
        try:
            refused, words = await aiosmtplib.send(
                mail.body,
                sender=mail.sender,
                recipients=list(mail.recipients),
                hostname=server.host,
                port=server.port,
                username=server.username,
                password=server.password,
                use_tls=server.tls == "tls",
                start_tls=server.tls == "starttls",
                cert_bundle=server.ca_file,
                timeout=self._timeout_s,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            return Reply(error.recipients[0].code, body=_bytes(error.recipients[0].message))
        except aiosmtplib.SMTPResponseException as error:
            return Reply(error.code, body=_bytes(error.message))
        if refused:
            codes = sorted(answer.code for answer in refused.values())
            log.warning("some mailboxes were refused", extra={"count": len(refused), "codes": codes})
        return Reply(250, body=_bytes(words))


def _bytes(words: str) -> bytes:
    """What a mail server said; aiosmtplib keeps what is not UTF-8 as lone surrogates."""
    return words.encode("utf-8", "replace")
