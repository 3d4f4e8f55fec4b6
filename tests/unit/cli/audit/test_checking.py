"""Whatever is done to an audit is found, and nothing is found in one that nobody touched."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from services.auditing import checking
from services.auditing.checking import Checker, End
from services.auditing.heads import Vouched
from services.runtime.machines.chain import BEGINNING
from tests.unit.cli.audit.logs import AT, TARGETS, WRITERS, Log, checked, heads, record, resealed, written

BUSY = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def logs(draw: st.DrawFn) -> Log:
    """At least two records in each chain that there is."""
    said = draw(st.lists(st.tuples(st.sampled_from(WRITERS), st.sampled_from(TARGETS)), min_size=1, max_size=10))
    pairs = [pair for pair in said for _ in range(2)]
    return written(
        record(number, writer, target) for number, (writer, target) in enumerate(draw(st.permutations(pairs)))
    )


def place(data: st.DataObject, log: Log) -> tuple[int, int]:
    """A record of it."""
    return data.draw(st.sampled_from([(p, n) for p, records in log.items() for n in range(len(records))]))


@BUSY
@given(logs())
def test_nothing_is_found_in_an_audit_that_nobody_touched(log: Log) -> None:
    checker = checked(log, heads(log))
    assert (checker.found, checker.findings, checker.repeated) == (0, [], 0)
    assert checker.agreed == len(checker.ends)


@BUSY
@given(logs(), st.data())
def test_a_changed_byte_is_found(log: Log, data: st.DataObject) -> None:
    partition, number = place(data, log)
    key, value = log[partition][number]
    at, byte = data.draw(st.integers(0, len(value) - 1)), data.draw(st.integers(0, 255))
    assume(value[at] != byte)
    log[partition][number] = key, value[:at] + bytes([byte]) + value[at + 1 :]
    assert checked(log).found


@BUSY
@given(logs(), st.data())
def test_a_changed_field_is_found_with_its_digest_made_anew_too(log: Log, data: st.DataObject) -> None:
    """With a fitting digest the next record does not follow; the last one is held by its head."""
    partition, number = place(data, log)
    key, value = log[partition][number]
    document: dict[str, Any] = json.loads(value) | data.draw(
        st.sampled_from([{"who": "person:wang"}, {"outcome": "refused"}, {"why": None}, {"at": "2026-11-26T10:00:01Z"}])
    )
    signed = heads(log)
    log[partition][number] = key, resealed(document)
    assert checked(log, signed).found
    log[partition][number] = key, json.dumps(document).encode()
    assert any("was changed" in str(each) for each in checked(log).findings)


@BUSY
@given(logs(), st.data())
def test_a_missing_record_is_found(log: Log, data: st.DataObject) -> None:
    signed = heads(log)
    partition, number = place(data, log)
    del log[partition][number]
    assert checked(log, signed).found


@BUSY
@given(logs(), st.data())
def test_records_that_changed_places_are_found_unless_they_are_of_different_chains(
    log: Log, data: st.DataObject
) -> None:
    """Between chains there is no order. On another partition a record is of another chain, so that is found always."""
    (here, one), (there, other) = place(data, log), place(data, log)
    first, second = log[here][one], log[there][other]
    between = log[here][min(one, other) : max(one, other) + 1]
    moved = {json.loads(value)["writer"] for _, value in (first, second)}
    passed = [json.loads(value)["writer"] in moved for _, value in between[1:-1]]
    assume((here, one) != (there, other))
    assume(here != there or len(moved) == 1 or any(passed))
    log[here][one], log[there][other] = second, first
    assert checked(log).found


@BUSY
@given(logs(), st.data())
def test_a_chain_that_was_cut_off_is_found_by_its_head(log: Log, data: st.DataObject) -> None:
    signed = heads(log)
    partition, number = place(data, log)
    cut = log | {partition: log[partition][:number]}
    assert any("cut off" in str(each) for each in checked(cut, signed).findings)


@BUSY
@given(logs(), st.integers(0, 19))
def test_an_audit_that_was_rewritten_whole_contradicts_its_heads(log: Log, changed: int) -> None:
    documents = [json.loads(value) for records in log.values() for _, value in records]
    signed = heads(log)
    changed %= len(documents)
    documents[changed]["who"] = "person:nobody"
    rewritten = written(documents)
    assert checked(rewritten).found == 0, "in itself it is in order"
    findings = checked(rewritten, signed).findings
    assert any("contradicts" in str(each) for each in findings)


@BUSY
@given(logs(), st.data())
def test_what_a_death_repeats_is_no_finding(log: Log, data: st.DataObject) -> None:
    """A replay writes a stretch again, from some record up to where it was, or less."""
    signed = heads(log)
    partition, number = place(data, log)
    end = data.draw(st.integers(number + 1, len(log[partition])))
    log[partition][end:end] = log[partition][number:end]
    checker = checked(log, signed)
    assert (checker.findings, checker.repeated) == ([], end - number)


def test_a_repeat_that_says_something_else_is_found() -> None:
    log = written(record(number) for number in range(3))
    (partition,) = (each for each, records in log.items() if records)
    key, value = log[partition][1]
    log[partition].append((key, resealed(json.loads(value) | {"who": "person:wang"})))
    (finding,) = checked(log).findings
    assert str(finding) == (
        f"audit/{partition} offset 3: channel_control:0 number 2: "
        "is another record than the one before with this number"
    )


def test_a_record_whose_chain_was_taken_off_is_found() -> None:
    log = written(record(number) for number in range(3))
    (partition,) = (each for each, records in log.items() if records)
    key, value = log[partition][1]
    document = json.loads(value)
    del document["chain"]
    log[partition][1] = key, json.dumps(document).encode()
    assert [each.says for each in checked(log).findings] == [
        "channel_control:0: has no chain, and stands after records that have one",
        "channel_control:0 number 3: numbers 2 to 2 are missing before it",
    ]


def test_records_from_before_there_were_chains_are_named_and_nothing_more() -> None:
    log = written(record(number) for number in range(2))
    (partition,) = (each for each, records in log.items() if records)
    old = record(9, at="2026-11-01T00:00:00Z")
    log[partition].insert(0, (old["target"].encode(), json.dumps(old).encode()))
    checker = checked(log)
    assert (checker.found, dict(checker.unchained.services)) == (0, {"channel_control": 1})
    assert checker.unchained.last is not None and checker.unchained.last.day == 1


def test_a_key_that_is_not_the_target_is_found() -> None:
    log = written([record(0)])
    (partition,) = (each for each, records in log.items() if records)
    log[partition][0] = b"channel:b", log[partition][0][1]
    assert [each.says for each in checked(log).findings] == ["channel_control:0: the record's key is not its target"]


@pytest.mark.parametrize("value", [None, b"", b"{}", b"[1]", b"\xff", b"[" * 100_000, b'{"at":"2026-11-26T10:00:00Z"}'])
def test_what_is_no_record_is_found_and_ends_nothing(value: bytes | None) -> None:
    checker = Checker()
    checker.take(0, 7, b"channel:a", value)
    assert [str(each) for each in checker.findings] == ["audit/0 offset 7: is no audit record"]


def test_memory_is_bounded_and_a_repeat_from_too_long_ago_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "REPEATABLE", 20)
    log = written(record(number) for number in range(25))
    (partition,) = (each for each, records in log.items() if records)
    log[partition] += [log[partition][0], log[partition][-1]]
    checker = checked(log)
    assert len(checker.ends[WRITERS[0], partition].recent) == 20
    assert checker.repeated == 1
    (finding,) = checker.findings
    assert finding.says.endswith("too late to tell whether it is the same")


def test_a_check_goes_on_from_where_it_was_signed() -> None:
    log = written(record(number) for number in range(6))
    (partition,) = (each for each, records in log.items() if records)
    half = checked({partition: log[partition][:3]}).ends[WRITERS[0], partition]

    def followed(records: list[tuple[bytes, bytes]], ends: int = 6) -> Checker:
        checker = Checker(ends={(WRITERS[0], partition): End.signed(half.number, half.digest, half.offset)})
        for offset, (key, value) in enumerate(records, half.offset):
            checker.take(partition, offset, key, value)
        checker.finish({partition: ends})
        return checker

    assert followed(log[partition][2:]).found == 0
    assert followed([*log[partition][2:], log[partition][1]]).found == 0, "a repeat from before is not ours to judge"
    assert followed(log[partition][2:3] + log[partition][4:]).found == 1
    other = written(record(number, who="person:wang") for number in range(6))[partition]
    assert "is another record" in str(followed(other[2:]).findings[0])
    assert "cut off" in str(followed([], ends=2).findings[0])


def test_a_signed_chain_of_which_nothing_is_there_is_cut_off() -> None:
    checker = checked({0: []}, {("alerting:0", 0): {5: Vouched(BEGINNING, AT)}})
    assert [str(each) for each in checker.findings] == [
        "audit/0: alerting:0: cut off: ends at number 0, and at 2026-11-26 12:00:00 UTC it went up to 5"
    ]
