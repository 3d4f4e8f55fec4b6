"""Takes in a request's body: its size, its encoding, its events. What cannot be taken in becomes an HTTP error."""

import asyncio
from typing import Final

from fastapi import Request
from starlette.requests import ClientDisconnect

from services.gateway.bodies import JSON, NDJSON, TooLargeError, UnreadableError, inflate, split
from services.gateway.budget import Budget, NoRoomError, Share
from services.gateway.settings import GatewaySettings
from services.runtime.http.api_io import ApiError, refusal

LEAST_BYTES: Final = 16 * 1024
"""What a request counts at least; bounds how many can be in work."""
SMALL_BYTES: Final = 256 * 1024
"""Of a form: four thousand Chinese characters are 36 KB in it, so this is far beyond what it accepts."""
RETRY_S: Final = 1
THREAD_BYTES: Final = 64 * 1024
"""A larger body is taken apart in a thread, so that others in the loop have their turn."""


class Intake:
    """Reads bodies within one budget for all requests."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self._budget = Budget(settings.gateway_in_work_bytes, min(LEAST_BYTES, settings.gateway_in_work_bytes))

    @property
    def bytes_in_work(self) -> int:
        """Of all requests that have a share."""
        return self._budget.used

    def share(self, request: Request) -> Share:
        """A place for this request, to be given back at the end of a `with` block. Raises ApiError (413, 429)."""
        announced = int(request.headers.get("content-length", 0))
        if announced > self._settings.gateway_max_body_bytes:
            raise _too_large(self._settings.gateway_max_body_bytes)
        try:
            return self._budget.share(announced)
        except NoRoomError:
            raise _no_room() from None

    async def events(self, request: Request, share: Share) -> list[bytes]:
        """The bytes of each event. Raises ApiError (400, 408, 413, 415, 429)."""
        content_type, packed = _accepted(request)
        try:
            body = await self._read(request, share, self._settings.gateway_max_body_bytes)
            if packed:
                body = await self._unpack(body, share)
            if len(body) > THREAD_BYTES:
                return await asyncio.to_thread(split, body, content_type, self._settings.gateway_max_events)
            return split(body, content_type, self._settings.gateway_max_events)
        except NoRoomError:
            raise _no_room() from None
        except TooLargeError as error:
            raise refusal(413, str(error)) from None
        except UnreadableError as error:
            raise refusal(400, str(error)) from None

    async def small_body(self, request: Request) -> bytes:
        """A body that is read whole and kept by nobody. Raises ApiError (400, 408, 413, 415, 429)."""
        if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise refusal(415, "the body has to be sent as it is")
        with self.share(request) as share:
            try:
                return await self._read(request, share, SMALL_BYTES)
            except NoRoomError:
                raise _no_room() from None

    async def _read(self, request: Request, share: Share, limit: int) -> bytes:
        chunks, size = [], 0
        try:
            async with asyncio.timeout(self._settings.gateway_body_timeout_s):
                async for chunk in request.stream():
                    size += len(chunk)
                    if size > limit:
                        raise _too_large(limit)
                    share.grow_to(size)
                    chunks.append(chunk)
        except TimeoutError:
            raise refusal(408, "the body did not arrive in time") from None
        except ClientDisconnect:
            raise refusal(400, "the sender went away") from None
        return b"".join(chunks)

    async def _unpack(self, body: bytes, share: Share) -> bytes:
        pieces, size = [], len(body)
        for piece in inflate(body, self._settings.gateway_max_unpacked_bytes):
            size += len(piece)
            share.grow_to(size)
            pieces.append(piece)
            await asyncio.sleep(0)
        return b"".join(pieces)


def _too_large(limit: int) -> ApiError:
    return refusal(413, f"the body is larger than {limit} bytes")


def _no_room() -> ApiError:
    return refusal(429, "too much is being worked on; try again in a moment", retry_after_s=RETRY_S)


def _accepted(request: Request) -> tuple[str, bool]:
    """The content type, and whether the body is packed. Raises ApiError (415)."""
    content_type = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    if content_type not in (JSON, NDJSON):
        raise refusal(415, f"the content type has to be {JSON} or {NDJSON}")
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        error = refusal(415, "the content encoding has to be gzip, or none")
        error.headers["Accept-Encoding"] = "gzip"
        raise error
    return content_type, encoding == "gzip"
