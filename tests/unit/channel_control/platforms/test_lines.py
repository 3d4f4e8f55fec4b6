"""The official libraries: what they do that nobody asked for is off, and what they trip over is an answer too."""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc.aio
import pytest
from facebook_business.adobjects.campaign import Campaign
from facebook_business.apiconfig import ads_api_config
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from deploy.ports import free_port
from services.channel_control import adapter
from services.channel_control.adapter import LibraryCall
from services.channel_control.enforcing.reconcile import Trouble
from services.channel_control.lines import google_ads_io, meta_ads_io
from services.channel_control.lines.threads import Threads
from services.channel_control.platforms.meta_ads import FIELDS, VERSION
from services.runtime.http import http_io

READ = LibraryCall("GET", {"ids": "17"}, {"Authorization": "Bearer t"})
SEARCH = LibraryCall("search", {"customerId": "1234567890", "query": "SELECT"}, {"authorization": "Bearer t"})


@asynccontextmanager
async def graph(answer: Response, hits: list[Request]) -> AsyncIterator[str]:
    async def serve(request: Request) -> Response:
        hits.append(request)
        return answer

    app = Starlette(routes=[Route("/{path:path}", serve, methods=["GET", "POST"])])
    async with http_io.serving(app, http_io.listen("127.0.0.1", 0, "port")) as server:
        yield f"http://127.0.0.1:{server.port}"


async def asked(answer: Response, hits: list[Request]) -> adapter.Response | Trouble:
    async with graph(answer, hits) as url:
        line = meta_ads_io.Line(url, 2.0)
        said = await line.send(READ)
        await line.close()
        return said


def test_meta_knows_what_it_is_asked_for_in_this_version() -> None:
    assert ads_api_config["API_VERSION"] == VERSION
    field, status = Campaign.Field, Campaign.Status
    assert f"{field.id},{field.status},{field.daily_budget},{field.adlabels}{{id,name}}" == FIELDS
    assert (status.active, status.paused) == ("ACTIVE", "PAUSED")


async def test_meta_is_asked_once_by_its_library_with_the_token_in_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    hits: list[Request] = []
    said = await asked(JSONResponse({"error": {"code": 2}}, 503, {"Retry-After": "7"}), hits)
    assert isinstance(said, adapter.Response)
    assert (said.status, said.headers.get("retry-after"), json.loads(said.body)) == (503, "7", {"error": {"code": 2}})
    (request,) = hits
    assert str(request.url).endswith(f"/{VERSION}/?ids=17")
    assert request.headers["authorization"] == "Bearer t"
    assert request.headers["user-agent"].startswith("fbbizsdk-python-")


@pytest.mark.parametrize("body", ["7", "[1]", '"success"', '{"error": "words"}', '{"error": {"error_data": "{"}}', ""])
@pytest.mark.parametrize("status", [200, 500])
async def test_what_trips_metas_library_up_is_an_answer_or_a_trouble(body: str, status: int) -> None:
    said = await asked(Response(body, status), [])
    assert isinstance(said, Trouble) or said.status == status


async def test_success_false_is_no_success_and_a_redirect_is_not_followed() -> None:
    hits: list[Request] = []
    said = await asked(JSONResponse({"success": False}), hits)
    assert said == Trouble("refused", "the platform says that it did not do it")
    said = await asked(RedirectResponse("/elsewhere", 302), hits)
    assert isinstance(said, Trouble)
    assert said.kind == "bad_answer"
    assert len(hits) == 2


async def test_a_page_that_says_with_status_200_that_there_is_no_service_is_no_refusal_of_the_order() -> None:
    said = await asked(Response("<title>Service Unavailable</title>"), [])
    assert isinstance(said, Trouble)
    assert said.kind == "bad_answer"


async def test_a_call_that_hangs_holds_up_only_those_that_need_its_place() -> None:
    threads, free = Threads(2), threading.Event()
    hung = asyncio.create_task(threads.run(free.wait))
    assert await threads.run(lambda: 7) == 7
    hung.cancel()
    more = asyncio.create_task(threads.run(free.wait))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(threads.run(lambda: 8), 0.05)
    free.set()
    async with asyncio.timeout(20):
        assert await threads.run(lambda: 9) == 9
        assert await more


