"""Spans of a process, as a collector gets them."""

import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from services.runtime.health import Health
from services.runtime.http.api_io import new_app
from services.runtime.http.http_io import listen, serving
from services.runtime.settings import CommonSettings
from services.runtime.tracing import traces, traces_io
from services.runtime.tracing.traces import Context
from tests.support.collector import Collector, Seen, collector
from tests.support.waiting import eventually

SENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE, PARENT = SENT.split("-")[1:3]
SERVER, CLIENT, INTERNAL = 2, 3, 1
SECRET = "13912345678"


@pytest.fixture
def to(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """Tracing is on, and every request is traced."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
    monkeypatch.setattr(traces_io._State, "spans", None)
    monkeypatch.setattr(traces_io._State, "ratio", 0.0)
    with collector() as found:
        traces_io.configure("gateway", CommonSettings(traces_endpoint=found.url, traces_ratio=1.0))
        yield found
        traces_io._State.last.clear()


async def arrived(to: Collector, count: int = 1) -> list[Seen]:
    await eventually(lambda: len(to.spans()) >= count, "spans at the collector")
    return to.spans()


def test_off_nothing_is_traced_and_the_sdk_is_not_even_imported() -> None:
    code = """
import sys
from services.gateway import app
from services.runtime.tracing import traces, traces_io
from services.runtime.settings import CommonSettings
traces_io.configure("gateway", CommonSettings(traces_ratio=1.0))
with traces_io.request("POST", "%s") as request, traces_io.work("reconcile", None) as work:
    assert request is work is traces_io.begin("process", "consumer") is traces_io.NOTHING
    assert (traces.headers(), traces.exemplar(), traces_io.on()) == ((), None, False)
print(*(name for name in sys.modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter"))))
"""
    done = subprocess.run([sys.executable, "-c", code % SENT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


async def test_a_request_and_what_follows_from_it_are_one_trace(to: Collector) -> None:
    with traces_io.request("POST /v1/events", None) as request:
        request.note(accepted=3)
        with traces_io.call("platform put", platform="ads"):
            assert traces.headers() != ()
    call, request_span = await arrived(to, 2)
    assert to.paths == {"/v1/traces"}
    assert (request_span.name, request_span.kind, request_span.parent) == ("POST /v1/events", SERVER, "")
    assert (call.name, call.kind, call.parent, call.trace) == (
        *("platform put", CLIENT),
        *(request_span.span, request_span.trace),
    )
    assert request_span.attributes == {"tidegate.accepted": 3}
    assert call.attributes == {"tidegate.platform": "ads"}
    assert {each.service for each in (call, request_span)} == {"gateway"}


async def test_the_sender_decides_where_it_says_anything(to: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    with traces_io.request("not wanted", f"{SENT[:-2]}00") as span:
        assert span is traces_io.NOTHING
    monkeypatch.setattr(traces_io._State, "ratio", 0.0)
    for nothing in (None, "nonsense", "\xe9" * 55):
        with traces_io.request("not chosen", nothing) as span:
            assert span is traces_io.NOTHING
    with traces_io.request("wanted", SENT):
        pass
    (seen,) = await arrived(to)
    assert (seen.name, seen.trace, seen.parent) == ("wanted", TRACE, PARENT)


async def test_what_acts_is_always_traced_and_a_call_only_as_part_of_it(to: Collector) -> None:
    with traces_io.call("a reading") as span:
        assert span is traces_io.NOTHING
    with traces_io.work("reconcile", None):
        pass
    with traces_io.work("deliver", Context(TRACE, PARENT)):
        pass
    reconcile, deliver = await arrived(to, 2)
    assert (reconcile.parent, reconcile.kind) == ("", INTERNAL)
    assert (deliver.trace, deliver.parent) == (TRACE, PARENT)


async def test_a_span_of_several_traces_continues_the_first_and_is_linked_to_the_others(to: Collector) -> None:
    others = [Context(f"{number:032x}", f"{number:016x}") for number in (7, 8)]
    traces_io.begin("process", "consumer", [Context(TRACE, PARENT), *others], since_ns=1).end()
    (seen,) = await arrived(to)
    assert (seen.trace, seen.parent, seen.links) == (TRACE, PARENT, [each.span_id for each in others])
    assert seen.took_ns > 1_000_000_000


async def test_an_errors_words_stay_here(to: Collector) -> None:
    with pytest.raises(ValueError, match=SECRET), traces_io.request("POST /v1/events", None):
        raise ValueError(SECRET)
    (seen,) = await arrived(to)
    assert seen.failed == "ValueError"
    assert not any(SECRET.encode() in body for body in to.bodies)
    assert traces.current() is None


def test_only_so_many_keys_are_remembered() -> None:
    contexts = [Context(f"{number:032x}", PARENT) for number in range(traces_io.REMEMBERED + 2)]
    for number, context in enumerate(contexts):
        traces_io.remember(f"channel:{number}".encode(), context)
        traces_io.remember(b"channel:0", contexts[0])
    assert len(traces_io._State.last) == traces_io.REMEMBERED
    assert traces_io.last(b"channel:0") == contexts[0]
    assert traces_io.last(b"channel:1") is None
    assert traces_io.last(f"channel:{len(contexts) - 1}".encode()) == contexts[-1]
    traces_io._State.last.clear()


async def test_fastapi_tells_nobody_of_requests_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would of paths, queries and the words of errors, when the environment says so for the SDK's sake."""
    with collector() as asked:
        monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", asked.url)
        bound = listen("127.0.0.1", 0, "TIDEGATE_X_PORT")
        async with serving(new_app("x", "", Health()), bound) as server, httpx.AsyncClient() as client:
            await client.get(f"http://127.0.0.1:{server.port}/healthz?phone={SECRET}")
    assert asked.paths == set(), "all is flushed when the app ends"
