"""What cookies hold: nobody reads or changes it, and keys turn over unnoticed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.console.signin.sealing import MAX_COOKIE, NONCE_BYTES, ForgedError, Keys

NEW, OLD = "n" * 32, "o" * 32
NONCE = bytes(range(NONCE_BYTES))


@given(st.binary(max_size=200), st.binary(min_size=NONCE_BYTES, max_size=NONCE_BYTES))
def test_what_is_sealed_is_opened_again(said: bytes, nonce: bytes) -> None:
    assert Keys([NEW]).open("a", Keys([NEW]).seal("a", said, nonce)) == said


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_single_bit_more_or_less_and_nobody_has_written_it(place: int, flip: int) -> None:
    sealed = Keys([NEW]).seal("a", b"li.wei: an operator.", NONCE)
    place %= len(sealed)
    other = sealed[:place] + chr(ord(sealed[place]) ^ flip) + sealed[place + 1 :]
    with pytest.raises(ForgedError):
        Keys([NEW]).open("a", other)
    with pytest.raises(ForgedError):
        Keys([NEW]).open("a", sealed[:place])


@given(st.text(max_size=100))
def test_nothing_else_is_opened(text: str) -> None:
    with pytest.raises(ForgedError):
        Keys([NEW]).open("a", text)


def test_it_tells_nothing_to_who_has_no_key() -> None:
    assert "bGkud2Vp" not in Keys([NEW]).seal("a", b"li.wei" * 10, NONCE)


def test_what_is_for_one_purpose_is_for_no_other() -> None:
    with pytest.raises(ForgedError):
        Keys([NEW]).open("b", Keys([NEW]).seal("a", b"x", NONCE))
    assert Keys([NEW]).tokens("a", "x") != Keys([NEW]).tokens("b", "x")


def test_while_keys_turn_over_both_are_good_and_then_the_old_one_is_not() -> None:
    before, after = Keys([OLD]).seal("a", b"x", NONCE), Keys([NEW, OLD]).seal("a", b"x", NONCE)
    assert Keys([NEW, OLD]).open("a", before) == b"x"
    assert Keys([NEW]).open("a", after) == b"x"
    assert Keys([OLD]).tokens("a", "x")[0] in Keys([NEW, OLD]).tokens("a", "x")
    with pytest.raises(ForgedError):
        Keys([NEW]).open("a", before)


def test_what_is_larger_than_a_cookie_is_not_even_looked_at() -> None:
    with pytest.raises(ForgedError):
        Keys([NEW]).open("a", Keys([NEW]).seal("a", bytes(MAX_COOKIE), NONCE))


def test_without_a_key_there_is_nothing_to_seal_with() -> None:
    with pytest.raises(ValueError, match="no key"):
        Keys([])