async def test_what_a_call_raises_is_raised_where_it_is_waited_for() -> None:
    def fail() -> None:
        raise LookupError("gone")

    threads = Threads(1)
    for _ in range(2):
        with pytest.raises(LookupError, match="gone"):
            await threads.run(fail)


def test_a_call_that_hangs_does_not_hold_up_the_end_of_the_process() -> None:
    program = """
import asyncio, threading
from services.channel_control.lines.threads import Threads
async def main():
    try:
        async with asyncio.timeout(0.05):
            await Threads(1).run(threading.Event().wait)
    except TimeoutError:
        print("left")
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=True)
    assert (done.stdout, done.stderr) == ("left\n", "")


@asynccontextmanager
async def google(handler: Any, port: int = 0) -> AsyncIterator[google_ads_io.Line]:
    """Google's library, and a server that answers a search so."""
    server = grpc.aio.server()
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    service = "google.ads.googleads.v26.services.GoogleAdsService"
    handlers = {"Search": grpc.unary_unary_rpc_method_handler(handler)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    await server.start()
    line = google_ads_io.Line(f"http://127.0.0.1:{port}", 2.0)
    yield line
    await line.close()
    await server.stop(None)


def refusing(code: grpc.StatusCode, hits: list[dict[str, Any]]) -> Any:
    async def serve(message: bytes, context: grpc.aio.ServicerContext) -> None:
        hits.append({each.key: each.value for each in context.invocation_metadata()})
        unreadable = (google_ads_io.FAILURE, b"\xff")
        await context.abort(code, "the token t is no good", (("request-id", "r"), unreadable))

    return serve


@pytest.mark.parametrize(("code", "status"), [("UNAVAILABLE", 503), ("UNKNOWN", 500), ("UNAUTHENTICATED", 401)])
async def test_google_is_asked_once_and_told_by_its_code(code: str, status: int) -> None:
    hits: list[dict[str, Any]] = []
    async with google(refusing(grpc.StatusCode[code], hits)) as line:
        said = await line.send(SEARCH)
    assert isinstance(said, adapter.Response)
    assert said.status == status
    assert json.loads(said.body) == {"error": {"status": code, "details": []}}
    (metadata,) = hits
    assert metadata["authorization"] == "Bearer t"
    assert "gapic/" in metadata["x-goog-api-client"]


async def test_google_out_of_time_is_no_answer() -> None:
    async with google(refusing(grpc.StatusCode.DEADLINE_EXCEEDED, [])) as line:
        with pytest.raises(TimeoutError):
            await line.send(SEARCH)


async def test_what_googles_library_does_not_send_is_a_trouble_that_repeats_no_secret() -> None:
    line = google_ads_io.Line(f"http://127.0.0.1:{free_port()}", 2.0)
    said = await line.send(LibraryCall(SEARCH.method, SEARCH.params, {"developer-token": "hidden\n"}))
    assert said == Trouble("bad_answer", "the platform's library does not send this (ExecuteBatchError)")
    await line.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_google_that_is_not_there_is_unreachable(scheme: str) -> None:
    line = google_ads_io.Line(f"{scheme}://127.0.0.1:{free_port()}", 2.0)
    assert await line.send(SEARCH) == Trouble("unreachable", "the platform cannot be reached (UNAVAILABLE)")
    await line.close()


async def test_google_is_found_again_when_it_is_back() -> None:
    port = free_port()
    line = google_ads_io.Line(f"http://127.0.0.1:{port}", 2.0)
    assert isinstance(await line.send(SEARCH), Trouble)

    async def serve(message: bytes, context: grpc.aio.ServicerContext) -> bytes:
        return b""

    async with google(serve, port), asyncio.timeout(10):
        while isinstance(said := await line.send(SEARCH), Trouble):
            assert said.kind == "unreachable"
    await line.close()


def test_nobody_pays_for_libraries_whose_platforms_are_not_in_the_list() -> None:
    libraries = ("grpc", "google.ads", "google.api_core", "facebook_business", "requests")
    program = f"""
import sys
import services.channel_control.app
from services.channel_control.enforcing.adapters import all_kinds
all_kinds()
print([name for name in {libraries} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "[]\n"
