"""Whose address a request has, whatever it says of itself."""

from ipaddress import ip_network

import pytest

from services.runtime.client_address import UNKNOWN, client_address, household, public

PROXIES = [ip_network("10.0.0.0/8"), ip_network("2001:db8:1::/48")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("8.8.8.8", "", "8.8.8.8"),
        ("8.8.8.8", "1.1.1.1", "8.8.8.8"),
        ("10.0.0.1", "1.1.1.1", "1.1.1.1"),
        ("10.0.0.1", "9.9.9.9, 1.1.1.1", "1.1.1.1"),
        ("10.0.0.1", "9.9.9.9, 1.1.1.1, 10.0.0.2", "1.1.1.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "nonsense", UNKNOWN),
        ("2001:db8:1::5", "2001:db8:2::7", "2001:db8:2::7"),
        ("::ffff:8.8.8.8", "1.1.1.1", "8.8.8.8"),
        ("::ffff:10.0.0.1", "1.1.1.1", "1.1.1.1"),
        ("", "1.1.1.1", UNKNOWN),
    ],
)
def test_only_our_own_proxies_are_believed(peer: str, forwarded: str, expected: str) -> None:
    assert client_address(peer, forwarded, PROXIES) == expected


def test_an_address_inside_a_house_tells_nobody_apart() -> None:
    assert [public(each) for each in ("127.0.0.1", "192.168.1.9", UNKNOWN, "8.8.8.8")] == [None, None, None, "8.8.8.8"]


def test_whoever_has_one_ipv6_address_has_a_whole_network_of_them() -> None:
    assert household("2001:db8:1:2:3::4") == household("2001:db8:1:2:ffff::1") == "2001:db8:1:2::/64"
    assert household("8.8.8.8") == household("::ffff:8.8.8.8") == "8.8.8.8"
    assert household(UNKNOWN) == UNKNOWN
