import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.tracing import traces
from services.runtime.tracing.traces import Context, parse, recorded, within

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("header", "sampled"),
    [
        (f"00-{TRACE}-{SPAN}-01", True),
        (f"00-{TRACE}-{SPAN}-00", False),
        (f"00-{TRACE}-{SPAN}-03", True),
        (f"00-{TRACE}-{SPAN}-02", False),
        (f"cc-{TRACE}-{SPAN}-01", True),
        (f"cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like", True),
    ],
)
def test_what_the_specification_allows_is_read(header: str, sampled: bool) -> None:
    assert parse(header.encode()) == Context(TRACE, SPAN, sampled)


@pytest.mark.parametrize(
    "header",
    [
        *("", "00", "nonsense", "\xff" * 55),
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01\n",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
        f" 00-{TRACE}-{SPAN}-01",
        f"cc-{TRACE}-{SPAN}-01.more",
    ],
)
def test_what_it_forbids_names_nothing(header: str) -> None:
    assert parse(header.encode("latin-1")) is None


@given(st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1), st.booleans())
def test_a_header_is_read_as_it_was_written(trace: int, span: int, sampled: bool) -> None:
    context = Context(f"{trace:032x}", f"{span:016x}", sampled)
    name, value = context.header()
    assert name == "traceparent"
    assert parse(value) == context


@given(st.binary(max_size=80))
def test_no_header_whatever_raises(value: bytes) -> None:
    assert recorded([(traces.HEADER, value), ("another", value), (traces.HEADER, None)]) in ((), (parse(value),))


def test_of_a_record_each_recorded_trace_counts_once_and_not_too_many() -> None:
    contexts = [Context(f"{number:032x}", SPAN) for number in range(1, 30)]
    headers = [each.header() for each in contexts for _ in range(2)]
    others = [("else", contexts[0].header()[1]), Context(TRACE, SPAN, sampled=False).header()]
    assert recorded([*others, *headers]) == tuple(contexts[: traces.MOST])


async def test_what_is_sent_within_a_span_carries_it_and_nothing_else_does() -> None:
    first, second = Context(TRACE, SPAN), Context(TRACE, SPAN[::-1])
    assert (traces.current(), traces.headers(), traces.exemplar()) == (None, (), None)

    async def below() -> traces.Headers:
        return traces.headers()

    with within(first):
        task = asyncio.create_task(below())
        with within(second):
            assert traces.headers() == (second.header(),)
        assert traces.exemplar() == {"trace_id": TRACE}
    assert await task == (first.header(),)
    assert traces.headers() == ()
