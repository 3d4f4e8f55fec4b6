"""Google Ads through `google-ads`: its messages and its asynchronous client over gRPC, and nothing of its that tries
again, logs or keeps a secret. Importing it takes 1.7 s and 97 MB."""

import json
from typing import Any, Final
from urllib.parse import urlsplit

import grpc.aio
from google.ads.googleads.v26.errors.types.errors import GoogleAdsFailure
from google.ads.googleads.v26.services.services.google_ads_service import GoogleAdsServiceAsyncClient
from google.ads.googleads.v26.services.services.google_ads_service.transports import (
    GoogleAdsServiceGrpcAsyncIOTransport,
)
from google.ads.googleads.v26.services.types.google_ads_service import MutateGoogleAdsRequest, SearchGoogleAdsRequest
from google.api_core.exceptions import GoogleAPICallError
from google.protobuf.message import DecodeError

from services.channel_control.adapter import LibraryCall, Response
from services.channel_control.enforcing.reconcile import Trouble

FAILURE: Final = "google.ads.googleads.v26.errors.googleadsfailure-bin"
"""Where an answer says in its trailing metadata what exactly is wrong."""
RECONNECT_MS: Final = 1000
"""The longest pause before the next connection; gRPC's own is two minutes, in which all calls would fail at once."""
_OPTIONS: Final = (
    ("grpc.enable_retries", 0),
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", RECONNECT_MS),
    ("grpc.keepalive_time_ms", 30_000),  # and so a connection that is silently dead is given up
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.max_receive_message_length", 256 * 1024),
    ("grpc.max_metadata_size", 256 * 1024),  # where failures are; beyond 8 KiB they would look like a rate limit
)
_LOCAL: Final = ("UNAVAILABLE", "CANCELLED", "INTERNAL", "UNKNOWN")
"""What gRPC says by itself where a connection fails. The platform's own errors come with trailing metadata."""
_JSON: Final = {
    "use_integers_for_enums": False,
    "always_print_fields_with_no_presence": False,
    "indent": None,
}


class Line:
    """One channel to one address; needs a running loop."""

    def __init__(self, url: str, timeout_s: float) -> None:
        parts = urlsplit(url)
        if parts.scheme == "https":
            credentials = grpc.ssl_channel_credentials()
            channel = grpc.aio.secure_channel(f"{parts.hostname}:{parts.port or 443}", credentials, _OPTIONS)
        else:
            channel = grpc.aio.insecure_channel(f"{parts.hostname}:{parts.port or 80}", _OPTIONS)
        self._channel = channel
        self._client = GoogleAdsServiceAsyncClient(transport=GoogleAdsServiceGrpcAsyncIOTransport(channel=channel))
        self._timeout_s = timeout_s

    async def close(self) -> None:
        """Gives the channel up."""
        await self._channel.close()

    async def send(self, call: LibraryCall) -> Response | Trouble:
        """`search` or `mutate`, with params as in the REST form of the API, and answered likewise."""
        try:
            answer = await self._answer(call)
        except GoogleAPICallError as error:
            return _refused(error)
        except grpc.aio.BaseError as error:  # such as a secret with a sign that no header takes
            name = type(error).__name__
            text, zh = f"the platform's library does not send this ({name})", f"平台官方库无法发送此请求（{name}）"
            return Trouble("bad_answer", text, zh=zh)
        if answer is None:  # as gRPC has it where the bytes are no message
            return Trouble(
                "bad_answer", "the platform's answer is not a message of its API", zh="平台的答复不是其接口的消息"
            )
        return Response(200, {}, type(answer).to_json(answer, **_JSON).encode())

    async def _answer(self, call: LibraryCall) -> Any:
        text, metadata = json.dumps(call.params), tuple(call.headers.items())
        if call.method == "search":
            search = SearchGoogleAdsRequest.from_json(text)
            found = await self._client.search(search, retry=None, timeout=self._timeout_s, metadata=metadata)
            return await anext(aiter(found.pages))
        mutate = MutateGoogleAdsRequest.from_json(text)
        return await self._client.mutate(mutate, retry=None, timeout=self._timeout_s, metadata=metadata)


def _refused(error: GoogleAPICallError) -> Response | Trouble:
    """In the REST form: the library knows the status of HTTP that goes with a code of gRPC."""
    code = error.grpc_status_code.name
    if code == "DEADLINE_EXCEEDED":
        raise TimeoutError from None
    metadata = dict(error.errors[0].trailing_metadata() or ())
    if code in _LOCAL and not metadata:
        return Trouble("unreachable", f"the platform cannot be reached ({code})", zh=f"无法连接平台（{code}）")
    told = {"status": code, "details": _details(metadata.get(FAILURE, b""))}
    return Response(error.code or 500, {}, json.dumps({"error": told}).encode())


def _details(message: bytes) -> list[Any]:
    """What exactly is wrong; nothing where it cannot be read."""
    try:
        failure = GoogleAdsFailure.deserialize(message)
    except DecodeError:
        return []
    return [json.loads(GoogleAdsFailure.to_json(failure, **_JSON))]
