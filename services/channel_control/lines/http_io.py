"""Plain HTTP: one client for whatever speaks no library."""

from typing import Final

import httpx

from services.channel_control.adapter import Response
from services.channel_control.enforcing.reconcile import Trouble
from services.runtime.http.outgoing import Request

MAX_ANSWER_BYTES: Final = 256 * 1024


class HttpLine:
    """Connections are made when they are needed."""

    def __init__(self, timeout_s: float) -> None:
        self._client = httpx.AsyncClient(
            timeout=timeout_s,
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
        )

    async def close(self) -> None:
        """Gives the connections up."""
        await self._client.aclose()

    async def send(self, request: Request) -> Response | Trouble:
        """Sends it once."""
        try:
            return await self._answer(request)
        except httpx.TransportError as error:
            name = type(error).__name__
            return Trouble("unreachable", f"the platform cannot be reached ({name})", zh=f"无法连接平台（{name}）")
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            name = type(error).__name__
            return Trouble(
                "bad_answer", f"the platform's answer cannot be understood ({name})", zh=f"无法理解平台的答复（{name}）"
            )

    async def _answer(self, request: Request) -> Response:
        body = bytearray()
        async with self._client.stream(
            request.method, request.url, content=request.body or None, headers=request.headers
        ) as response:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    break
            return Response(response.status_code, response.headers, bytes(body))
