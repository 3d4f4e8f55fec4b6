import json
import time
from typing import Any, Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from schemas.base import to_ms
from schemas.events import EVENT, EVENTS, TOPIC_OF, type_of
from services.ingest.reading.decoding import Decoder
from services.ingest.reading.instants import slow_ms
from services.ingest.reading.structs import STRUCTS, Event, as_event, micros, struct_of
from tests.unit.ingest.samples import TYPES, event, raw

_DECODERS = {topic: Decoder(topic) for topic in EVENTS}

_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**13), 10**13)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["2026-11-23T09:30:00Z", "2026-11", "2026-Q1", "lead", "young", "hotline", "", "\x7f", "a\n"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
_FIELDS = sorted({name for models in EVENTS.values() for model in models for name in model.model_fields})


@st.composite
def near_events(draw: st.DrawFn) -> bytes:
    """Events of which some fields are of a strange value, and their bytes now and then broken."""
    changes = draw(st.dictionaries(st.sampled_from([*_FIELDS, "unknown"]), _VALUES, max_size=2))
    value = event(draw(st.sampled_from(TYPES)), **changes)
    text = json.dumps(value, ensure_ascii=draw(st.booleans())).encode(errors="surrogatepass")
    for _ in range(draw(st.integers(0, 2)) if draw(st.booleans()) else 0):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.binary(max_size=3)) + text[at + draw(st.integers(0, 2)) :]
    return text


def _pydantic(value: bytes) -> Any:
    try:
        return EVENT.validate_json(value, strict=True)
    except ValidationError:
        return None


def _assert_same(model: BaseModel, found: Event) -> None:
    for name in type(model).model_fields:
        value = getattr(model, name)
        if name == "occurred_at":
            assert slow_ms(found.occurred_at) == to_ms(value)
        elif name != "type":
            assert getattr(found, name) == value


def _reads_its_time(found: Event) -> bool:
    try:
        slow_ms(found.occurred_at)
    except ValueError:
        return False
    return True


_HEAD = raw("click", ip=...)[:-1]


@given(near_events())
@example(_HEAD + b',"count":5.0}')
@example(_HEAD + b',"count":1e2}')
@example(_HEAD + b',"ip":"a\x7f"}')
@example(_HEAD + b',"ip":"\\u0000"}')
@example(_HEAD + b',"ip":"\\ud800"}')
@example(_HEAD + b',"ip":"\\ud83d\\ude00"}')
@example(_HEAD + b',"ip":"\xed\xa0\x80"}')
@example(_HEAD + b',"unknown":"\xff"}')
@example(_HEAD + b',"unknown":"\\ud800"}')
@example(_HEAD + b',"unknown":' + b"9" * 5000 + b"}")
@example(_HEAD + b',"unknown":' + b"[" * 250 + b"]" * 250 + b"}")
@example(_HEAD + b',"unknown":' + b'{"":' * 250 + b"1" + b"}" * 250 + b"}")
@example(_HEAD + b',"unknown":' + b"[" * 120 + b"]" * 120 + b"}")
@example(_HEAD + b',"type":"impression"}')
@example(_HEAD + b',"type":"click"}')
@example(_HEAD + b',"channel_id":"other"}')
@example(_HEAD + b',"channel_id":null}')
@example(raw("conversion", type=...))
@example(raw("mention", type=""))
@example(raw("rate", month="2026-11\n"))
@example(raw("content_published", reviewed_fingerprint="0123456789abcdef" * 4))
@example(raw("content_published", reviewed_fingerprint="0" * 64 + "\n"))
@example(raw("rate", month="２０２６-11"))
def test_whatever_the_decoder_accepts_pydantic_does_with_equal_values(value: bytes) -> None:
    model = _pydantic(value)
    for topic, decoder in _DECODERS.items():
        one, several = decoder.decode(value), decoder.decode_all([value])
        for found in (one, None if several is None else several[0]):
            if found is not None and _reads_its_time(found):
                assert model is not None
                assert TOPIC_OF[model.type] == topic
                _assert_same(model, found)


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_is_decoded_without_pydantic(kind: str) -> None:
    decoder = _DECODERS[TOPIC_OF[kind]]
    plain, escaped = raw(kind), json.dumps(event(kind, channel_id="抖音")).encode()
    assert decoder.decode_all([plain, plain]) is not None
    assert decoder.decode(plain) is not None
    assert b"\\" in escaped
    assert decoder.decode(escaped) is not None, "as Python writes Chinese by default"


@pytest.mark.parametrize("kind", TYPES)
def test_what_pydantic_accepted_becomes_the_same_event(kind: str) -> None:
    found = _DECODERS[TOPIC_OF[kind]].decode(raw(kind))
    accepted = as_event(_pydantic(raw(kind)))
    assert found is not None
    assert type(found) is type(accepted)
    assert slow_ms(found.occurred_at) == slow_ms(accepted.occurred_at)
    found.occurred_at = accepted.occurred_at
    assert found == accepted


def test_one_bad_record_leaves_the_decision_on_each_to_the_caller() -> None:
    assert _DECODERS["channel-events"].decode_all([raw("click"), b"{"]) is None
    assert _DECODERS["channel-events"].decode_all([raw("click"), None]) is None
    assert _DECODERS["channel-events"].decode_all([]) == []


def test_a_click_counts_one_unless_it_says_otherwise() -> None:
    def click(**changes: Any) -> Event:
        found = _DECODERS["channel-events"].decode_all([raw("click", **changes)])
        assert found is not None
        return found[0]

    assert click().count is None
    assert click(count=7).count == 7
    assert click(count=0).count == 0


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (0.0, 0),
        (12.5, 12_500_000),
        (0.1 + 0.2, 300_000),
        (0.0000005, 0),
        (0.0000015, 2),
        (999_999_999_999.99, 999_999_999_999_990_000),
        (1e12, 10**18),
        (1e-7, 0),
    ],
)
def test_money_is_counted_in_millionths_half_even(amount: float, expected: int) -> None:
    assert micros(amount) == expected


def test_a_model_that_cannot_be_derived_is_refused_instead_of_read_wrongly() -> None:
    class Odd(BaseModel):
        type: Literal["mention"]
        event_id: bytes

    with pytest.raises(TypeError, match="no decoder can be derived"):
        struct_of(Odd)


def test_all_types_have_a_struct_in_both_forms() -> None:
    assert {type_of(model) for models in EVENTS.values() for model in models} == set(STRUCTS) == set(TYPES)


def test_the_decoder_is_worth_its_place() -> None:
    values: list[bytes | None] = [raw("click", event_id=str(number)) for number in range(2_000)]

    def spent(work: Any) -> float:
        best = float("inf")
        for _ in range(5):
            begin = time.process_time()
            work()
            best = min(best, time.process_time() - begin)
        return best

    decoder = _DECODERS["channel-events"]
    assert spent(lambda: decoder.decode_all(values)) * 4 < spent(lambda: [_pydantic(each or b"") for each in values])
