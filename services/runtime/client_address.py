"""Where a request comes from, as far as that can be known behind proxies. Pure."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Network = IPv4Network | IPv6Network
UNKNOWN: Final = "unknown"
_OF_ONE_HOUSEHOLD: Final = 64
"""Whoever has an IPv6 address has as many as they like, all with the same beginning of so many bits."""


def client_address(peer: str, forwarded: str, proxies: Sequence[Network]) -> str:
    """The address that spoke to the outermost of our proxies; `forwarded`: X-Forwarded-For, which anyone may write.

    So it is read from its end, where our own proxies write, and only for as long as it is they who speak. What is no
    address is UNKNOWN, all of it: whoever writes nonsense before one of our proxies must not be somebody new each time.
    """
    at = peer
    for hop in (part.strip() for part in reversed(forwarded.split(","))):
        if not hop or not _is_one_of(at, proxies):
            break
        at = hop
    parsed = _parsed(at)
    return UNKNOWN if parsed is None else str(parsed)


def public(address: str) -> str | None:
    """An address of the Internet; None for what is inside a house and so tells nobody apart."""
    parsed = _parsed(address)
    return str(parsed) if parsed is not None and parsed.is_global else None


def household(address: str) -> str:
    """What counts as one sender."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, _OF_ONE_HOUSEHOLD), strict=False))
    return address if parsed is None else str(parsed)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    # Where both versions are listened to, all of version 4 come as `::ffff:192.0.2.1`.
    return getattr(found, "ipv4_mapped", None) or found


def _is_one_of(address: str, proxies: Sequence[Network]) -> bool:
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in proxies)
