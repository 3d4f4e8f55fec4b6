from hashlib import blake2b

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.frames.murmur import partition_of_name, partitions_of
from services.ingest.frames.pseudonyms import Actors, Pseudonyms, SharedAddresses, normal_address
from services.runtime.murmur import partition_of

KEY = b"a key of some bytes"


def _hash(kind: bytes, value: str) -> bytes:
    return blake2b(value.encode(), digest_size=16, key=KEY, person=kind).digest()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:DB8:0:1:aaaa::1", "2001:db8:0:1::/64"),
        ("2001:db8:0:1:bbbb:0:0:2", "2001:db8:0:1::/64"),
        ("2001:db8::1%eth0", "2001:db8::/64"),
        ("03.0.113.7", "03.0.113.7"),
        ("QmFzZTY0", "QmFzZTY0"),
        ("not:an:address", "not:an:address"),
    ],
)
def test_an_address_has_one_spelling(text: str, expected: str) -> None:
    assert normal_address(text) == expected


def test_pseudonyms_are_keyed_hashes_and_kinds_never_share_one() -> None:
    assert Pseudonyms(KEY, "ip").of("x") == _hash(b"ip", "x")
    assert Pseudonyms(KEY, "account").of("x") == _hash(b"account", "x")
    assert Pseudonyms(b"another key of bytes", "ip").of("x") != _hash(b"ip", "x")


@pytest.mark.parametrize(
    ("text", "shared"),
    [
        ("10.1.2.3", True),
        ("10.2.0.1", False),
        ("::ffff:10.1.2.3", True),
        ("192.0.2.1", True),
        ("2001:db8:7::1", True),
        ("2001:db8:8:0:ff::1", True),
        ("2001:db8:9::1", False),
        ("an office", True),
        ("another office", False),
    ],
)
def test_shared_addresses_are_found_in_any_spelling(text: str, shared: bool) -> None:
    addresses = SharedAddresses(["10.1.0.0/16", "192.0.2.1", "2001:db8:7::/48", "2001:db8:8::5", "an office"])
    assert (text in addresses) is shared


def test_an_actor_is_its_pseudonym_unless_its_address_is_shared() -> None:
    actors = Actors(Pseudonyms(KEY, "ip"), SharedAddresses(["10.0.0.0/8"]))
    assert actors["203.0.113.7"] == actors["::ffff:203.0.113.7"] == _hash(b"ip", "203.0.113.7")
    assert actors["10.1.2.3"] is None


def test_what_is_remembered_of_actors_is_bounded_and_stays_right() -> None:
    actors = Actors(Pseudonyms(KEY, "ip"), SharedAddresses([]), limit=10)
    for _ in range(3):
        for number in range(25):
            assert actors[f"192.0.2.{number}"] == _hash(b"ip", f"192.0.2.{number}")
    assert len(actors) + len(actors._older) <= 20


def test_many_pseudonyms_at_once_are_those_of_each() -> None:
    assert Pseudonyms(KEY, "account").of_all(["a", None, "b"]) == [_hash(b"account", "a"), None, _hash(b"account", "b")]


def test_the_partition_of_a_name_is_that_of_its_utf8() -> None:
    assert partition_of_name("抖音", 5) == partition_of("抖音".encode(), 5)


@given(st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=20), st.integers(1, 1000))
def test_partitions_of_many_keys_are_those_of_each(keys: list[bytes], partitions: int) -> None:
    words = np.frombuffer(b"".join(keys), dtype="<u4").reshape(-1, 4)
    assert partitions_of(words, partitions).tolist() == [partition_of(key, partitions) for key in keys]
