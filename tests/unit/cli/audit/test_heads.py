"""Only what was signed with the key counts as a head."""

import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from schemas.audit import ChainHead, SignedHead
from services.auditing.checking import Checker
from services.auditing.heads import BadKeyError, HeadBook, line_of, pem_of, private_key, public_key, signed
from services.cli.audit.words import lines_of
from tests.unit.cli.audit.logs import AT, checked, record, written

KEY = Ed25519PrivateKey.generate()


def head(number: int = 5, digest: str = "a" * 64, hours: int = 0) -> ChainHead:
    at = AT + timedelta(hours=hours)
    return ChainHead(at=at, writer="alerting:0", partition=1, number=number, digest=digest, offset=17)


def pem(key: object) -> str:
    made: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())  # type: ignore[attr-defined]
    return made.decode()


def test_a_head_is_read_by_whoever_has_the_public_key() -> None:
    book = HeadBook([Ed25519PrivateKey.generate().public_key(), public_key(pem_of(KEY.public_key()))])
    book.add("a file:1", line_of(signed(head(), KEY)))
    assert (book.problems, book.count, book.newest()) == ([], 1, AT)
    assert book.signed["alerting:0", 1][5].digest == "a" * 64


@settings(max_examples=40)
@given(st.data())
def test_a_line_of_which_a_byte_was_changed_is_no_head(data: st.DataObject) -> None:
    line = line_of(signed(head(), KEY)).rstrip()
    at, byte = data.draw(st.integers(0, len(line) - 1)), data.draw(st.integers(0, 255))
    changed = line[:at] + bytes([byte]) + line[at + 1 :]
    assume(_says(changed) != signed(head(), KEY))
    book = HeadBook([KEY.public_key()])
    book.add("a file:1", changed)
    assert (book.count, len(book.problems)) == (0, 1)


def _says(line: bytes) -> SignedHead | None:
    """What a line comes to: a moment may be written in more than one way."""
    try:
        return SignedHead.model_validate_json(line)
    except ValueError:
        return None


def test_a_signature_is_written_in_one_way() -> None:
    line = line_of(signed(head(), KEY))
    last = line[line.index(b"==") - 1]  # only its first two bits are of the signature
    book = HeadBook([KEY.public_key()])
    book.add("a file:1", line.replace(bytes([last]) + b"==", bytes([last + 1]) + b"=="))
    assert (book.count, len(book.problems)) == (0, 1)


def test_another_key_signs_nothing() -> None:
    book = HeadBook([KEY.public_key()])
    book.add("2026-11-26.jsonl:3", line_of(signed(head(), Ed25519PrivateKey.generate())))
    assert book.problems == ["2026-11-26.jsonl:3: the signature is not of this key, or the line was changed"]


def test_heads_of_one_number_that_differ_tell_of_a_rewriting() -> None:
    book = HeadBook([KEY.public_key()])
    book.add("one:1", line_of(signed(head(), KEY)))
    book.add("one:2", line_of(signed(head(hours=1), KEY)))
    book.add("one:3", line_of(signed(head(digest="b" * 64, hours=2), KEY)))
    (problem,) = book.problems
    assert problem == "one:3: contradicts the head signed at 2026-11-26 12:00:00 UTC: the chain was rewritten between"


def test_keys_are_pem_and_of_the_right_kind() -> None:
    assert private_key(pem(KEY)).public_key() == KEY.public_key()
    for wrong in ("", "secret", pem_of(KEY.public_key()), pem(generate_private_key(SECP256R1()))):
        with pytest.raises(BadKeyError) as caught:
            private_key(wrong)
        assert "secret" not in str(caught.value)
    with pytest.raises(BadKeyError):
        public_key(pem(KEY))


def test_what_is_said_of_an_audit() -> None:
    log = written(record(number) for number in range(3))
    checker = checked(log)
    assert list(lines_of(checker, None)) == [
        "3 records in 1 chains: all follow",
        "note: no signed heads were given (--heads), so a chain that was cut off at its end or rewritten whole would "
        "not be seen",
    ]
    assert list(lines_of(Checker(), HeadBook([]))) == [
        "0 records in 0 chains: nothing to verify",
        "there is no signed head to hold the audit to",
    ]
    ((name, end),) = checker.ends.items()
    book = HeadBook([KEY.public_key()])
    second = json.loads(log[name[1]][1][1])["chain"]
    made = ChainHead(at=AT, writer=name[0], partition=name[1], number=2, digest=second["digest"], offset=1)
    book.add("a file:1", line_of(signed(made, KEY)))
    assert list(lines_of(checked(log, book.signed), book))[-1] == (
        "1 signed heads agree, the newest of 2026-11-26 12:00:00 UTC; 1 records are newer, and not signed yet"
    )
    assert end.number == 3
