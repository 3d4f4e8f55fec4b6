"""Begins and ends the spans of this process; off, and without OpenTelemetry, until `configure` finds an address.

    traces_io.configure("gateway", settings)
    with traces_io.request("POST /v1/events", header) as span:   # chosen by the sender, or one in so many
        await publisher.publish(…)                               # the messages carry the trace

Off, a span is `NOTHING`, which does nothing. Attributes never hold what people said, nor the words of an error.
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from services.runtime.settings import CommonSettings
from services.runtime.tracing import traces
from services.runtime.tracing.traces import Context

if TYPE_CHECKING:
    from opentelemetry.trace import Span as OtelSpan

    from services.runtime.tracing.otel_io import Spans

Kind = Literal["internal", "server", "client", "consumer"]
Value = str | int | Sequence[str]

REMEMBERED: Final = 1000
"""Keys of the log whose last trace is known to what works beside the machine."""


class Span:
    """Work that is under way, until `end`. context: None where it is not traced."""

    def __init__(self, context: Context | None = None, span: OtelSpan | None = None) -> None:
        self.context = context
        self._span = span

    def note(self, **attributes: Value) -> None:
        """Says more of it; the names get our prefix."""
        if self._span is not None:
            self._span.set_attributes(_named(attributes))

    def fail(self, kind: str) -> None:
        """It went wrong; in one word, since the error's own may quote what was sent."""
        if self._span is not None:
            from opentelemetry.trace import StatusCode

            self._span.set_status(StatusCode.ERROR, kind)

    def end(self) -> None:
        """It is done."""
        if self._span is not None:
            self._span.end()


NOTHING: Final = Span()


class _State:
    """spans: None where tracing is off. ratio: of the requests without a trace of their own that are traced."""

    spans: Spans | None = None
    ratio: float = 0.0
    last: Final[OrderedDict[bytes, Context]] = OrderedDict()


def configure(service: str, settings: CommonSettings) -> None:
    """Switches tracing on if the settings name an address."""
    if settings.traces_endpoint is not None:
        from services.runtime.tracing.otel_io import Spans

        _State.spans = Spans(service, settings.instance, settings.traces_endpoint)
        _State.ratio = settings.traces_ratio


def on() -> bool:
    """Whether anything is traced."""
    return _State.spans is not None


def begin(
    name: str,
    kind: Kind,
    parents: Sequence[Context] = (),
    attributes: Mapping[str, Value] = MappingProxyType({}),
    since_ns: int | None = None,
) -> Span:
    """A span below the first of the parents and linked to the others; without any a trace begins."""
    if _State.spans is None:
        return NOTHING
    return Span(*_State.spans.begin(name, kind, parents, _named(attributes), since_ns))


@contextmanager
def request(name: str, sent: str | None) -> Iterator[Span]:
    """A request from outside. `sent`: its `traceparent`, which decides; without one chance does."""
    parent = None if sent is None or not on() else traces.parse(sent.encode("latin-1"))
    chosen = on() and (random.random() < _State.ratio if parent is None else parent.sampled)
    with _under_way(begin(name, "server", () if parent is None else (parent,)) if chosen else NOTHING) as span:
        yield span


@contextmanager
def work(name: str, parent: Context | None, **attributes: Value) -> Iterator[Span]:
    """Something that acts, and so is always traced: with its parent, or in a trace of its own."""
    with _under_way(begin(name, "internal", () if parent is None else (parent,), attributes)) as span:
        yield span


@contextmanager
def call(name: str, **attributes: Value) -> Iterator[Span]:
    """A call to somebody outside, as a part of what is traced here, if anything is."""
    parent = traces.current()
    with _under_way(NOTHING if parent is None else begin(name, "client", (parent,), attributes)) as span:
        yield span


@contextmanager
def _under_way(span: Span) -> Iterator[Span]:
    if span.context is None:
        yield span
        return
    try:
        with traces.within(span.context):
            yield span
    except BaseException as error:
        span.fail(type(error).__name__)
        raise
    finally:
        span.end()


def remember(key: bytes, context: Context) -> None:
    """The last trace of a key of the log: of a target, or an alert."""
    _State.last[key] = context
    _State.last.move_to_end(key)
    if len(_State.last) > REMEMBERED:
        _State.last.popitem(last=False)


def last(key: bytes) -> Context | None:
    """The trace by which a key of the log has changed last, as far as this process remembers."""
    return _State.last.get(key)


def _named(attributes: Mapping[str, Value]) -> dict[str, Value]:
    return {f"tidegate.{name}": value for name, value in attributes.items()}
