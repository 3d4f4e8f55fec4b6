"""The trace that work belongs to, as W3C Trace Context spells it: in `traceparent`, a header of requests and records.

Spans are begun and exported by `traces_io`, when tracing is on. A trace tells how long things took and decides nothing:
machines never see one, and messages are the same bytes with it and without.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

HEADER: Final = "traceparent"
MOST: Final = 16
"""So many traces one record may belong to; a frame holds many events."""
Headers = tuple[tuple[str, bytes], ...]

_FORM: Final = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)
_SAMPLED: Final = 1


@dataclass(frozen=True, slots=True)
class Context:
    """A span, as others name it: ids in hex. sampled: whether its trace is recorded."""

    trace_id: str
    span_id: str
    sampled: bool = True

    def header(self) -> tuple[str, bytes]:
        """What goes with a message that is sent by this work."""
        return HEADER, f"00-{self.trace_id}-{self.span_id}-{self.sampled:02x}".encode()

    def exemplar(self) -> dict[str, str]:
        """What goes with the observation of a metric."""
        return {"trace_id": self.trace_id}


def parse(value: bytes) -> Context | None:
    """The span that a header names; None where it names none, as the specification has it."""
    found = _FORM.fullmatch(value)
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    unknown = version == b"ff" or (version == b"00" and more is not None)
    if unknown or not int(trace_id, 16) or not int(span_id, 16):
        return None
    return Context(trace_id.decode(), span_id.decode(), bool(int(flags, 16) & _SAMPLED))


def recorded(headers: Iterable[tuple[str, bytes | None]]) -> tuple[Context, ...]:
    """The recorded traces that a Kafka record belongs to, by its headers."""
    found = (parse(value or b"") for name, value in headers if name == HEADER)
    return tuple(dict.fromkeys(each for each in found if each is not None and each.sampled))[:MOST]


_current: ContextVar[Context | None] = ContextVar("trace", default=None)


def current() -> Context | None:
    """The span that is under way here; None where nothing is traced."""
    return _current.get()


@contextmanager
def within(context: Context) -> Iterator[None]:
    """What is done in the `with` block, and in tasks that it creates, belongs to this span."""
    token = _current.set(context)
    try:
        yield
    finally:
        _current.reset(token)


def headers() -> Headers:
    """What a message carries that is sent here and now."""
    context = _current.get()
    return () if context is None else (context.header(),)


def exemplar() -> dict[str, str] | None:
    """For a metric that is observed here: the trace to look at."""
    context = _current.get()
    return None if context is None else context.exemplar()
