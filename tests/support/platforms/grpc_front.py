"""gRPC in front of a stand-in that speaks the REST form, as Google has it: the same messages, and errors as a status
with a GoogleAdsFailure in the trailing metadata. A relay before it can break connections off."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import grpc.aio
import httpx
from google.ads.googleads.v26.errors.types.errors import GoogleAdsFailure
from google.ads.googleads.v26.services.types import google_ads_service as messages
from google.api_core.exceptions import from_http_status

FAILURE = "google.ads.googleads.v26.errors.googleadsfailure-bin"
MESSAGES = {
    "Search": (messages.SearchGoogleAdsRequest, messages.SearchGoogleAdsResponse),
    "Mutate": (messages.MutateGoogleAdsRequest, messages.MutateGoogleAdsResponse),
}


class Relay:
    """Passes bytes on to a port and back, and drops all connections when told to."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        self._open |= {writer, back}
        await asyncio.gather(self._pass(reader, back), self._pass(there, writer))
        self._open -= {writer, back}

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()


@asynccontextmanager
async def fronting(home: str) -> AsyncIterator[str]:
    """The front of what is at `home`, such as `http://…/v26/customers/1/googleAds`; its address."""
    async with httpx.AsyncClient(trust_env=False) as client:
        server = grpc.aio.server()
        relay = Relay(server.add_insecure_port("127.0.0.1:0"))
        handlers = {name: grpc.unary_unary_rpc_method_handler(_handler(name, home, client, relay)) for name in MESSAGES}
        service = "google.ads.googleads.v26.services.GoogleAdsService"
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        await server.start()
        listener = await asyncio.start_server(relay.meet, "127.0.0.1", 0)
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        listener.close()
        relay.cut()
        await server.stop(None)


def _handler(name: str, home: str, client: httpx.AsyncClient, relay: Relay) -> Any:
    asked, answered = MESSAGES[name]

    async def handle(message: bytes, context: grpc.aio.ServicerContext) -> bytes:
        body = asked.to_json(
            asked.deserialize(message), use_integers_for_enums=False, always_print_fields_with_no_presence=False
        )
        metadata = {each.key: each.value for each in context.invocation_metadata()}
        assert "gapic/" in metadata["x-goog-api-client"], "the library's own client calls"
        sent = {key: value for key, value in metadata.items() if key in ("authorization", "developer-token")}
        sent["login-customer-id"] = metadata["login-customer-id"]
        try:
            response = await client.post(f"{home}:{name.lower()}", content=body, headers=sent, timeout=30)
        except httpx.RemoteProtocolError:
            relay.cut()
            return b""
        if response.status_code != 200:
            await _abort(context, response)
        if not response.text.startswith("{"):
            return response.content
        made: bytes = answered.serialize(answered.from_json(response.text))
        return made

    return handle


async def _abort(context: grpc.aio.ServicerContext, response: httpx.Response) -> None:
    error = response.json()["error"]
    code = from_http_status(response.status_code, "").grpc_status_code
    trailing: list[tuple[str, str | bytes]] = [("request-id", "r-1")]
    for detail in error.get("details", []):
        failure = json.dumps({name: value for name, value in detail.items() if name != "@type"})
        trailing.append((FAILURE, GoogleAdsFailure.serialize(GoogleAdsFailure.from_json(failure))))
    await context.abort(code, error["message"], tuple(trailing))
