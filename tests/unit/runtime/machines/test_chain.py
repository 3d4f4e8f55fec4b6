"""What a record of the audit is sealed with, and that it follows from the record before it."""

import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.audit import AuditRecord
from schemas.topics import ALERTS, AUDIT
from services.runtime.machines.chain import BEGINNING, Chains, canonical, digest_of
from services.runtime.machines.machine import Output
from services.runtime.murmur import partition_of

said = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text('ab\u6295"\\'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab\u6295", max_size=3), inner, max_size=3),
    max_leaves=8,
)


def output(target: str = "channel:a", writer: str = "channel_control:0", **fields: Any) -> Output:
    return Output(AUDIT, target.encode(), json.dumps({"writer": writer, "target": target, **fields}).encode())


def chain(sealed: Output) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(sealed.value or b"")["chain"]
    return found


def test_each_record_names_the_digest_of_the_one_before() -> None:
    chains = Chains(1)
    first, second = chain(chains.seal(output())), chain(chains.seal(output("channel:b")))
    assert (first["number"], first["previous"]) == (1, BEGINNING)
    assert (second["number"], second["previous"]) == (2, first["digest"])


def test_the_digest_is_what_the_documentation_says() -> None:
    value = Chains(1).seal(output(detail={"z": 0.5, "a": ["投资", None]})).value or b""
    document = json.loads(value)
    digest = document["chain"].pop("digest")
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    assert digest == sha256(text.encode()).hexdigest()
    assert '"detail":{"a":["投资",null],"z":0.5}' in value.decode()


def test_each_writer_has_a_chain_on_each_partition_and_keys_stay_where_kafka_puts_them() -> None:
    chains, targets = Chains(3), [f"channel:{number}" for number in range(20)]
    sealed = [chains.seal(output(target, writer)) for target in targets for writer in ("a:0", "b:0")]
    assert [each.partition for each in sealed[::2]] == [partition_of(target.encode(), 3) for target in targets]
    assert {(writer, partition) for writer, partition, *_ in chains.rows()} == {
        (w, p) for w in ("a:0", "b:0") for p in range(3)
    }
    assert sum(number for _, _, number, _ in chains.rows()) == 40


def test_what_is_not_for_the_audit_is_left_as_it_is() -> None:
    fact = Output(ALERTS, b"k", b"no JSON at all")
    assert Chains(2).seal(fact) is fact


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from(["channel:a", "actor:b"]), said), max_size=8), st.data())
def test_chains_taken_up_from_their_rows_go_on_the_same(records: list[tuple[str, Any]], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(records)))
    outputs = [output(target, detail=detail) for target, detail in records]
    whole, first = Chains(2), Chains(2)
    expected = [whole.seal(each) for each in outputs]
    begun = [first.seal(each) for each in outputs[:place]]
    second = Chains(2, first.rows())
    assert [*begun, *(second.seal(each) for each in outputs[place:])] == expected


@settings(max_examples=40)
@given(said)
def test_a_sealed_record_stays_the_same_when_it_is_read_and_written(detail: Any) -> None:
    value = Chains(1).seal(output(detail=detail)).value or b""
    document = json.loads(value)
    assert canonical(document) == value
    assert digest_of(document) == document["chain"]["digest"]


def test_a_sealed_record_is_an_audit_record() -> None:
    record = AuditRecord.model_validate(
        {"audit_id": "0" * 32, "at": "2026-01-01T00:00:00Z", "writer": "a:0", "who": "x", "what": "y",
         "target": "channel:a", "outcome": "done"}
    )  # fmt: skip
    sealed = Chains(1).seal(Output(AUDIT, b"channel:a", record.model_dump_json().encode()))
    read = AuditRecord.model_validate_json(sealed.value or b"")
    assert read.model_copy(update={"chain": None}) == record
    assert read.chain is not None and read.chain.number == 1


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_cannot_say_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical({"value": value})
