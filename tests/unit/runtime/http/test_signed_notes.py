"""Only who has the key writes them, and they end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.http.signed_notes import ExpiredError, ForgedError, seal, unseal

KEY = b"k" * 32
_words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)


@given(st.lists(_words, min_size=1, max_size=4), st.integers(1, 2**39))
def test_what_was_sealed_is_read_until_it_expires(words: list[str], expires_s: int) -> None:
    token = seal(KEY, expires_s, *words)
    assert unseal(KEY, token, expires_s - 1) == (expires_s, tuple(words))
    with pytest.raises(ExpiredError):
        unseal(KEY, token, expires_s)


@given(st.data())
def test_no_changed_token_is_taken(data: st.DataObject) -> None:
    token = seal(KEY, 1000, "ack", "an alert", "chat")
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("abcXYZ012-_").filter(lambda sign: sign != token[at]))
    changed = token[:at] + other + token[at + 1 :]
    try:
        said = unseal(KEY, changed, 0)
    except ForgedError:
        return
    # The last sign of base64 holds bits that say nothing.
    assert at == len(token) - 1
    assert said == (1000, ("ack", "an alert", "chat"))


@pytest.mark.parametrize("token", ["", "a", "=", "é", "....", "A" * 30, "A" * 10_000, "%00", "a b"])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(ForgedError):
        unseal(KEY, token, 0)


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(ForgedError):
        unseal(b"o" * 32, seal(KEY, 1000, "ack"), 0)


def test_it_is_safe_in_a_link() -> None:
    assert set(seal(KEY, 2**40 - 1, "ack", "抖音", "?&/")) <= set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
    )
